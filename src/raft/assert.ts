/** Assertions stay on in the product: a core that contradicts itself stops, and says where. */

/** Our own error, never the world's: the node that throws it must stop. */
export class AssertionFailed extends Error {
  override readonly name = "AssertionFailed";
}

/** @throws AssertionFailed */
export function assert(condition: boolean, law: string): asserts condition {
  if (!condition) throw new AssertionFailed(law);
}
