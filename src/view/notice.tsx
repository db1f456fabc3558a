/** One line of words. */
import type { ReactNode } from "react";

export function Notice({ tone, children }: { readonly tone: "waiting" | "bad"; readonly children: ReactNode }) {
  return <div className={`notice notice-${tone}`}>{children}</div>;
}
