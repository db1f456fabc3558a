/** Tells an open dashboard what passes on the links, ten times a second, and what was measured, once a second. */
import type { PeerStatus } from "../network/digest.ts";
import { repeat } from "./clock.ts";
import type { Observer } from "./observer.ts";
import type { FromNode } from "./protocol.ts";

const activityEveryMs = 100;
const sampleEveryMs = 1000;

export class WatchFeed {
  readonly #observer: Observer;
  readonly #peers: () => readonly PeerStatus[];
  readonly #post: (message: FromNode) => void;
  #watched = false;

  constructor(observer: Observer, peers: () => readonly PeerStatus[], post: (message: FromNode) => void) {
    this.#observer = observer;
    this.#peers = peers;
    this.#post = post;
  }

  /** Samples are taken in any case, so that whoever opens the dashboard sees the last minutes. Returns what ends it. */
  start(): () => void {
    const ends = [repeat(activityEveryMs, () => this.#activity()), repeat(sampleEveryMs, () => this.#sample())];
    return () => {
      for (const end of ends) end();
    };
  }

  watch(on: boolean): void {
    this.#watched = on;
    this.#observer.watch(on);
    if (on) this.#post({ kind: "samples", samples: this.#observer.measures.samples });
  }

  #activity(): void {
    if (!this.#watched) return;
    this.#post({ kind: "activity", marks: this.#observer.takeMarks(), timer: this.#observer.electionTimer() });
  }

  #sample(): void {
    const roundTrips = this.#peers().flatMap(({ id, connected, roundTripMs }) =>
      connected && roundTripMs !== null ? [[id, roundTripMs] as const] : [],
    );
    const sample = this.#observer.measures.sample(Date.now(), Object.fromEntries(roundTrips));
    if (this.#watched) this.#post({ kind: "samples", samples: [sample] });
  }
}
