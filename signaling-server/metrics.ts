/** The server's own figures, as Prometheus text. Numbers only: no topic, node id or address is a label. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

export type RefusalReason =
  | "malformed"
  | "oversize"
  | "binary"
  | "notJoined"
  | "alreadyJoined"
  | "unknownPeer"
  | "otherVersion"
  | "flooded"
  | "roomFull"
  | "tooManyRooms"
  | "tooManySockets"
  | "tooManySocketsOfAddress"
  | "wrongOrigin"
  | "wrongPath"
  | "badRequest"
  | "joinTimeout"
  | "slowReader"
  | "deadSocket"
  | "socketError";

export class Metrics {
  readonly #registry = new Registry();
  readonly #refused = new Counter({
    name: "signaling_refused_total",
    help: "Messages and sockets refused, by reason.",
    labelNames: ["reason"],
    registers: [this.#registry],
  });
  readonly #relayed = new Counter({
    name: "signaling_relayed_total",
    help: "Sealed messages handed on.",
    registers: [this.#registry],
  });
  readonly #counts = new Map<RefusalReason, number>();
  readonly #told = new Map<RefusalReason, number>();

  constructor(current: { readonly sockets: () => number; readonly rooms: () => number }) {
    collectDefaultMetrics({ register: this.#registry, prefix: "signaling_" });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(value());
        },
      });
    gauge("signaling_sockets", "Open WebSockets.", current.sockets);
    gauge("signaling_rooms", "Rooms with at least one member.", current.rooms);
  }

  refuse(reason: RefusalReason): void {
    this.#refused.inc({ reason });
    this.#counts.set(reason, this.refused(reason) + 1);
  }

  refused(reason: RefusalReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  relay(): void {
    this.#relayed.inc();
  }

  /** What was refused since the last call, by reason. */
  takeRefused(): { readonly [reason: string]: number } {
    const fresh: Record<string, number> = {};
    for (const [reason, count] of this.#counts) {
      const more = count - (this.#told.get(reason) ?? 0);
      if (more > 0) fresh[reason] = more;
      this.#told.set(reason, count);
    }
    return fresh;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
