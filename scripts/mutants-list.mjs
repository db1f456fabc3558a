/**
 * One-line mutations of the core and its driver, each of a rule that matters, and harmless changes beside them. A mutation names text that must
 * stand exactly once in its file: when the code moves on, the list must follow.
 */

/**
 * @typedef {object} Mutation
 * @property {string} rule what the line is there for; of a control, what is changed
 * @property {string} file
 * @property {string} from
 * @property {string} to
 * @property {string} [scope] the scope of the walk that is most likely to meet it
 */

/** @type {readonly Mutation[]} */
export const MUTATIONS = [
  // ---- elections ----
  {
    rule: "one vote a term (§5.2)",
    file: "src/raft/election.ts",
    from: "return votedFor === null || votedFor === message.from;",
    to: "return true;",
    scope: "crashes in elections",
  },
  {
    rule: "a vote is recorded (§5.2)",
    file: "src/raft/election.ts",
    from: "if (raft.hardState.votedFor === null) setHardState(raft, out, { votedFor: message.from });",
    to: "",
    scope: "crashes in elections",
  },
  {
    rule: "the vote is kept on stepping down within a term",
    file: "src/raft/roles.ts",
    from: "if (later) setHardState(raft, out, { currentTerm: term, votedFor: null });",
    to: "setHardState(raft, out, { currentTerm: term, votedFor: null });",
    scope: "crashes in elections",
  },
  {
    rule: "a log of an earlier last term is not up-to-date (§5.4.1)",
    file: "src/raft/log.ts",
    from: "return otherLastTerm > lastTerm(log);",
    to: "return true;",
    scope: "old terms",
  },
  {
    rule: "a shorter log of the same last term is not up-to-date (§5.4.1)",
    file: "src/raft/log.ts",
    from: "return otherLastIndex >= lastIndex(log);",
    to: "return true;",
    scope: "replication",
  },
  {
    rule: "a candidate counts its own vote once it is durable",
    file: "src/raft/roles.ts",
    from: "votes: new Map(preVote ? [[raft.id, true]] : []),",
    to: "votes: new Map([[raft.id, true]]),",
    scope: "crashes in elections",
  },
  {
    rule: "a PreVote is no vote (diss. §9.6)",
    file: "src/raft/election.ts",
    from: 'if (role.kind !== "candidate" || role.preVote !== message.preVote) return;',
    to: 'if (role.kind !== "candidate") return;',
    scope: "preVote",
  },
  {
    rule: "a vote counts in the campaign that asked for it",
    file: "src/raft/election.ts",
    from: "if (message.requestedTerm !== requestedTerm(raft, role.preVote)) return;",
    to: "",
    scope: "crashes in elections",
  },
  {
    rule: "voters are loyal to a leader that they hear (diss. §4.2.3)",
    file: "src/raft/election.ts",
    from: "if (!raft.config.checkQuorum) return false;",
    to: "return false;",
  },
  {
    rule: "who has just started keeps the promise of its life before (diss. §6.4.1)",
    file: "src/raft/election.ts",
    from: "if (raft.config.leaseReads && raft.now - raft.startedAt < raft.config.electionTimeoutMinMs) return true;",
    to: "",
  },
  {
    rule: "a leader that hears no quorum steps down (diss. §6.2)",
    file: "src/raft/replication.ts",
    from: "if (diskHangs(raft) || (raft.config.checkQuorum && quorumIsSilent(raft, leader))) {",
    to: "if (diskHangs(raft)) {",
  },
  // ---- majorities ----
  {
    rule: "a majority is more than half",
    file: "src/raft/quorum.ts",
    from: "const needed = Math.floor(voters.length / 2) + 1;",
    to: "const needed = Math.ceil(voters.length / 2);",
    scope: "membership",
  },
  {
    rule: "a joint decision needs both majorities, not one of the union (§6)",
    file: "src/raft/quorum.ts",
    from: "return Math.min(majorityValue(configuration.voters, reached), majorityValue(configuration.votersOld, reached));",
    to: "return majorityValue([...new Set([...configuration.voters, ...configuration.votersOld])], reached);",
    scope: "membership",
  },
  {
    rule: "a learner counts for nothing (diss. §4.2.1)",
    file: "src/raft/quorum.ts",
    from: "return Math.min(majorityValue(configuration.voters, reached), majorityValue(configuration.votersOld, reached));",
    to: "return Math.min(majorityValue([...configuration.voters, ...configuration.learners], reached), majorityValue(configuration.votersOld, reached));",
    scope: "membership",
  },
  // ---- replication and commit ----
  {
    rule: "only an entry of the leader's own term is committed by counting (§5.4.2)",
    file: "src/raft/commit.ts",
    from: "if (index > raft.commitIndex && termAt(raft.log, index) === raft.hardState.currentTerm) advanceCommit(raft, out, index);",
    to: "if (index > raft.commitIndex) advanceCommit(raft, out, index);",
    scope: "figure 8",
  },
  {
    rule: "a leader counts itself by what its disk has acknowledged (diss. §10.2.1)",
    file: "src/raft/commit.ts",
    from: "id === raft.id ? raft.log.durableIndex : (role.progress.get(id)?.matchIndex ?? 0),",
    to: "id === raft.id ? lastIndex(raft.log) : (role.progress.get(id)?.matchIndex ?? 0),",
    scope: "crashes",
  },
  {
    rule: "a follower acknowledges what is durable",
    file: "src/raft/follower.ts",
    from: "const matchIndex = Math.min(raft.log.durableIndex, role.verifiedIndex);",
    to: "const matchIndex = role.verifiedIndex;",
    scope: "crashes",
  },
  {
    rule: "a follower acknowledges what is verified against this leader",
    file: "src/raft/follower.ts",
    from: "const matchIndex = Math.min(raft.log.durableIndex, role.verifiedIndex);",
    to: "const matchIndex = raft.log.durableIndex;",
    scope: "replication",
  },
  {
    rule: "a log is truncated at a real conflict only (§5.3)",
    file: "src/raft/follower.ts",
    from: "if (term === entry.term) continue;",
    to: "",
    scope: "duplicates",
  },
  {
    rule: "a follower commits no further than this message has verified (Figure 2)",
    file: "src/raft/follower.ts",
    from: "const commitIndex = Math.min(message.leaderCommit, verified);",
    to: "const commitIndex = Math.min(message.leaderCommit, lastIndex(raft.log));",
    scope: "replication",
  },
  {
    rule: "prevLogIndex and prevLogTerm must match (§5.3)",
    file: "src/raft/follower.ts",
    from: "if (message.prevLogIndex >= raft.commitIndex && termAt(raft.log, message.prevLogIndex) !== message.prevLogTerm) {",
    to: "if (message.prevLogIndex > lastIndex(raft.log)) {",
    scope: "replication",
  },
  {
    rule: "an acknowledgement of an earlier term says nothing",
    file: "src/raft/step.ts",
    from: "message.term < currentTerm &&",
    to: "message.term < currentTerm - 1000 &&",
    scope: "old terms",
  },
  {
    rule: "a completion of a write before a truncation is stale",
    file: "src/raft/step.ts",
    from: "if (event.write < raft.log.truncatedByWrite || termAt(raft.log, event.index) !== event.term) return;",
    to: "if (termAt(raft.log, event.index) !== event.term) return;",
    scope: "crashes",
  },
  {
    rule: "a completion speaks of the log as it stood when the write was asked for",
    file: "src/raft/step.ts",
    from: "if (event.write < raft.log.truncatedByWrite || termAt(raft.log, event.index) !== event.term) return;",
    to: "if (termAt(raft.log, event.index) === null) return;",
    scope: "crashes",
  },
  {
    rule: "the commit index that was stored lies within the log that was stored",
    file: "src/raft/state.ts",
    from: "Math.min(options.commitIndex, lastIndex(log))",
    to: "options.commitIndex",
    scope: "crashes",
  },
  {
    rule: "messages of another generation are refused",
    file: "src/raft/step.ts",
    from: "return generation === null || generation.id === message.generation.id;",
    to: "return true;",
  },
  {
    rule: "a forwarded proposal is taken once",
    file: "src/raft/proposals.ts",
    from: 'if (raft.role.kind === "leader" && !remember(raft.role, message)) return;',
    to: "",
    scope: "duplicates",
  },
  {
    rule: "a proposal is served in the term in which it was sent",
    file: "src/raft/proposals.ts",
    from: 'message.term === raft.hardState.currentTerm ? whyNot(raft, message.commands) : "notLeader"',
    to: "whyNot(raft, message.commands)",
    scope: "duplicates",
  },
  // ---- membership ----
  {
    rule: "no change before the leader has committed in its term (diss. §4.1)",
    file: "src/raft/membership.ts",
    from: 'if (raft.commitIndex < raft.role.termStartIndex) return "notReady";',
    to: "",
    scope: "membership",
  },
  {
    rule: "one change is open at a time (§6)",
    file: "src/raft/membership.ts",
    from: 'if (isJoint(configuration) || index > raft.commitIndex) return "changeOpen";',
    to: 'if (isJoint(configuration)) return "changeOpen";',
    scope: "membership",
  },
  {
    rule: "a joint configuration is left once it is committed, not before (§6)",
    file: "src/raft/membership.ts",
    from: "if (isJoint(configuration) && index <= raft.commitIndex) appendConfiguration(",
    to: "if (isJoint(configuration) && index > 0) appendConfiguration(",
    scope: "membership",
  },
  {
    rule: "a joint configuration is left (§6)",
    file: "src/raft/step.ts",
    from: "  leaveJointWhenCommitted(raft, out);\n",
    to: "",
  },
  {
    rule: "voters change through a joint configuration (§6)",
    file: "src/raft/membership.ts",
    from: "sameIds(current.voters, next.voters) ? next : jointConfiguration(current, next)",
    to: "sameIds(current.voters, next.voters) || next ? next : jointConfiguration(current, next)",
    scope: "membership",
  },
  {
    rule: "a configuration that is truncated is not in force any more (§6)",
    file: "src/raft/log.ts",
    from: "while (configurationInForce(log).index >= index) log.configurations.pop();",
    to: "",
    scope: "membership",
  },
  {
    rule: "a leader without a part in the committed configuration retires (§6)",
    file: "src/raft/membership.ts",
    from: "if (!isVoter(configuration, raft.id)) becomeFollower(raft, out, raft.hardState.currentTerm, null);",
    to: "",
  },
  // ---- reads and transfer ----
  {
    rule: "a read waits for its round (diss. §6.4)",
    file: "src/raft/reads.ts",
    from: "if (!roundIsConfirmed(raft, role)) return;",
    to: "",
    scope: "reads",
  },
  {
    rule: "no read before the first commit of the term (§8)",
    file: "src/raft/reads.ts",
    from: 'else if (raft.commitIndex < role.termStartIndex) answer(raft, out, pending, 0, "notReady");',
    to: "",
    scope: "reads",
  },
  {
    rule: "an answer to an earlier heartbeat confirms no later round",
    file: "src/raft/replication.ts",
    from: "progress.ackedRound = Math.max(progress.ackedRound, Math.min(message.round, raft.role.round));",
    to: "progress.ackedRound = raft.role.round;",
    scope: "reads",
  },
  {
    rule: "a transfer waits until its target has all of the log (diss. §3.10)",
    file: "src/raft/transfer.ts",
    from: "if (progress.get(transfer.to)?.matchIndex !== lastIndex(raft.log)) return;",
    to: "",
    scope: "transfer",
  },
  // ---- snapshots ----
  {
    rule: "a snapshot is taken of what is durable here (§7)",
    file: "src/raft/snapshots.ts",
    from: "if (!isNewer || raft.snapshotBeingWritten || index > raft.log.durableIndex) return;",
    to: "if (!isNewer || raft.snapshotBeingWritten) return;",
    scope: "snapshots on slow disks",
  },
  {
    rule: "an installed snapshot drops a log that does not lead to it (Figure 13)",
    file: "src/raft/snapshots.ts",
    from: "if (termAt(raft.log, index) === term) return advanceCommit(raft, out, index);",
    to: "if (termAt(raft.log, index) !== null) return advanceCommit(raft, out, index);",
    scope: "snapshots",
  },
  {
    rule: "an installed snapshot is acknowledged once it is durable",
    file: "src/raft/log.ts",
    from: "  log.durableIndex = 0;\n",
    to: "  log.durableIndex = index;\n",
    scope: "snapshots",
  },
  {
    rule: "a snapshot that was damaged on its way is not installed",
    file: "src/raft/snapshots.ts",
    from: "if (crc32c(incoming.data) !== meta.checksum) return;",
    to: "",
  },
  // ---- the driver ----
  {
    rule: "the gate counts each change of hard state",
    file: "src/driver/write-queue.ts",
    from: "if (update.hardState) this.#lastHardState = update.write;",
    to: "",
  },
  {
    rule: "a message waits for the hard state before it",
    file: "src/driver/write-queue.ts",
    from: "if (after > this.#durable || this.#failed) break;",
    to: "if (this.#failed) break;",
  },
  {
    rule: "the first failed write fences every later one",
    file: "src/driver/write-queue.ts",
    from: "    this.#failed = true;\n",
    to: "",
  },
  {
    rule: "a truncation reaches into the write that waits",
    file: "src/driver/write-queue.ts",
    from: "folded.entries = folded.entries.filter((entry) => entry.index < from);",
    to: "",
  },
  {
    rule: "a repeated command of a session is not applied again (diss. §6.3)",
    file: "src/driver/applier.ts",
    from: 'if (verdict.kind !== "new") return;',
    to: 'if (verdict.kind === "expired") return;',
  },
  {
    rule: "a snapshot holds the sessions (diss. §6.3)",
    file: "src/driver/applier.ts",
    from: "this.#sessions.write(writer, (response) => this.#machine.encodeResponse(response));",
    to: "new SessionTable<Response>().write(writer, (response) => this.#machine.encodeResponse(response));",
  },
  {
    rule: "a response is kept until its client has it (diss. §6.3)",
    file: "src/driver/session-table.ts",
    from: "session.openFrom = openFrom;",
    to: "session.openFrom = serial;",
  },
  {
    rule: "a proposal whose entry was overwritten is not told as done",
    file: "src/driver/desk.ts",
    from: "if (term !== request.term) return this.#again(request);",
    to: "",
  },
];

/** @type {readonly Mutation[]} */
export const CONTROLS = [
  {
    rule: "control: half of a number, by a shift",
    file: "src/raft/quorum.ts",
    from: "const needed = Math.floor(voters.length / 2) + 1;",
    to: "const needed = (voters.length >> 1) + 1;",
  },
  {
    rule: "control: the lesser of two, the other way round",
    file: "src/raft/follower.ts",
    from: "Math.min(raft.log.durableIndex, role.verifiedIndex)",
    to: "Math.min(role.verifiedIndex, raft.log.durableIndex)",
  },
  {
    rule: "control: a comparison, the other way round",
    file: "src/raft/log.ts",
    from: "if (otherLastTerm !== lastTerm(log))",
    to: "if (lastTerm(log) !== otherLastTerm)",
  },
  {
    rule: "control: one more round is remembered",
    file: "src/raft/reads.ts",
    from: "const roundsKept = 64;",
    to: "const roundsKept = 65;",
  },
  {
    rule: "control: the last of a list, by its index",
    file: "src/driver/write-queue.ts",
    from: "this.#queued.at(-1)",
    to: "this.#queued[this.#queued.length - 1]",
  },
  {
    rule: "control: the greater of two, the other way round",
    file: "src/raft/progress.ts",
    from: "progress.nextIndex = Math.max(nextIndex, progress.matchIndex + 1);",
    to: "progress.nextIndex = Math.max(progress.matchIndex + 1, nextIndex);",
  },
];
