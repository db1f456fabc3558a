/** Edits that could not be placed: kept, shown, to be copied. Nothing goes on without the person's word. */
import { useRef } from "react";
import type { EditorTrouble } from "../page/collab-editor.ts";
import { useSession } from "./context.ts";
import { useCopy, useModal } from "./hooks.ts";
import { count } from "./words.ts";

const REASONS: { readonly [kind: string]: string } = {
  interrupted: "The node of this tab stopped before they were committed; some of them may be part of the document all the same.",
  documentTooLarge: "The document is as long as it can be.",
  tooLarge: "They are too large to be sent.",
};

export function RescueDialog({ trouble }: { readonly trouble: EditorTrouble }) {
  const session = useSession();
  const dialog = useModal();
  const field = useRef<HTMLTextAreaElement>(null);
  const { copied, copy } = useCopy(trouble.text, () => field.current?.select());
  const reason = REASONS[trouble.kind] ?? "The document refused them.";
  return (
    <dialog
      ref={dialog}
      className="dialog dialog-wide"
      aria-labelledby="rescue-heading"
      onCancel={(event) => event.preventDefault()}
    >
      <h2 id="rescue-heading">{count(trouble.unconfirmed, "change of yours is", "changes of yours are")} not in the document</h2>
      <p>
        {reason} This is your text as it stood. Copy what you need, then go on with the document as the others have it and paste
        it back in.
      </p>
      <textarea ref={field} readOnly aria-label="Your text" rows={10} value={trouble.text} />
      <div className="dialog-actions">
        <button type="button" className="button button-primary" onClick={copy}>
          {copied ? "Copied" : "Copy my text"}
        </button>
        <button type="button" className="button" onClick={() => session.dismissTrouble()}>
          Go on with the document
        </button>
      </div>
    </dialog>
  );
}
