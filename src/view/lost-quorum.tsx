/** No majority answers: what that means, who is missing, and what a person may decide. */
import { lazy, Suspense, useState } from "react";
import type { NodeStatus } from "../page/types.ts";
import { useAfter } from "./hooks.ts";
import { Notice } from "./notice.tsx";
import { lostQuorumWords } from "./words.ts";

const ContinueDialog = lazy(() => import("./continue-dialog.tsx"));

/** Tabs reload, laptops wake: for so long nobody is asked to decide anything. */
const OFFER_AFTER_MS = 10_000;

export function LostQuorum({ status }: { readonly status: NodeStatus }) {
  const offered = useAfter(OFFER_AFTER_MS);
  const [waits, setWaits] = useState(false);
  const [asks, setAsks] = useState(false);
  return (
    <Notice tone="bad">
      {lostQuorumWords(status)}
      {offered && !waits && (
        <span className="notice-actions">
          <button type="button" className="button button-small" onClick={() => setWaits(true)}>
            Keep waiting
          </button>
          <button type="button" className="button button-small" onClick={() => setAsks(true)}>
            Continue without the others
          </button>
        </span>
      )}
      {waits && (
        <button type="button" className="button button-small" onClick={() => setAsks(true)}>
          Continue without them after all
        </button>
      )}
      {asks && (
        <Suspense>
          <ContinueDialog status={status} onClose={() => setAsks(false)} />
        </Suspense>
      )}
    </Notice>
  );
}
