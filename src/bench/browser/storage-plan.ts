/** What the two sides of the storage bench say to each other. */
import type { Durability } from "../../storage/indexeddb-storage.ts";

export const ENTRY_BYTES = 256;

export interface WritePlan {
  readonly durability: Durability;
  /** Entries in one write. */
  readonly batch: number;
  /** In one round of either arm, at least 1. */
  readonly writes: number;
  readonly rounds: number;
}

/** Milliseconds of each write, by round. */
export interface WriteTimes {
  readonly storage: readonly (readonly number[])[];
  readonly floor: readonly (readonly number[])[];
}
