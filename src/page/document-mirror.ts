/** The document as the worker has applied it, on this side of the wire: what synchronous questions are answered from. */
import { ChangeSet, Text } from "@codemirror/state";
import type { AcceptedUpdate, MapValue } from "../document/types.ts";

export class DocumentMirror {
  private content = Text.empty;
  private appliedVersion = 0;
  private readonly waiting: { readonly version: number; resolve(): void }[] = [];
  private values: { readonly [key: string]: MapValue } = {};

  get text(): string {
    return this.content.toString();
  }

  /** In UTF-16 units. */
  get length(): number {
    return this.content.length;
  }

  get version(): number {
    return this.appliedVersion;
  }

  get map(): { readonly [key: string]: MapValue } {
    return this.values;
  }

  replace(version: number, text: string, map: { readonly [key: string]: MapValue }): void {
    this.content = Text.of(text.split("\n"));
    this.values = map;
    this.reach(version);
  }

  /** @returns those updates that were new here. */
  accept(fromVersion: number, updates: readonly AcceptedUpdate[]): readonly AcceptedUpdate[] {
    if (fromVersion > this.appliedVersion) {
      throw new RangeError(`updates from version ${fromVersion}, but the page is at ${this.appliedVersion}`);
    }
    const fresh = updates.slice(this.appliedVersion - fromVersion);
    for (const { changes } of fresh) this.content = ChangeSet.fromJSON(changes).apply(this.content);
    this.reach(this.appliedVersion + fresh.length);
    return fresh;
  }

  write(key: string, value: MapValue): void {
    const { [key]: _old, ...rest } = this.values;
    this.values = value === null ? rest : { ...rest, [key]: value };
  }

  /** Resolves once the text includes this version. */
  reached(version: number): Promise<void> {
    if (this.appliedVersion >= version) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ version, resolve }));
  }

  private reach(version: number): void {
    this.appliedVersion = version;
    const due = this.waiting.filter((waiter) => waiter.version <= version);
    for (const waiter of due) {
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  }
}
