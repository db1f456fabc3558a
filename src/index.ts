/** The library's door: the core, the driver with its interfaces, the parts in memory, the contract suites and the simulator. */
export { type AutopilotLimits, defaultLimits, type Health } from "./autopilot/health.ts";
export { type AutopilotInput, type Decision, decide } from "./autopilot/policy.ts";
export { createStability, look, type Stability, stabilityOf } from "./autopilot/stability.ts";
export * from "./driver/errors.ts";
export * from "./driver/interfaces.ts";
export type { RaftMetrics } from "./driver/metrics.ts";
export { type Proposed, type ProposeOptions, Raft, type RaftOptions, type WaitOptions } from "./driver/raft.ts";
export { networkContract } from "./network/contract.ts";
export { MemoryHub } from "./network/memory-network.ts";
export * from "./raft/mod.ts";
export type * from "./raft/types.ts";
export { LawBroken, type LawName, lawNames } from "./simulator/law.ts";
export { Simulation, type SimulationOptions, type SimulationResult } from "./simulator/simulation.ts";
export type { Plan } from "./simulator/swarm.ts";
export type { Chance, Settlement, Wish, Workload } from "./simulator/workloads.ts";
export { storageContract } from "./storage/contract.ts";
export { IndexedDbStorage } from "./storage/indexeddb-storage.ts";
export { MemoryDisk, MemoryStorage } from "./storage/memory-storage.ts";
