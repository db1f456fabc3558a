/** The decision to give the missing majority up, with its consequences in plain words. */
import { useState } from "react";
import type { NodeStatus } from "../page/types.ts";
import { useSession } from "./context.ts";
import { useModal } from "./hooks.ts";
import { missingVoters } from "./words.ts";

interface ContinueDialogProps {
  readonly status: NodeStatus;
  readonly onClose: () => void;
}

export default function ContinueDialog({ status, onClose }: ContinueDialogProps) {
  const session = useSession();
  const dialog = useModal();
  const [busy, setBusy] = useState(false);
  const decide = async () => {
    setBusy(true);
    await session.continueWithoutOthers();
    onClose();
  };
  return (
    <dialog ref={dialog} className="dialog dialog-wide" aria-labelledby="continue-heading" onClose={onClose}>
      <h2 id="continue-heading">Continue without {missingVoters(status)}?</h2>
      <p>Do this only if they will not come back soon, for instance because a computer is lost or its storage was cleared.</p>
      <ul className="plain-list">
        <li>The document goes on from this tab's copy, and your waiting edits are saved in it at once.</li>
        <li>What the others committed and this tab has not received yet is missing here. Only they have it.</li>
        <li>
          If they come back as a majority, their document counts: this tab joins it again, and your changes from now on are kept
          as a copy and can be added with one press. If fewer come back, they join yours in the same way.
        </li>
      </ul>
      <p>Nothing is thrown away on either side.</p>
      <div className="dialog-actions">
        <button type="button" className="button button-primary" disabled={busy} onClick={() => dialog.current?.close()}>
          Keep waiting
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => void decide()}>
          Continue without them
        </button>
      </div>
    </dialog>
  );
}
