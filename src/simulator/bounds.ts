/** Nothing that a node collects grows for ever: what waits, what is remembered, what is on its way. */
import type { RaftState } from "../raft/mod.ts";
import type { Millis } from "../raft/types.ts";
import { law } from "./law.ts";

/** As the driver promises: requests of one node that wait. */
const requestsMax = 10_000;
/** Forwarded requests of each node that a leader remembers. */
const rememberedMax = 1024;
const roundsMax = 64;

export function checkBounds(core: Readonly<RaftState>): void {
  const { id, role, forwarded, config } = core;
  const within = (count: number, most: number, what: string): void =>
    law(count <= most, "Bounded queues", () => `${id} has ${count} ${what}, more than ${most}`);
  within(forwarded.size, requestsMax, "forwarded requests");
  if (role.kind !== "leader") return;
  within(role.readsInRound.length + role.readsWaiting.length, requestsMax, "reads that wait");
  within(role.roundsBegun.length, roundsMax, "rounds in mind");
  within(role.uncommittedBytes, config.maxUncommittedBytes, "uncommitted bytes");
  for (const seen of role.requestsSeen.values()) within(seen.size, rememberedMax, "forwarded requests in mind");
  for (const { inflight } of role.progress.values()) within(inflight.length, config.maxInflightMessages, "messages in flight");
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
