/**
 * The node's log as far as somebody looks at it, fetched in pieces. A committed entry never changes, so what is known of it is kept; the
 * tail behind it is fetched anew whenever the node's end of the log, its commit or its term has moved.
 */
import type { LogLine } from "../node/protocol.ts";
import type { LogIndex } from "./types.ts";

/** Lines of one piece; piece n holds the indexes from n * PIECE + 1 on. */
const PIECE = 250;
/** Pieces kept: 50,000 lines. */
const PIECES_MAX = 200;

export type FetchLog = (from: LogIndex, count: number) => Promise<readonly LogLine[]>;

export class LogReader {
  private readonly pieces = new Map<number, ReadonlyMap<LogIndex, LogLine>>();
  private readonly asked = new Map<number, string>();
  private readonly listeners = new Set<() => void>();
  private version = 0;
  private tail = "";

  /** @param fetch rejects when the node is gone: then there is nothing more to show */
  constructor(private readonly fetch: FetchLog) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Grows with each piece that came. */
  readonly getVersion = (): number => this.version;

  /** The status has moved on. */
  follow(status: { readonly term: number; readonly commitIndex: LogIndex; readonly lastLogIndex: LogIndex }): void {
    this.tail = `${status.term} ${status.commitIndex} ${status.lastLogIndex}`;
  }

  /** `null`: not known yet; it is on its way then. */
  line(index: LogIndex): LogLine | null {
    const piece = Math.floor((index - 1) / PIECE);
    const known = this.pieces.get(piece)?.get(index) ?? null;
    if (known === null || !known.committed) this.ask(piece);
    return known;
  }

  private ask(piece: number): void {
    if (this.asked.get(piece) === this.tail) return;
    this.asked.set(piece, this.tail);
    this.fetch(piece * PIECE + 1, PIECE).then(
      (lines) => this.take(piece, lines),
      () => this.asked.delete(piece),
    );
  }

  private take(piece: number, lines: readonly LogLine[]): void {
    this.pieces.delete(piece);
    this.pieces.set(piece, new Map(lines.map((line) => [line.index, line])));
    for (const oldest of this.pieces.keys()) {
      if (this.pieces.size <= PIECES_MAX) break;
      this.pieces.delete(oldest);
      this.asked.delete(oldest);
    }
    this.version++;
    for (const listener of this.listeners) listener();
  }

  /**
   * Looks for lines from `before` backward, newest first, until `wanted` are found or `first` is reached. Returns where it stopped: the next
   * search goes on before that.
   */
  async search(
    matches: (line: LogLine) => boolean,
    range: { readonly first: LogIndex; readonly before: LogIndex },
    wanted: number,
    signal: { readonly aborted: boolean },
  ): Promise<{ readonly found: readonly LogLine[]; readonly reached: LogIndex }> {
    const found: LogLine[] = [];
    let reached = range.before;
    while (reached > range.first && found.length < wanted && !signal.aborted) {
      const from = Math.max(range.first, reached - PIECE);
      const lines = await this.fetch(from, reached - from);
      for (const line of [...lines].reverse()) if (matches(line)) found.push(line);
      reached = from;
    }
    return { found, reached };
  }
}
