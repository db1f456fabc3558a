/** Asks before a document is deleted from this device: it may be the last copy. */
import type { ShelfDocument } from "../page/shelf.ts";
import { useSession } from "./context.ts";
import { useModal } from "./hooks.ts";
import { titleWords } from "./words.ts";

interface ForgetDialogProps {
  readonly document: ShelfDocument;
  readonly onClose: () => void;
}

export function ForgetDialog({ document: { topic, title, isOnlyCopy }, onClose }: ForgetDialogProps) {
  const session = useSession();
  const dialog = useModal();
  const forget = () => {
    session.shelf.forget(topic);
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="forget-heading" onClose={onClose}>
      <h2 id="forget-heading">Forget “{titleWords(title)}” on this device?</h2>
      {isOnlyCopy ? (
        <p className="shelf-failure">
          As far as is known here, no other device has this document. If you forget it, it is gone for good, and the link opens
          nothing any more.
        </p>
      ) : (
        <p>
          The text and its history are deleted from this browser. Other devices have the document; with the link you can join them
          again. If this device held a voting copy, the others go on without it.
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button button-primary" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button type="button" className="button" onClick={forget}>
          {isOnlyCopy ? "Delete the only copy" : "Forget it here"}
        </button>
      </div>
    </dialog>
  );
}
