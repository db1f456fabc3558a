/** What can be set, checked once at the start: an error names the field, its value and the rule. */

export interface RaftConfig {
  /** Milliseconds; the shortest silence after which a voter may campaign, and how long it stays loyal to a leader that it heard. */
  readonly electionTimeoutMinMs: number;
  /** Milliseconds; each campaign draws its timeout anew from [min, max] (§5.2). */
  readonly electionTimeoutMaxMs: number;
  /** Milliseconds between a leader's heartbeats. */
  readonly heartbeatMs: number;
  /** Most bytes of commands in one AppendEntries; a single larger command still travels alone. */
  readonly maxBatchBytes: number;
  /** Most unacknowledged AppendEntries with entries to one follower. */
  readonly maxInflightMessages: number;
  /** Most unacknowledged bytes of commands to one follower. */
  readonly maxInflightBytes: number;
  /** Most bytes of commands that a leader holds uncommitted; beyond, proposals are refused as `overloaded`. */
  readonly maxUncommittedBytes: number;
  /** Most bytes of one command. */
  readonly maxCommandBytes: number;
  /** Diss. §9.6. */
  readonly preVote: boolean;
  /** Diss. §6.2: a leader that hears no quorum for an election timeout steps down; voters are loyal to a leader that they hear. */
  readonly checkQuorum: boolean;
  /**
   * Diss. §6.4.1: a leader answers reads without a round of heartbeats while its last confirmed one is young. Rests on clocks that run alike:
   * a device that sleeps may stop its clock, and then serve an old answer once. Off by default.
   */
  readonly leaseReads: boolean;
  /** §7: take a snapshot after so many applied entries; 0: never for this reason. */
  readonly snapshotEveryEntries: number;
  /** ... or after so many bytes of log; 0: never for this reason. */
  readonly snapshotEveryBytes: number;
  /** How many entries before a snapshot stay in the log for slow followers. */
  readonly keptEntries: number;
  /** Bytes of one chunk of a snapshot under way. */
  readonly snapshotChunkBytes: number;
  /** A larger snapshot is not accepted, and its refusals are counted in the metrics: a node that needs it cannot follow. */
  readonly maxSnapshotBytes: number;
  /** Diss. §6.3: most client sessions; beyond, the least recently used ends. */
  readonly maxSessions: number;
  /** Diss. §6.3: milliseconds of log time after which an unused session ends. */
  readonly sessionExpiryMs: number;
  /** Milliseconds between two metrics records when nothing changes. */
  readonly metricsRateMs: number;
}

const defaults: RaftConfig = {
  electionTimeoutMinMs: 500,
  electionTimeoutMaxMs: 1000,
  heartbeatMs: 100,
  maxBatchBytes: 256 * 1024,
  maxInflightMessages: 64,
  maxInflightBytes: 1024 * 1024,
  maxUncommittedBytes: 16 * 1024 * 1024,
  maxCommandBytes: 2 * 1024 * 1024,
  preVote: true,
  checkQuorum: true,
  leaseReads: false,
  snapshotEveryEntries: 10_000,
  snapshotEveryBytes: 8 * 1024 * 1024,
  keptEntries: 1000,
  snapshotChunkBytes: 64 * 1024,
  maxSnapshotBytes: 256 * 1024 * 1024,
  maxSessions: 10_000,
  sessionExpiryMs: 7 * 24 * 3600 * 1000,
  metricsRateMs: 5000,
};

/** A setting that cannot be. */
export class InvalidConfig extends Error {
  override readonly name = "InvalidConfig";
  constructor(
    readonly field: string,
    readonly value: unknown,
    rule: string,
  ) {
    super(`${field} is ${String(value)}; it must be ${rule}`);
  }
}

const ranges: { readonly [field in keyof RaftConfig]?: readonly [least: number, most: number] } = {
  electionTimeoutMinMs: [10, 600_000],
  electionTimeoutMaxMs: [10, 600_000],
  heartbeatMs: [1, 60_000],
  maxBatchBytes: [1, 64 * 1024 * 1024],
  maxInflightMessages: [1, 65_536],
  maxInflightBytes: [1, 1024 * 1024 * 1024],
  maxUncommittedBytes: [1, 1024 * 1024 * 1024],
  maxCommandBytes: [1, 64 * 1024 * 1024],
  snapshotEveryEntries: [0, Number.MAX_SAFE_INTEGER],
  snapshotEveryBytes: [0, Number.MAX_SAFE_INTEGER],
  keptEntries: [0, Number.MAX_SAFE_INTEGER],
  snapshotChunkBytes: [1, 4 * 1024 * 1024],
  maxSnapshotBytes: [1, 2 ** 32],
  maxSessions: [1, 1_000_000],
  sessionExpiryMs: [60_000, Number.MAX_SAFE_INTEGER],
  metricsRateMs: [10, 3_600_000],
};

/** @throws InvalidConfig */
export function createConfig(options: Partial<RaftConfig> = {}): RaftConfig {
  for (const field of Object.keys(options))
    if (!(field in defaults)) throw new InvalidConfig(field, "set", "one of the known fields");
  const config = { ...defaults, ...options };
  for (const [field, value] of Object.entries(config)) checkField(field as keyof RaftConfig, value);
  if (config.electionTimeoutMaxMs <= config.electionTimeoutMinMs)
    throw new InvalidConfig(
      "electionTimeoutMaxMs",
      config.electionTimeoutMaxMs,
      `more than electionTimeoutMinMs (${config.electionTimeoutMinMs})`,
    );
  if (config.heartbeatMs * 2 > config.electionTimeoutMinMs)
    throw new InvalidConfig(
      "heartbeatMs",
      config.heartbeatMs,
      `at most half of electionTimeoutMinMs (${config.electionTimeoutMinMs})`,
    );
  if (config.leaseReads && !config.checkQuorum)
    throw new InvalidConfig("leaseReads", true, "false while checkQuorum is off: without loyalty there is no lease");
  return config;
}

function checkField(field: keyof RaftConfig, value: number | boolean): void {
  const range = ranges[field];
  if (!range) {
    if (typeof value !== "boolean") throw new InvalidConfig(field, value, "true or false");
    return;
  }
  const [least, most] = range;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
    throw new InvalidConfig(field, value, `a whole number from ${least} to ${most}`);
}
