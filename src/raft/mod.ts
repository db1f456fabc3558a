/** The core's door: what the other rooms may use of it. */
export { AssertionFailed, assert } from "./assert.ts";
export { createConfig, InvalidConfig, type RaftConfig } from "./config.ts";
export { createConfiguration, emptyConfiguration, isJoint, isVoter, members } from "./configuration.ts";
export { crc32c } from "./crc32c.ts";
export { survivor } from "./generation.ts";
export { configurationInForce, firstIndex, lastIndex, lastTerm, slice, termAt } from "./log.ts";
export { createRandom, nextBelow, nextUint32, type Random } from "./random.ts";
export {
  configurationOf,
  createRaft,
  deadlineOf,
  isSelfVoter,
  leaderOf,
  pristineHardState,
  type RaftState,
  type RefusedSnapshot,
  roleNameOf,
} from "./state.ts";
export { step } from "./step.ts";
