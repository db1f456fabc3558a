/** How often something was refused, by reason. Reasons are words of this program, so there are few. */

export class Counters {
  readonly #counts = new Map<string, number>();

  add(reason: string): void {
    this.#counts.set(reason, this.count(reason) + 1);
  }

  count(reason: string): number {
    return this.#counts.get(reason) ?? 0;
  }

  all(): { readonly [reason: string]: number } {
    return Object.fromEntries(this.#counts);
  }
}
