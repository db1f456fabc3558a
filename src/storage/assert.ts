/** For mistakes of our own: a broken promise between two parts of the program, never a fault of the disk. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion: ${message}`);
}
