/** Small helpers of time and dialogs. */
import { type RefObject, useEffect, useRef, useState } from "react";

/** The value once it has stayed the same for `waitMs`; until then the last one that did. Equality by `key`. */
export function useSettled<T>(value: T, key: string, waitMs: number): T {
  const [settled, setSettled] = useState(value);
  const latest = useRef(value);
  latest.current = value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new key restarts the wait
  useEffect(() => {
    if (waitMs === 0) {
      setSettled(latest.current);
      return;
    }
    const timer = setTimeout(() => setSettled(latest.current), waitMs);
    return () => clearTimeout(timer);
  }, [key, waitMs]);
  return settled;
}

/** False at first, true from `waitMs` on. */
export function useAfter(waitMs: number): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsOver(true), waitMs);
    return () => clearTimeout(timer);
  }, [waitMs]);
  return isOver;
}

/** A modal dialog that is open while its component is there. */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return dialog;
}

export interface Copying {
  readonly copied: boolean;
  copy(): void;
}

/** Copies the text; `copied` for two seconds after it worked. Without the permission, `fallback` may select it for the person. */
export function useCopy(text: string, fallback: () => void): Copying {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(() => setCopied(true), fallback);
  };
  return { copied, copy };
}
