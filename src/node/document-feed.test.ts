import { expect, test } from "vitest";
import { editOf } from "../document/editing.test-kit.ts";
import { DOCUMENT_LIMITS } from "../document/limits.ts";
import { SharedDocument } from "../document/shared-document.ts";
import type { DocumentCommand } from "../document/types.ts";
import { Applier } from "../driver/applier.ts";
import type { RaftNetwork } from "../driver/interfaces.ts";
import { Raft } from "../driver/raft.ts";
import { crc32c } from "../raft/mod.ts";
import type { Entry, Message } from "../raft/types.ts";
import { MemoryDisk, MemoryStorage } from "../storage/memory-storage.ts";
import { workerClock } from "./clock.ts";
import { DocumentFeed } from "./document-feed.ts";
import type { FromNode } from "./protocol.ts";

const configuration = { voters: ["follower", "leader"], votersOld: [], learners: [] };
const base = {
  from: "leader",
  to: "follower",
  term: 1,
  generation: { number: 1, id: "0".repeat(32), parentId: null, forkIndex: 0 },
};

/** Entry 1 is the configuration; then `count` edits, each of one letter at the beginning, and one key. */
function history(count: number): readonly Entry[] {
  const document = new SharedDocument();
  const edits = Array.from(
    { length: count },
    (_, at): DocumentCommand => editOf(`client-${at}`, at, [at === 0 ? [[0, letter(at)]] : [[0, letter(at)], at]]),
  );
  const commands: readonly DocumentCommand[] = [...edits, { kind: "set", key: "count", value: count }];
  return [
    { kind: "configuration", index: 1, term: 1, configuration },
    ...commands.map((command, at): Entry => {
      // A command of no session begins with a zero.
      return { kind: "command", index: at + 2, term: 1, command: new Uint8Array([0, ...document.encode(command)]) };
    }),
  ];
}

const letter = (at: number): string => String.fromCharCode(97 + (at % 26));
const textOf = (count: number): string => Array.from({ length: count }, (_, at) => letter(count - 1 - at)).join("");

/** A follower that has applied three edits, with its feed; and what brings it, by snapshot, to ten. */
async function follower(windowUpdatesMax: number) {
  const limits = { ...DOCUMENT_LIMITS, windowUpdatesMax };
  const document = new SharedDocument(limits);
  let deliver: (message: Message) => void = () => undefined;
  const network: RaftNetwork = {
    start: ({ onMessage }) => {
      deliver = onMessage;
    },
    send: () => undefined,
  };
  const storage = new MemoryStorage(new MemoryDisk(), (complete) => queueMicrotask(complete));
  const raft = new Raft({ id: "follower", seed: 1, storage, network, stateMachine: document, clock: workerClock });
  await new Promise<void>((resolve) => raft.start(() => resolve()));
  const posted: FromNode[] = [];
  new DocumentFeed(document, (message) => posted.push(message)).start(raft);
  const entries = history(3).slice(0, 4);
  deliver({ ...base, kind: "appendEntries", prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 4, round: 0 });

  const catchUp = async () => {
    const source = new Applier(new SharedDocument(limits));
    source.apply(history(10));
    const data = source.snapshot();
    const size = data.length;
    const meta = { index: source.lastApplied, term: 1, configuration, configurationIndex: 1, size, checksum: crc32c(data) };
    deliver({ ...base, kind: "installSnapshot", snapshot: meta, offset: 0, data });
    await raft.waitFor(({ lastApplied }) => lastApplied === meta.index);
    raft.stop(new Error("the test is over"));
  };
  return { posted, catchUp };
}

test("the page is told everything once, then what is accepted", async () => {
  const { posted, catchUp } = await follower(100);
  expect(posted[0]).toEqual({ kind: "document", version: 0, text: "", map: {} });
  expect(posted.slice(1).map((message) => (message.kind === "updates" ? message.fromVersion : message.kind))).toEqual([0]);
  await catchUp();
});

test("a snapshot is told as the whole document, after the updates that lead there as far as it keeps them", async () => {
  const { posted, catchUp } = await follower(100);
  const before = posted.length;
  await catchUp();
  const [updates, whole, ...more] = posted.slice(before);
  expect(updates).toMatchObject({ kind: "updates", fromVersion: 3 });
  expect(updates?.kind === "updates" && updates.updates.map(({ clientId }) => clientId)).toEqual(
    Array.from({ length: 7 }, (_, at) => `client-${at + 3}`),
  );
  expect(whole).toEqual({ kind: "document", version: 10, text: textOf(10), map: { count: 10 } });
  expect(more).toEqual([]);
});

test("a snapshot that no longer knows how its text came about is told alone", async () => {
  const { posted, catchUp } = await follower(5);
  const before = posted.length;
  await catchUp();
  expect(posted.slice(before)).toEqual([{ kind: "document", version: 10, text: textOf(10), map: { count: 10 } }]);
});
