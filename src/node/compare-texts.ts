/** Two texts beside each other. */
import { diffTexts } from "../document/diff.ts";
import type { CopyComparison } from "./protocol.ts";

/** Both texts whole, each in parts that are the same or not. */
export function compare(document: string, copy: string): CopyComparison {
  const left: CopyComparison["document"][number][] = [];
  const right: CopyComparison["copy"][number][] = [];
  let [a, b] = [0, 0];
  const add = (parts: { text: string; isChanged: boolean }[], text: string, isChanged: boolean): void => {
    if (text !== "") parts.push({ text, isChanged });
  };
  for (const { fromA, toA, fromB, toB } of diffTexts(document, copy)) {
    add(left, document.slice(a, fromA), false);
    add(right, copy.slice(b, fromB), false);
    add(left, document.slice(fromA, toA), true);
    add(right, copy.slice(fromB, toB), true);
    [a, b] = [toA, toB];
  }
  add(left, document.slice(a), false);
  add(right, copy.slice(b), false);
  return { document: left, copy: right };
}
