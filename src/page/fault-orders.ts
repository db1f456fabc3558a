/** The faults that a person may try, as data: they travel to other tabs of this browser too, and are checked where they arrive. */
import * as v from "valibot";

const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
const ms = v.pipe(v.number(), v.minValue(0), v.maxValue(60_000));
const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const plain = <K extends string>(kind: K) => v.object({ kind: v.literal(kind) });

export const FaultOrderSchema = v.variant("kind", [
  plain("isolate"),
  v.object({ kind: v.literal("cut"), ids: v.pipe(v.array(id), v.maxLength(64)) }),
  v.object({ kind: v.literal("delay"), ms, jitterMs: ms }),
  v.object({ kind: v.literal("drop"), fraction }),
  v.object({ kind: v.literal("duplicate"), fraction }),
  v.object({ kind: v.literal("slowDisk"), ms }),
  plain("failDisk"),
  plain("pause"),
  plain("crash"),
  plain("restart"),
  plain("heal"),
]);
export type FaultOrder = v.InferOutput<typeof FaultOrderSchema>;

type Method<Args extends readonly unknown[]> = (...args: Args) => unknown;

/** As much of the console's faults as orders name; a method that is missing is refused in words. */
export interface Faults {
  readonly isolate?: Method<[]>;
  readonly cut?: Method<[string[]]>;
  readonly delay?: Method<[number, number]>;
  readonly drop?: Method<[number]>;
  readonly duplicate?: Method<[number]>;
  readonly slowDisk?: Method<[number]>;
  readonly failDisk?: Method<[]>;
  readonly pause?: Method<[]>;
  readonly crash?: Method<[]>;
  readonly restart?: Method<[]>;
  readonly heal?: Method<[]>;
}

/** Does to this tab's node what was ordered; rejects with the reason why not. */
export async function carryOut(order: FaultOrder, faults: Faults): Promise<void> {
  if (faults[order.kind] === undefined) throw new Error(`this tab cannot do "${order.kind}"`);
  switch (order.kind) {
    case "cut":
      await faults.cut?.(order.ids);
      return;
    case "delay":
      await faults.delay?.(order.ms, order.jitterMs);
      return;
    case "drop":
    case "duplicate":
      await faults[order.kind]?.(order.fraction);
      return;
    case "slowDisk":
      await faults.slowDisk?.(order.ms);
      return;
    default:
      await faults[order.kind]?.();
  }
}
