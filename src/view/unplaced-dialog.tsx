/** What an earlier editor of this device wrote where others have written since: both sides, for the person to decide. */
import { useRef } from "react";
import type { UnplacedText } from "../page/types.ts";
import { useSession } from "./context.ts";
import { useCopy, useModal } from "./hooks.ts";
import { count } from "./words.ts";

interface UnplacedDialogProps {
  readonly unplaced: { readonly clientId: string; readonly texts: readonly UnplacedText[] };
}

export function UnplacedDialog({ unplaced }: UnplacedDialogProps) {
  const session = useSession();
  const dialog = useModal();
  const { clientId, texts } = unplaced;
  return (
    <dialog
      ref={dialog}
      className="dialog dialog-wide"
      aria-labelledby="unplaced-heading"
      onCancel={(event) => event.preventDefault()}
    >
      <h2 id="unplaced-heading">
        {count(texts.length, "place that you changed was", "places that you changed were")} changed by others too
      </h2>
      <p>
        What you wrote elsewhere is in the document. Here the others' words stand; copy yours if you want to put them in. Nothing
        is dropped until you say so.
      </p>
      {texts.map((text, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes while it is shown
        <SideBySide key={at} text={text} />
      ))}
      <div className="dialog-actions">
        <button type="button" className="button button-primary" onClick={() => session.dismissUnplaced(clientId)}>
          I have seen it
        </button>
      </div>
    </dialog>
  );
}

function SideBySide({ text }: { readonly text: UnplacedText }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { copied, copy } = useCopy(text.mine, () => field.current?.select());
  return (
    <section className="side-by-side">
      <label>
        Yours
        <textarea ref={field} readOnly rows={4} value={text.mine} placeholder="You deleted this place." />
      </label>
      <label>
        In the document
        <textarea readOnly rows={4} value={text.theirs} placeholder="Nothing stands here now." />
      </label>
      <button type="button" className="button button-small" disabled={text.mine === ""} onClick={copy}>
        {copied ? "Copied" : "Copy mine"}
      </button>
    </section>
  );
}
