/** Messages and stored logs with everything filled in that a test does not care about. */

import { createConfiguration } from "../configuration.ts";
import { crc32c } from "../crc32c.ts";
import type {
  AppendEntries,
  AppendEntriesResponse,
  Entry,
  InstallSnapshot,
  LogIndex,
  NodeId,
  RequestVote,
  RequestVoteResponse,
  Snapshot,
  Term,
} from "../types.ts";
import { bytesOf, logOfTerms, testGeneration } from "./cluster.ts";
import type { Stored } from "./disk.ts";

type Given<M> = Partial<M> & { readonly from: NodeId; readonly to: NodeId; readonly term: Term };

const generation = testGeneration;

export function requestVote(given: Given<RequestVote>): RequestVote {
  return {
    kind: "requestVote",
    generation,
    preVote: false,
    leadershipTransfer: false,
    leaderGone: false,
    lastLogIndex: 100,
    lastLogTerm: 100,
    ...given,
  };
}

export function requestVoteResponse(given: Given<RequestVoteResponse>): RequestVoteResponse {
  return { kind: "requestVoteResponse", generation, preVote: false, requestedTerm: given.term, voteGranted: true, ...given };
}

export function appendEntries(given: Given<AppendEntries>): AppendEntries {
  return { kind: "appendEntries", generation, prevLogIndex: 0, prevLogTerm: 0, entries: [], leaderCommit: 0, round: 0, ...given };
}

export function appendEntriesResponse(given: Given<AppendEntriesResponse>): AppendEntriesResponse {
  return {
    kind: "appendEntriesResponse",
    generation,
    success: true,
    matchIndex: 0,
    refusedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    round: 0,
    ...given,
  };
}

/** All of it in one chunk. */
export function installSnapshot(given: Given<InstallSnapshot>, { data, ...snapshot }: Snapshot): InstallSnapshot {
  return { kind: "installSnapshot", generation, snapshot, offset: 0, data, ...given };
}

export function snapshotAt(index: LogIndex, term: Term, voters: readonly NodeId[], text = "snapshot"): Snapshot {
  const data = bytesOf(text);
  const configuration = createConfiguration(voters);
  return { index, term, configuration, configurationIndex: 1, size: data.length, checksum: crc32c(data), data };
}

export function command(index: LogIndex, term: Term, text = `t${term}`): Entry {
  return { kind: "command", index, term, command: bytesOf(text) };
}

/** What a disk holds: `log` is the term of each entry, the first of them the configuration. */
export function stored(given: {
  readonly term: Term;
  readonly log: readonly Term[];
  readonly voters: readonly NodeId[];
  readonly votedFor?: NodeId;
  readonly commit?: LogIndex;
}): Partial<Stored> {
  return {
    hardState: { currentTerm: given.term, votedFor: given.votedFor ?? null, generation: testGeneration },
    entries: logOfTerms(given.log, given.voters),
    commitIndex: given.commit ?? 0,
  };
}
