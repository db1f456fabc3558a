/** One seed over and over, with one more crash in each run: before each of its writes and messages in turn, so that none is passed over. */
import { LawBroken } from "./law.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

export interface EffectFailure {
  readonly effect: number;
  readonly keepsWrite: boolean;
  readonly law: string;
  readonly message: string;
}

export interface EffectsVerdict {
  /** Of the run without the crash. */
  readonly effects: number;
  /** Two for each effect: the write that was under way becomes durable, or does not. */
  readonly runs: number;
  readonly failures: readonly EffectFailure[];
}

/** @throws LawBroken if the run breaks a law without the crash */
export function crashAtEachEffect(options: Omit<SimulationOptions, "crash" | "onStep">): EffectsVerdict {
  const { effects } = new Simulation(options).run();
  const failures: EffectFailure[] = [];
  for (let effect = 1; effect <= effects; effect++)
    for (const keepsWrite of [true, false]) {
      try {
        new Simulation({ ...options, crash: { effect, keepsWrite } }).run();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ effect, keepsWrite, law: error instanceof LawBroken ? error.law : "No throw", message });
      }
    }
  return { effects, runs: 2 * effects, failures };
}
