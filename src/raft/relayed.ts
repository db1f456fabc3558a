/** What a relay knows of one learner that it feeds. */
import type { Progress } from "./progress.ts";
import type { Millis } from "./types.ts";

export interface Relayed {
  readonly progress: Progress;
  /** Unless it asks again. */
  expiresAt: Millis;
  sentAt: Millis;
}
