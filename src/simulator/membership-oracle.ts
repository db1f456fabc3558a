/**
 * Whether a majority that was lost could have been kept. The oracle knows what no node can: when each tab came, went and would come back. What the
 * rules allow a leader to take its time for is not held against it; everything else is.
 */
import { defaultLimits } from "../autopilot/health.ts";
import type { Configuration, Millis, NodeId } from "../raft/types.ts";

/** One tab, as it really was. */
export interface TabStory {
  readonly id: NodeId;
  readonly device: string;
  readonly bornAt: Millis;
  /** When it was last away for a moment and came back; `-Infinity`: never. */
  lastBreakAt: Millis;
  /** `null`: it is there, or will be back from a reload. */
  diedAt: Millis | null;
  /** Somebody tells that it has gone. */
  told: boolean;
}

export interface Loss {
  readonly at: Millis;
  /** The configuration that has no majority any more. */
  readonly configuration: Configuration;
  /** Since when the last leader had led. */
  readonly leaderSince: Millis;
  readonly tabs: readonly TabStory[];
}

/** Two turns of the autopilot, two entries through a majority, and an election in between. */
const turnsMs: Millis = 3000;
/** A learner is fed, promoted in two entries; then the next two are. */
const growthMs: Millis = 8000;
/** So long after a break a tab may rightly be distrusted. */
const distrustMs: Millis = 150_000;

/** `null`: no rule could have helped. Otherwise which one was not kept, in words. */
export function whyAvoidable(loss: Loss): string | null {
  return keptTheDead(loss) ?? keptTooFew(loss);
}

/** A voter that had been dead for longer than the rules wait. */
function keptTheDead({ at, configuration, leaderSince, tabs }: Loss): string | null {
  for (const { id, diedAt, told } of tabs) {
    if (diedAt === null || !configuration.voters.includes(id)) continue;
    const patience = (told ? defaultLimits.reloadMs : defaultLimits.goneAfterMs) + turnsMs;
    const waited = at - Math.max(diedAt, leaderSince);
    if (waited > patience) return `${id} had been dead for ${at - diedAt} ms and was still a voter`;
  }
  return null;
}

/** Steady tabs that were there just before, of which better voters could have been made long ago. */
function keptTooFew({ at, configuration, leaderSince, tabs }: Loss): string | null {
  const neededMs = defaultLimits.settledAfterMs + growthMs;
  if (at - leaderSince < neededMs) return null;
  const steady = tabs.filter(({ bornAt, diedAt, lastBreakAt }) => {
    const wasThere = diedAt === null || diedAt > at - turnsMs;
    return wasThere && at - bornAt > neededMs && at - lastBreakAt > distrustMs;
  });
  const dying = steady.filter(({ diedAt }) => diedAt !== null);
  const { voters } = configuration;
  const [first] = dying;
  // The policy cannot know who dies: more voters would have helped only if some majority of any of them survives, and it held too few.
  const most = Math.min(defaultLimits.maxVoters, steady.length);
  const size = most % 2 === 1 ? most : most - 1;
  const isSpreadAway = voters.length < size && mayLoseDevice(voters, tabs);
  if (voters.length < size && !isSpreadAway && dying.length * 2 < size)
    return `${voters.length} voters, though ${steady.length} tabs were steady`;
  // One browser took the majority with it, although the steady tabs could have been voters that stand this.
  if (!first || mayLoseDevice(voters, tabs) || !dying.every(({ device }) => device === first.device)) return null;
  const better = oddSets(steady).find((set) => mayLoseDevice(set, tabs));
  return better ? `${first.device} took the majority with it, which ${better.join(" ")} would have outlived` : null;
}

/** Whether a majority is left whichever device vanishes. */
function mayLoseDevice(voters: readonly NodeId[], tabs: readonly TabStory[]): boolean {
  const devices = voters.map((id) => tabs.find((tab) => tab.id === id)?.device);
  return devices.every((device) => devices.filter((other) => other === device).length * 2 < voters.length);
}

function oddSets(tabs: readonly TabStory[]): readonly (readonly NodeId[])[] {
  let sets: (readonly NodeId[])[] = [[]];
  for (const { id } of tabs)
    sets = [...sets, ...sets.filter(({ length }) => length < defaultLimits.maxVoters).map((set) => [...set, id])];
  return sets.filter(({ length }) => length % 2 === 1);
}
