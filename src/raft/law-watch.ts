/**
 * The laws of laws.ts for whoever looks after every step of one record: what the step cannot have touched is not looked at again, so that a
 * look costs what has changed.
 */
import {
  checkConfigurations,
  checkCounts,
  checkHardState,
  checkIndexes,
  checkKept,
  checkLog,
  checkNewRole,
  checkRole,
  checkState,
  checkTerm,
  renew,
  type Summary,
  summarize,
} from "./laws.ts";
import type { ConfigurationAt } from "./log.ts";
import type { RaftState, Role } from "./state.ts";
import type { Entry } from "./types.ts";

export class LawWatch {
  readonly #raft: RaftState;
  /** As the latest look found it, like everything below. */
  readonly #before: Summary;
  #entries: readonly Entry[] = [];
  #length = 0;
  #configurations: readonly ConfigurationAt[] = [];
  #configurationsLength = 0;
  #inForce: ConfigurationAt | undefined;
  #role: Role;
  #fed = 0;

  /** @throws AssertionFailed, naming the law that the record breaks as it is */
  constructor(raft: RaftState) {
    checkState(raft);
    this.#raft = raft;
    this.#role = raft.role;
    this.#before = summarize(raft);
    this.#remember();
  }

  /**
   * To be called after every step of the record.
   * @throws AssertionFailed, naming the law that is broken
   */
  stepped(): void {
    const raft = this.#raft;
    const before = this.#before;
    checkCounts(before, raft);
    checkIndexes(raft);
    const isConfiguredAnew = this.#isConfiguredAnew();
    if (this.#hasOnlyGrown() && !isConfiguredAnew) checkLog(raft, this.#length);
    else checkLog(raft);
    checkKept(before, raft);
    checkTerm(before, raft);
    checkNewRole(before, raft);
    if (isConfiguredAnew) checkConfigurations(raft);
    checkHardState(raft);
    checkRole(raft, isConfiguredAnew || this.#isFedAnew());
    renew(before, raft);
    this.#remember();
  }

  #hasOnlyGrown(): boolean {
    const { entries } = this.#raft.log;
    if (entries !== this.#entries || entries.length < this.#length) return false;
    return this.#length === 0 || entries[this.#length - 1] === this.#before.last;
  }

  #isConfiguredAnew(): boolean {
    const { configurations } = this.#raft.log;
    return (
      configurations !== this.#configurations ||
      configurations.length !== this.#configurationsLength ||
      configurations[configurations.length - 1] !== this.#inForce
    );
  }

  #isFedAnew(): boolean {
    const { role } = this.#raft;
    return role.kind === "leader" && (role !== this.#role || role.progress.size !== this.#fed);
  }

  #remember(): void {
    const { log, role } = this.#raft;
    this.#entries = log.entries;
    this.#length = log.entries.length;
    this.#configurations = log.configurations;
    this.#configurationsLength = log.configurations.length;
    this.#inForce = log.configurations[log.configurations.length - 1];
    this.#role = role;
    this.#fed = role.kind === "leader" ? role.progress.size : 0;
  }
}
