/** Changes by hand, beside the autopilot: carried out unless they could do harm, and then the person is told why. Pure. */
import type { NodeId } from "../raft/types.ts";
import { type AutopilotLimits, defaultLimits, type Health, isCaughtUp, isLiving } from "./health.ts";
import { type AutopilotInput, type Change, spare } from "./policy.ts";

export type ManualVerb = "add" | "remove" | "promote" | "demote";

export interface ManualChange {
  readonly verb: ManualVerb;
  readonly id: NodeId;
}

/** `refusal`: a whole sentence. */
export type Verdict = { readonly change: Change } | { readonly refusal: string };

/** To be asked on the leader: of others' logs nobody else knows enough. */
export function judge({ verb, id }: ManualChange, input: AutopilotInput, limits: AutopilotLimits = defaultLimits): Verdict {
  const { configuration, nodes, self, nameOf = String } = input;
  const name = nameOf(id);
  const { voters, learners } = configuration;
  const [isVoter, isLearner] = [voters.includes(id), learners.includes(id)];
  const node = nodes.find((one) => one.id === id);
  const others = { voters: voters.filter((one) => one !== id), learners: learners.filter((one) => one !== id) };
  if (verb === "add") {
    if (isVoter || isLearner) return refuse(`${name} is a member already.`);
    if (!isLiving(node)) return refuse(`No tab of this document answers to ${name}: it could not be given the text.`);
    return { change: { voters, learners: [...learners, id] } };
  }
  if (!isVoter && !isLearner) return refuse(`${name} is no member.`);
  if (verb === "promote") {
    const why = isVoter ? `${name} votes already.` : whyNotPromote(name, node, input, limits);
    return why === null ? checked({ voters: [...voters, id], learners: others.learners }, input) : refuse(why);
  }
  if (verb === "demote" && !isVoter) return refuse(`${name} has no vote to lose.`);
  if (id === self) return refuse(`${name} leads: hand its office over first.`);
  if (isVoter && others.voters.length === 0) return refuse(`${name} is the only voter: without it nothing could be committed.`);
  const kept = verb === "demote" ? [...others.learners, id] : others.learners;
  return checked({ voters: others.voters, learners: kept }, input);
}

function whyNotPromote(name: string, node: Health | undefined, input: AutopilotInput, limits: AutopilotLimits): string | null {
  if (!node?.connected) return `${name} does not answer: as a voter it could only be missed.`;
  if (!node.storageOk) return `The storage of ${name} failed: it can confirm nothing.`;
  if (!isCaughtUp(node, input.commitIndex, limits))
    return `${name} has not caught up with the log yet: a majority might have to wait for it.`;
  return null;
}

/** No step that the living voters could not make, or after which a majority would not live. */
function checked(change: Change, { configuration, nodes }: AutopilotInput): Verdict {
  const living = change.voters.filter((id) => isLiving(nodes.find((node) => node.id === id))).length;
  if (spare(configuration.voters, nodes) < 0) return refuse("Too few voters answer: nothing can be changed until they are back.");
  if (spare(change.voters, nodes) < 0)
    return refuse(
      `Then only ${living} of ${change.voters.length} voters would answer, which is no majority: nothing could be committed.`,
    );
  return { change };
}

/** Why the office cannot go to `to`, or to anybody; `null`: it can. */
export function whyNotTransfer(to: NodeId | null, input: AutopilotInput, limits: AutopilotLimits = defaultLimits): string | null {
  const { configuration, nodes, self, commitIndex, nameOf = String } = input;
  if (to === self) return `${nameOf(self)} leads already.`;
  const canLead = (id: NodeId): boolean => {
    const node = nodes.find((one) => one.id === id);
    return node !== undefined && isLiving(node) && isCaughtUp(node, commitIndex, limits);
  };
  if (to === null)
    return configuration.voters.some((id) => id !== self && canLead(id)) ? null : "No other voter is there that could lead.";
  if (!configuration.voters.includes(to)) return `${nameOf(to)} has no vote: only a voter can lead.`;
  return canLead(to) ? null : `${nameOf(to)} does not answer, or lags behind: nobody would lead until it had caught up.`;
}

function refuse(refusal: string): Verdict {
  return { refusal };
}
