import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Configuration, Entry, Message, SnapshotMeta } from "../raft/types.ts";
import { decodeEnvelope, type Envelope, encodeEnvelope, PROTOCOL_VERSION } from "./codec.ts";

const link = { from: "sender", to: "receiver" };

const integer = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER));
const term = fc.integer({ min: 1, max: 2 ** 40 });
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const bytes = fc.uint8Array({ maxLength: 200 });
const sorted = (ids: string[]) => [...ids].sort((a, b) => (a < b ? -1 : 1));
const configuration: fc.Arbitrary<Configuration> = fc
  .record({
    voters: fc.uniqueArray(id, { minLength: 1, maxLength: 5 }).map(sorted),
    votersOld: fc.uniqueArray(id, { maxLength: 5 }).map(sorted),
    learners: fc.uniqueArray(id, { maxLength: 5 }).map(sorted),
  })
  .map((found) => ({ ...found, learners: found.learners.filter((learner) => !found.voters.includes(learner)) }));
const entryBody = fc.oneof(
  fc.constant({ kind: "blank" as const }),
  bytes.map((command) => ({ kind: "command" as const, command })),
  configuration.map((found) => ({ kind: "configuration" as const, configuration: found })),
);
const generation = fc
  .record({ number: integer.map((n) => Math.max(n, 1)), id: hex, parentId: fc.option(hex), forkIndex: integer })
  .map((found) => (found.parentId === null ? { ...found, forkIndex: 0 } : found));
const refusal = fc.option(
  fc.constantFrom(
    ...([
      "notLeader",
      "overloaded",
      "notReady",
      "changeOpen",
      "configurationMoved",
      "noVoters",
      "noChange",
      "notPristine",
      "transferring",
      "noTarget",
      "transferFailed",
      "leaderHeard",
    ] as const),
  ),
);
const base = { from: fc.constant(link.from), to: fc.constant(link.to), term, generation };
const flags = { preVote: fc.boolean() };

/** A log position and entries after it, with terms that never fall, and a message term that is above none. */
const stretch = fc
  .record({
    index: fc.nat(2 ** 40),
    terms: fc.array(fc.nat(3), { maxLength: 8 }),
    bodies: fc.array(entryBody, { minLength: 8, maxLength: 8 }),
  })
  .map(({ index, terms, bodies }) => {
    let at = index === 0 ? 0 : 7;
    const prevLogTerm = at;
    const entries = terms.map((step, position): Entry => {
      at = Math.max(1, at + step);
      return { ...(bodies[position] ?? { kind: "blank" }), index: index + 1 + position, term: at };
    });
    return { prevLogIndex: index, prevLogTerm, entries, term: at + 1 };
  });

/** What a chunk says of the whole, and a piece that lies within it. */
const chunk = fc
  .record({
    // With the data no more than the largest snapshot, 2^32 bytes.
    before: fc.nat(2 ** 31),
    data: bytes,
    after: fc.nat(2 ** 31 - 200),
    index: fc.integer({ min: 1, max: 2 ** 40 }),
    sinceConfiguration: fc.nat(2 ** 39),
    configuration,
    checksum: fc.integer({ min: 0, max: 0xffff_ffff }),
    snapshotTerm: term,
    laterTerms: fc.nat(5),
  })
  .map(({ before, data, after, index, sinceConfiguration, checksum, snapshotTerm, laterTerms, ...more }) => ({
    snapshot: {
      index,
      term: snapshotTerm,
      configuration: more.configuration,
      configurationIndex: Math.max(1, index - sinceConfiguration),
      size: before + data.length + after,
      checksum,
    },
    offset: before,
    data,
    term: snapshotTerm + laterTerms,
  }));

const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .record({
      ...base,
      ...flags,
      kind: fc.constant("requestVote" as const),
      leadershipTransfer: fc.boolean(),
      leaderGone: fc.boolean(),
      lastLogIndex: integer,
    })
    .map((found) => ({ ...found, lastLogTerm: found.lastLogIndex === 0 ? 0 : found.term })),
  fc.record({
    ...base,
    ...flags,
    kind: fc.constant("requestVoteResponse" as const),
    requestedTerm: integer,
    voteGranted: fc.boolean(),
  }),
  fc
    .tuple(fc.record({ ...base, kind: fc.constant("appendEntries" as const), leaderCommit: integer, round: integer }), stretch)
    .map(([found, more]) => ({ ...found, ...more })),
  fc.record({
    ...base,
    kind: fc.constant("appendEntriesResponse" as const),
    success: fc.boolean(),
    matchIndex: integer,
    refusedIndex: integer,
    hintIndex: integer,
    hintTerm: integer,
    round: integer,
  }),
  fc.record({ ...base, kind: fc.constant("propose" as const), requestId: integer, commands: fc.array(bytes, { maxLength: 5 }) }),
  fc.record({
    ...base,
    kind: fc.constant("proposeResponse" as const),
    requestId: integer,
    firstIndex: integer,
    entriesTerm: integer,
    refusal,
  }),
  fc.record({ ...base, kind: fc.constant("readIndex" as const), requestId: integer }),
  fc.record({ ...base, kind: fc.constant("readIndexResponse" as const), requestId: integer, readIndex: integer, refusal }),
  fc
    .tuple(fc.record({ ...base, kind: fc.constant("installSnapshot" as const) }), chunk)
    .map(([found, more]) => ({ ...found, ...more })),
  fc.record({
    ...base,
    kind: fc.constant("installSnapshotResponse" as const),
    index: integer.map((n) => Math.max(n, 1)),
    checksum: fc.integer({ min: 0, max: 0xffff_ffff }),
    offset: fc.nat(2 ** 31),
  }),
  fc.record({ ...base, kind: fc.constant("timeoutNow" as const) }),
  fc.record({ ...base, kind: fc.constant("leaderCheck" as const), checkId: integer }),
  fc
    .tuple(fc.record({ ...base, kind: fc.constant("relayEntries" as const), leader: id }), stretch)
    .map(([found, more]) => ({ ...found, ...more })),
  fc
    .record({ ...base, kind: fc.constant("relayRequest" as const), commitIndex: integer, restart: fc.boolean() })
    .map((message) => ({ ...message, matchIndex: Math.min(message.commitIndex, 7) })),
  fc.record({ ...base, kind: fc.constant("leaderCheckResponse" as const), checkId: integer }),
);
const name = fc
  .string({ minLength: 1, maxLength: 40, unit: "binary" })
  .filter((text) => [...text].length <= 40 && !/\p{Surrogate}/u.test(text));
const digest = fc.record({
  id: fc.constant(link.from),
  name,
  device: hex,
  visible: fc.boolean(),
  role: fc.constantFrom(...(["learner", "follower", "candidate", "leader"] as const)),
  term: integer,
  leader: fc.option(id),
  lastLogIndex: integer,
  commitIndex: integer,
  lastApplied: integer,
  storageOk: fc.boolean(),
  generation: fc.option(generation),
  quorum: fc.boolean(),
});
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const envelope: fc.Arbitrary<Envelope> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("raft" as const), epoch: word, message }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("digest" as const), epoch: word, digest }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("ping" as const, "pong" as const), epoch: word, nonce: word }) },
);

describe("envelope", () => {
  test("comes back as it was", () => {
    fc.assert(
      fc.property(envelope, (sent) => {
        expect(decodeEnvelope(encodeEnvelope(sent), link)).toEqual(sent);
      }),
      { numRuns: 1000 },
    );
  });

  test("sender and receiver are the connection's, whatever the message was written for", () => {
    const sent = encodeEnvelope({
      kind: "raft",
      epoch: 1,
      message: {
        kind: "readIndex",
        from: "forged",
        to: "x",
        term: 1,
        requestId: 1,
        generation: { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 },
      },
    });
    expect(decodeEnvelope(sent, link)).toMatchObject({ message: { from: "sender", to: "receiver" } });
  });

  test("every cut-off and every lengthened message is refused", () => {
    fc.assert(
      fc.property(envelope, (sent) => {
        const whole = encodeEnvelope(sent);
        for (let length = 0; length < whole.length; length += 1) {
          expect(decodeEnvelope(whole.subarray(0, length), link)).toHaveProperty("refused");
        }
        const longer = new Uint8Array(whole.length + 1);
        longer.set(whole);
        expect(decodeEnvelope(longer, link)).toHaveProperty("refused");
      }),
      { numRuns: 100 },
    );
  });

  test("another protocol version is refused as such", () => {
    const bytes = encodeEnvelope({ kind: "ping", epoch: 1, nonce: 2 });
    bytes[0] = PROTOCOL_VERSION + 1;
    expect(decodeEnvelope(bytes, link)).toEqual({ refused: "otherVersion" });
  });

  test("1,000,000 mutated messages: no throw, no more memory than bytes, and what is accepted is said again in the same bytes", () => {
    const originals = fc.sample(envelope, { numRuns: 500, seed: 20 }).map(encodeEnvelope);
    const random = fc.sample(fc.nat(0xffff_ffff), { numRuns: 4096, seed: 21 });
    let drawn = 0;
    const draw = (below: number) => {
      drawn += 1;
      return ((random[drawn % 4096] ?? 0) + drawn) % below;
    };
    let accepted = 0;
    for (let round = 0; round < 1_000_000; round += 1) {
      const bytes = mutate(originals[round % originals.length] ?? new Uint8Array(), draw);
      const found = decodeEnvelope(bytes, link);
      if ("refused" in found) continue;
      accepted += 1;
      if (Buffer.compare(encodeEnvelope(found), bytes) !== 0) expect(encodeEnvelope(found)).toEqual(bytes);
      if (round % 8 === 0 && weightOf(found) > 64 * bytes.length + 2000)
        expect(weightOf(found)).toBeLessThanOrEqual(64 * bytes.length + 2000);
    }
    // Neither everything refused nor nothing: the mutations reach into the fields.
    expect(accepted).toBeGreaterThan(10_000);
    expect(accepted).toBeLessThan(900_000);
  });

  test("a list that claims more than the message holds is refused before it is built", () => {
    const sent = encodeEnvelope({
      kind: "raft",
      epoch: 1,
      message: {
        kind: "propose",
        ...link,
        term: 1,
        requestId: 1,
        generation: { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 },
        commands: [],
      },
    });
    const huge = new Uint8Array([...sent.subarray(0, -1), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07]);
    expect(decodeEnvelope(huge, link)).toEqual({ refused: "badList" });
  });
});

const generationOne = { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 };

/** In a message of term 3. */
function inSnapshot(meta: Partial<SnapshotMeta>, offset = 0, length = 10): Message {
  const sound = {
    index: 5,
    term: 3,
    configuration: { voters: ["a"], votersOld: [], learners: [] },
    configurationIndex: 5,
    size: 1000,
    checksum: 7,
  };
  const snapshot = { ...sound, ...meta };
  return { kind: "installSnapshot", ...link, generation: generationOne, term: 3, snapshot, offset, data: new Uint8Array(length) };
}

function inEntry(found: Configuration): Message {
  return {
    kind: "appendEntries",
    ...link,
    generation: generationOne,
    term: 1,
    leaderCommit: 0,
    round: 0,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [{ kind: "configuration", index: 1, term: 1, configuration: found }],
  };
}

describe("what is refused", () => {
  const append = { kind: "appendEntries", ...link, generation: generationOne, leaderCommit: 0, round: 0 } as const;
  const entry = (index: number, entryTerm: number): Entry => ({ kind: "blank", index, term: entryTerm });
  test.each([
    [
      "an entry of a later term than its message",
      { ...append, term: 3, prevLogIndex: 0, prevLogTerm: 0, entries: [entry(1, 4)] },
    ],
    ["terms that fall", { ...append, term: 3, prevLogIndex: 1, prevLogTerm: 2, entries: [entry(2, 3), entry(3, 2)] }],
    ["an entry of term 0", { ...append, term: 3, prevLogIndex: 0, prevLogTerm: 0, entries: [entry(1, 0)] }],
    ["a term without an index", { ...append, term: 3, prevLogIndex: 0, prevLogTerm: 2, entries: [] }],
    ["an index without a term", { ...append, term: 3, prevLogIndex: 2, prevLogTerm: 0, entries: [] }],
    ["a previous term above the message's", { ...append, term: 3, prevLogIndex: 2, prevLogTerm: 4, entries: [] }],
    [
      "an index past the safe integers",
      { ...append, term: 3, prevLogIndex: Number.MAX_SAFE_INTEGER, prevLogTerm: 1, entries: [entry(2 ** 53, 1)] },
    ],
    [
      "a generation 0",
      { ...append, generation: { ...generationOne, number: 0 }, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries: [] },
    ],
  ] satisfies [string, Message][])("%s", (_what, sent) => {
    expect(decodeEnvelope(encodeEnvelope({ kind: "raft", epoch: 1, message: sent }), link)).toEqual({ refused: "badInteger" });
  });

  test.each([
    ["unsorted", { voters: ["b", "a"], votersOld: [], learners: [] }],
    ["repeated", { voters: ["a", "a"], votersOld: [], learners: [] }],
    ["a learner that is a voter", { voters: ["a"], votersOld: [], learners: ["a"] }],
    ["nobody", { voters: [], votersOld: [], learners: [] }],
    ["a learner that is a voter now and was one", { voters: ["a"], votersOld: ["a"], learners: ["a"] }],
    ["only voters of before", { voters: [], votersOld: ["a"], learners: [] }],
  ])("a configuration, in an entry and in a snapshot: %s", (_what, found) => {
    for (const sent of [inEntry(found), inSnapshot({ configuration: found })]) {
      expect(decodeEnvelope(encodeEnvelope({ kind: "raft", epoch: 1, message: sent }), link)).toEqual({ refused: "badList" });
    }
  });

  test("but a voter that is being demoted is among the old voters and the learners", () => {
    const joint = { voters: ["a"], votersOld: ["a", "b"], learners: ["b"] };
    for (const message of [inEntry(joint), inSnapshot({ configuration: joint })]) {
      const sent: Envelope = { kind: "raft", epoch: 1, message };
      expect(decodeEnvelope(encodeEnvelope(sent), link)).toEqual(sent);
    }
  });

  test.each([
    ["index 0", inSnapshot({ index: 0 })],
    ["term 0", inSnapshot({ term: 0 })],
    ["of a later term than its message", inSnapshot({ term: 4 })],
    ["without a place for its configuration", inSnapshot({ configurationIndex: 0 })],
    ["with a configuration behind it", inSnapshot({ configurationIndex: 6 })],
    ["larger than any that is accepted", inSnapshot({ size: 2 ** 32 + 1 })],
    ["a chunk beyond its end", inSnapshot({}, 999, 2)],
    ["a chunk that begins behind it", inSnapshot({}, 1001, 0)],
    ["a chunk past the safe integers", inSnapshot({}, Number.MAX_SAFE_INTEGER, 1)],
  ])("a snapshot: %s", (_what, sent) => {
    expect(decodeEnvelope(encodeEnvelope({ kind: "raft", epoch: 1, message: sent }), link)).toEqual({ refused: "badInteger" });
  });

  test("but a chunk may end where the snapshot ends, and an empty one asks", () => {
    for (const message of [inSnapshot({}, 998, 2), inSnapshot({}, 1000, 0), inSnapshot({}, 0, 0)]) {
      const sent: Envelope = { kind: "raft", epoch: 1, message };
      expect(decodeEnvelope(encodeEnvelope(sent), link)).toEqual(sent);
    }
  });

  test.each([
    ["index 0", { index: 0, offset: 1 }],
    ["an offset that no snapshot has", { index: 1, offset: 2 ** 32 + 1 }],
  ])("an answer to a chunk: %s", (_what, found) => {
    const sent: Message = { kind: "installSnapshotResponse", ...link, generation: generationOne, term: 1, checksum: 1, ...found };
    expect(decodeEnvelope(encodeEnvelope({ kind: "raft", epoch: 1, message: sent }), link)).toEqual({ refused: "badInteger" });
  });

  test("our own mistakes are not sent", () => {
    const gap: Message = { ...append, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries: [entry(2, 1)] };
    expect(() => encodeEnvelope({ kind: "raft", epoch: 1, message: gap })).toThrow();
    expect(() => encodeEnvelope({ kind: "ping", epoch: -1, nonce: 0 })).toThrow();
    expect(() => encodeEnvelope({ kind: "raft", epoch: 1, message: inSnapshot({ checksum: -1 }) })).toThrow();
    expect(() => encodeEnvelope({ kind: "raft", epoch: 1, message: inSnapshot({ checksum: 2 ** 32 }) })).toThrow();
  });
});

/** One to three small injuries. */
function mutate(original: Uint8Array, draw: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  for (let count = 1 + draw(3); count > 0; count -= 1) {
    const at = draw(Math.max(bytes.length, 1));
    const kind = draw(4);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
    else if (kind === 1) bytes[at] = draw(256);
    else if (kind === 2) bytes = bytes.slice(0, at);
    else bytes = new Uint8Array([...bytes.subarray(0, at), draw(256), ...bytes.subarray(at)]);
  }
  return bytes;
}

/** About the bytes of memory that a decoded value takes: 32 for each object and field, and what byte strings and texts hold. */
function weightOf(value: unknown): number {
  if (value instanceof Uint8Array) return 96 + value.buffer.byteLength;
  if (typeof value === "string") return 16 + 2 * value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce<number>((sum, field) => sum + 16 + weightOf(field), 32);
}
