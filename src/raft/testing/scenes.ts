/** Where many tests begin: a cluster whose first node leads or campaigns, or one follower alone. */
import type { Message, NodeId, Term, Update } from "../types.ts";
import { Cluster } from "./cluster.ts";
import { stored } from "./messages.ts";

export const three = ["n1", "n2", "n3"];
export const five = ["n1", "n2", "n3", "n4", "n5"];

export function receive(made: Cluster, message: Message): Update {
  return made.step(message.to, { kind: "receive", message });
}

/** n1 leads term 2, everything up to its blank entry at 2 is committed. */
export function elected(voters: readonly NodeId[] = three, learners: readonly NodeId[] = [], preVote = false): Cluster {
  const made = new Cluster({ preVote });
  made.addVoters(voters, learners);
  made.elect("n1");
  return made;
}

export function campaigning(voters: readonly NodeId[], learners: readonly NodeId[] = []): Cluster {
  const made = new Cluster({ preVote: false });
  made.addVoters(voters, learners);
  made.timeout("n1");
  made.take();
  return made;
}

export function follower(log: readonly Term[], commit = 0): Cluster {
  const made = new Cluster({ preVote: false });
  made.add("n2", stored({ term: 9, log, voters: three, commit }));
  return made;
}

export function roleOf(made: Cluster, id: NodeId): string {
  return made.core(id).role.kind;
}
