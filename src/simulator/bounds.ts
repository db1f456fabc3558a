/** Nothing that a node collects grows for ever: what waits, what is remembered, what is on its way. */
import type { RaftState } from "../raft/mod.ts";
import type { Millis, NodeId } from "../raft/types.ts";
import { LawBroken, law } from "./law.ts";

/** As the driver promises: requests of one node that wait. */
const requestsMax = 10_000;
/** Forwarded requests of each node that a leader remembers. */
const rememberedMax = 1024;
const roundsMax = 64;

/** After every step: some comparisons. */
export function checkBounds(core: Readonly<RaftState>): void {
  const { id, role, forwarded, config } = core;
  atMost(id, forwarded.size, requestsMax, "forwarded requests");
  if (role.kind !== "leader") return;
  atMost(id, role.readsInRound.length + role.readsWaiting.length, requestsMax, "reads that wait");
  atMost(id, role.roundsBegun.length, roundsMax, "rounds in mind");
  atMost(id, role.uncommittedBytes, config.maxUncommittedBytes, "uncommitted bytes");
  for (const seen of role.requestsSeen.values()) atMost(id, seen.size, rememberedMax, "forwarded requests in mind");
  for (const { inflight } of role.progress.values())
    atMost(id, inflight.length, config.maxInflightMessages, "messages in flight");
}

function atMost(id: NodeId, count: number, most: number, what: string): void {
  if (count > most) throw new LawBroken("Bounded queues", `${id} has ${count} ${what}, more than ${most}`);
}

/** Messages of a second of the world, at most so many for each pair of nodes: a storm would grow without end. */
const messagesOfPairMax = 2000;

export class MessageRate {
  #second = 0;
  #count = 0;

  sent(now: Millis, nodes: number): void {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    const most = messagesOfPairMax * nodes * nodes;
    law(++this.#count <= most, "Bounded queues", () => `more than ${most} messages within second ${second}`);
  }
}
