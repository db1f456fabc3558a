/** Texts of this document that gave way to another generation: named, to be compared and added. */
import { lazy, Suspense, useState } from "react";
import type { CopyLine } from "../page/types.ts";
import { useSessionState } from "./context.ts";
import { Notice } from "./notice.tsx";

const CopyDialog = lazy(() => import("./copy-dialog.tsx"));

export function Copies() {
  const copies = useSessionState((state) => state.copies);
  const [shown, setShown] = useState<CopyLine | null>(null);
  const copy = copies.find(({ isMerged }) => !isMerged) ?? copies[0];
  if (copy === undefined) return null;
  return (
    <Notice tone="waiting">
      {copy.isMerged
        ? "Your changes were added. The copy of your text from then is still kept on this device."
        : "The others went on with this document meanwhile. Your text from then is kept on this device."}
      <button type="button" className="button button-small" onClick={() => setShown(copy)}>
        Compare
      </button>
      {shown !== null && (
        <Suspense>
          <CopyDialog copy={copies.find(({ id }) => id === shown.id) ?? shown} onClose={() => setShown(null)} />
        </Suspense>
      )}
    </Notice>
  );
}
