import { describe, expect, test } from "vitest";
import { createConfig, InvalidConfig, type RaftConfig } from "./config.ts";

const defaults = createConfig();

function failure(options: object): InvalidConfig | null {
  try {
    createConfig(options as Partial<RaftConfig>);
    return null;
  } catch (error) {
    return error instanceof InvalidConfig ? error : null;
  }
}

/** Least and most of each number, as documented. Kept apart from the code's own table on purpose. */
const ranges: { readonly [field: string]: readonly [number, number] } = {
  electionTimeoutMinMs: [10, 600_000],
  electionTimeoutMaxMs: [10, 600_000],
  heartbeatMs: [1, 60_000],
  maxBatchBytes: [1, 67_108_864],
  maxInflightMessages: [1, 65_536],
  maxInflightBytes: [1, 1_073_741_824],
  maxUncommittedBytes: [1, 1_073_741_824],
  maxCommandBytes: [1, 67_108_864],
  snapshotEveryEntries: [0, Number.MAX_SAFE_INTEGER],
  snapshotEveryBytes: [0, Number.MAX_SAFE_INTEGER],
  keptEntries: [0, Number.MAX_SAFE_INTEGER],
  snapshotChunkBytes: [1, 4_194_304],
  maxSnapshotBytes: [1, 4_294_967_296],
  maxSessions: [1, 1_000_000],
  sessionExpiryMs: [60_000, Number.MAX_SAFE_INTEGER],
  metricsRateMs: [10, 3_600_000],
};
const switches = ["preVote", "checkQuorum", "leaseReads"];

test("every field is in one of the two tables", () => {
  expect([...Object.keys(ranges), ...switches].sort()).toEqual(Object.keys(defaults).sort());
});

test("the defaults are sound, and as promised", () => {
  expect(defaults).toMatchObject({ heartbeatMs: 100, electionTimeoutMinMs: 500, electionTimeoutMaxMs: 1000, leaseReads: false });
  expect(defaults.sessionExpiryMs).toBeGreaterThanOrEqual(7 * 24 * 3600 * 1000);
  expect(defaults.maxSessions).toBe(10_000);
  expect(defaults.preVote && defaults.checkQuorum).toBe(true);
});

test.each(Object.keys(ranges))("%s: an error names the field, its value and the rule", (field) => {
  const [least, most] = ranges[field] ?? [0, 0];
  for (const value of [least - 1, least + 0.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null, true]) {
    const error = failure({ [field]: value });
    expect(error, `${field} = ${value}`).toMatchObject({ field, value });
    expect(error?.message).toBe(`${field} is ${value}; it must be a whole number from ${least} to ${most}`);
  }
  if (most < Number.MAX_SAFE_INTEGER) expect(failure({ [field]: most + 1 })?.field).toBe(field);
});

const alone = Object.keys(ranges).filter(
  (field) => !["electionTimeoutMinMs", "electionTimeoutMaxMs", "heartbeatMs"].includes(field),
);
test.each(alone)("%s: both ends of its range are allowed", (field) => {
  for (const value of ranges[field] ?? []) expect(createConfig({ [field]: value })).toMatchObject({ [field]: value });
});

test.each(switches)("%s is true or false and nothing else", (field) => {
  for (const value of [0, 1, "true", null, undefined])
    expect(failure({ [field]: value })?.message).toBe(`${field} is ${value}; it must be true or false`);
});

test("an unknown field is named", () => {
  expect(failure({ heartbeat: 5 })).toMatchObject({
    field: "heartbeat",
    message: expect.stringContaining("one of the known fields"),
  });
});

describe("relations", () => {
  test.each([
    [500, 500],
    [500, 400],
  ])("electionTimeoutMaxMs must be more than electionTimeoutMinMs (%i, %i)", (electionTimeoutMinMs, electionTimeoutMaxMs) => {
    const error = failure({ electionTimeoutMinMs, electionTimeoutMaxMs });
    expect(error).toMatchObject({ field: "electionTimeoutMaxMs", value: electionTimeoutMaxMs });
    expect(error?.message).toContain(`more than electionTimeoutMinMs (${electionTimeoutMinMs})`);
  });

  test("heartbeatMs must be at most half of electionTimeoutMinMs", () => {
    expect(failure({ heartbeatMs: 251 })).toMatchObject({ field: "heartbeatMs", value: 251 });
    expect(createConfig({ heartbeatMs: 250 }).heartbeatMs).toBe(250);
  });

  test("lease reads need CheckQuorum", () => {
    expect(failure({ leaseReads: true, checkQuorum: false })?.field).toBe("leaseReads");
    expect(createConfig({ leaseReads: true }).leaseReads).toBe(true);
  });
});
