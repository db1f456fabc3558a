/** A kept copy and the document side by side, with what differs marked; its changes can be added to the document. */
import { useEffect, useState } from "react";
import type { CopyComparison, CopyLine } from "../page/types.ts";
import { useSession } from "./context.ts";
import { useModal } from "./hooks.ts";
import { CloseIcon } from "./icons.tsx";
import { count } from "./words.ts";

interface CopyDialogProps {
  readonly copy: CopyLine;
  readonly onClose: () => void;
}

export default function CopyDialog({ copy, onClose }: CopyDialogProps) {
  const session = useSession();
  const dialog = useModal();
  const [compared, setCompared] = useState<CopyComparison | null>(null);
  const [conflicts, setConflicts] = useState<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once the changes were added the texts are compared anew
  useEffect(() => {
    void session.compareCopy(copy.id).then(setCompared);
  }, [session, copy.id, copy.isMerged]);
  const merge = async () => {
    const result = await session.mergeCopy(copy.id);
    if (result !== null) setConflicts(result.conflicts.length);
  };
  const drop = () => {
    session.dropCopy(copy.id);
    onClose();
  };
  return (
    <dialog ref={dialog} className="dialog dialog-widest" aria-labelledby="copy-heading" onClose={onClose}>
      <div className="dialog-head">
        <h2 id="copy-heading">Your text from {new Date(copy.at).toLocaleString()}</h2>
        <button type="button" className="button button-icon" aria-label="Close" onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </div>
      <p role="status">{explain(copy, conflicts)}</p>
      {compared !== null && (
        <div className="side-by-side">
          <Side title="The document now" parts={compared.document} />
          <Side title="Your copy" parts={compared.copy} />
        </div>
      )}
      <div className="dialog-actions">
        {copy.canMerge && !copy.isMerged && (
          <button type="button" className="button button-primary" onClick={() => void merge()}>
            Add my changes
          </button>
        )}
        <button type="button" className="button" onClick={drop}>
          Remove the copy
        </button>
      </div>
    </dialog>
  );
}

function explain({ canMerge, isMerged }: CopyLine, conflicts: number | null): string {
  if (conflicts !== null && conflicts > 0)
    return `Your changes were added, but for ${count(conflicts, "place", "places")} that the others had changed as well: those read as they wrote them. Yours stand in the copy.`;
  if (isMerged) return "Your changes were added to the document.";
  if (canMerge) return "Only what you changed since the two parted is added; nothing that the others wrote is undone.";
  return "Where the two texts parted is not known any more, so copy by hand what you need.";
}

function Side({ title, parts }: { readonly title: string; readonly parts: CopyComparison["copy"] }) {
  const keyed = parts.map((part, at) => ({ ...part, key: at }));
  return (
    <section className="side" aria-label={title}>
      <h3>{title}</h3>
      <div className="side-text">
        {keyed.map(({ key, text, isChanged }) => (isChanged ? <mark key={key}>{text}</mark> : <span key={key}>{text}</span>))}
      </div>
    </section>
  );
}
