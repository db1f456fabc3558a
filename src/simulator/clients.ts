/** Clients at every node: they propose and read, and remember what they were told. */
import type { Proposed, ProposeOptions } from "../driver/raft.ts";
import type { Cluster } from "./cluster.ts";
import type { Host } from "./host.ts";
import { LawBroken } from "./law.ts";
import type { Wish } from "./workloads.ts";

const timeoutMs = 5000;
/** What a client may meet. Anything else is a defect. */
const knownErrors = ["NoQuorum", "Timeout", "Stopped", "Overloaded", "SessionExpired", "NotLeader", "Aborted", "CommandRejected"];

export class Clients<Command, Response> {
  reads = 0;
  #number = 0;
  readonly #cluster: Cluster<Command, Response>;

  constructor(cluster: Cluster<Command, Response>) {
    this.#cluster = cluster;
  }

  /** For as long as there are faults. */
  begin(): void {
    const { world, plan } = this.#cluster;
    this.#cluster.ask = (host) => this.ask(host);
    const next = (): void => {
      if (this.#cluster.faultsOver) return;
      const host = this.#somebody();
      if (host?.core) this.ask(host);
      const isQuiet = plan.bursts && world.chance(10);
      world.after(isQuiet ? world.between(1000, 6000) : 1 + world.below((plan.bursts ? 5 : plan.proposalPauseMs) * 2), next);
    };
    next();
  }

  /** Often whoever may wrongly take itself for the leader. */
  #somebody(): Host<Command, Response> | undefined {
    const { world, hosts, favoured } = this.#cluster;
    if (favoured && world.now() < favoured.until && world.chance(50)) return favoured.host;
    return world.pick(hosts);
  }

  ask(host: Host<Command, Response>): void {
    const wish = this.#cluster.workload.next(host.id, host.machine.inner);
    if (wish.command === null) this.#read(host, wish);
    else this.propose(host, wish, wish.command);
  }

  /** `done`: with the outcome, if there ever is one. */
  propose(
    host: Host<Command, Response>,
    wish: Wish<Command, Response>,
    command: Command,
    done: (outcome: Proposed<Response> | Error) => void = () => undefined,
  ): void {
    const { cluster, number } = { cluster: this.#cluster, number: ++this.#number };
    if (wish.idempotent) cluster.clients.allowRepeats(number);
    const inTerm = cluster.world.chance(5) ? host.core?.hardState.currentTerm : undefined;
    const options: ProposeOptions = {
      idempotent: wish.idempotent,
      timeoutMs,
      response: cluster.world.chance(10) ? "committed" : "applied",
      ...(inTerm !== undefined && !cluster.faultsOver ? { ifTerm: inTerm } : {}),
    };
    host.raft?.proposeThen({ number, command }, options, (outcome) => {
      cluster.guard(() => this.#settled(wish, number, outcome, host));
      done(outcome);
    });
  }

  #settled(
    wish: Wish<Command, Response>,
    number: number,
    outcome: Proposed<Response> | Error,
    { machine }: Host<Command, Response>,
  ): void {
    const { clients, strictOnly, situations } = this.#cluster;
    if (!(outcome instanceof Error)) {
      if (!strictOnly)
        clients.acknowledge(outcome.index, number, outcome.response, (a, b) =>
          sameBytes(machine.encodeResponse(a), machine.encodeResponse(b)),
        );
      return wish.settle?.({ kind: "done", response: outcome.response });
    }
    if (!knownErrors.includes(outcome.name)) throw new LawBroken("No throw", `a client met ${outcome.stack}`);
    if (outcome.name === "SessionExpired") situations.reach("session ended, then used");
    const isDefinite = !("mayHaveApplied" in outcome && outcome.mayHaveApplied);
    if (isDefinite && !strictOnly) clients.refused(number);
    wish.settle?.({ kind: isDefinite ? "definite" : "indefinite" });
  }

  #read(host: Host<Command, Response>, wish: Wish<Command, Response>): void {
    const { clients, observer, situations, strictOnly } = this.#cluster;
    // What any leader knew to be committed when the read began, whether a client was told or not (diss. §6.4).
    const floor = Math.max(clients.floor, observer.committed.length);
    const leader = observer.leader();
    host.raft?.readThen({ timeoutMs }, (outcome) =>
      this.#cluster.guard(() => {
        if (outcome instanceof Error) return wish.settle?.({ kind: "definite" });
        this.reads++;
        if (leader !== observer.leader()) situations.reach("read pending across a change of leader");
        const lastApplied = host.raft?.metricsOrNull()?.lastApplied ?? floor;
        if (!strictOnly) clients.read(host.id, floor, lastApplied);
        wish.settle?.({ kind: "read", machine: host.machine.inner });
      }),
    );
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
