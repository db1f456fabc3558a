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
