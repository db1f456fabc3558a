/**
 * The responses of one session that its client may still ask for, by serial. Nearly all come in order, one behind the other: those are a
 * plain row; what came before its turn waits in a map.
 */
export class ResponseWindow<Response> {
  /** Serial of the first of the row. */
  #first: number;
  #row: Response[] = [];
  /** Behind the end of the row, with a gap before it. */
  readonly #early = new Map<number, Response>();

  /** `openFrom`: no serial below will be asked for. */
  constructor(openFrom: number) {
    this.#first = openFrom;
  }

  has(serial: number): boolean {
    const place = serial - this.#first;
    return (place >= 0 && place < this.#row.length) || this.#early.has(serial);
  }

  /** `undefined` if there is none. */
  get(serial: number): Response | undefined {
    const place = serial - this.#first;
    return place >= 0 && place < this.#row.length ? this.#row[place] : this.#early.get(serial);
  }

  /** Of a serial that has none. */
  set(serial: number, response: Response): void {
    const end = this.#first + this.#row.length;
    if (serial > end) this.#early.set(serial, response);
    if (serial !== end) return;
    this.#row.push(response);
    if (this.#early.size > 0) this.#close();
  }

  /** Those below will not be asked for. They go many at a time. */
  drop(openFrom: number): void {
    const dropped = openFrom - this.#first;
    if (dropped <= 32 + this.#row.length / 2) return;
    this.#row = this.#row.slice(dropped);
    this.#first = openFrom;
    for (const serial of this.#early.keys()) if (serial < openFrom) this.#early.delete(serial);
    this.#close();
  }

  /** What came early and now has its turn. */
  #close(): void {
    for (let end = this.#first + this.#row.length; this.#early.has(end); end++) {
      this.#row.push(this.#early.get(end) as Response);
      this.#early.delete(end);
    }
  }

  /** In order of serial. */
  from(openFrom: number): readonly (readonly [serial: number, response: Response])[] {
    const row = this.#row.map((response, place) => [this.#first + place, response] as const);
    const early = [...this.#early].sort(([a], [b]) => a - b);
    return [...row, ...early].filter(([serial]) => serial >= openFrom);
  }
}
