/** The faults of the disk, for `window.tabraft.faults`. */
import type { Room } from "./room.ts";

export interface DiskFaults {
  /** Every write of this tab's node waits so long before it begins, in milliseconds; 0 undoes it, and so does `heal`. */
  slowDisk(ms: number): Promise<null>;
  /** The next write of this tab's node fails as if the connection to the disk were lost: the node stops. `restart` starts it again. */
  failDisk(): Promise<null>;
  /** Starts the node again after it has stopped, from what it has on disk. */
  restart(): void;
}

const DELAY_MS_MAX = 60_000;

/** @param restart throws if the node runs */
export function diskFaults(room: () => Room, restart: () => void): DiskFaults {
  return {
    slowDisk: async (ms) => {
      if (!Number.isFinite(ms) || ms < 0 || ms > DELAY_MS_MAX)
        throw new RangeError(`slowDisk takes 0 to ${DELAY_MS_MAX} milliseconds, not ${ms}`);
      return room().request<"slowDisk">({ kind: "slowDisk", ms });
    },
    failDisk: async () => room().request<"failDisk">({ kind: "failDisk" }),
    restart,
  };
}
