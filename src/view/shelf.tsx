/** The documents on this device: open one, forget one, and whether the browser keeps them. */
import { useEffect, useState } from "react";
import type { ShelfDocument } from "../page/shelf.ts";
import { useSession, useShelfState } from "./context.ts";
import { ForgetDialog } from "./forget-dialog.tsx";
import { KeptBy } from "./kept-by.tsx";
import { bytesWords, titleWords, usedWords } from "./words.ts";

export default function Shelf() {
  const session = useSession();
  const documents = useShelfState((state) => state.documents);
  const failure = useShelfState((state) => state.failure);
  const [forgetting, setForgetting] = useState<ShelfDocument | null>(null);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState !== "visible") return;
      session.shelf.refresh();
      session.persistence.refresh();
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [session]);
  if (failure === null && (documents === null || documents.length === 0)) return null;
  return (
    <section className="shelf" aria-labelledby="shelf-heading">
      <h2 id="shelf-heading">On this device</h2>
      {failure !== null && (
        <p className="shelf-failure" role="alert">
          {failure}
        </p>
      )}
      <ul>
        {(documents ?? []).map((one) => (
          <ShelfLine key={one.topic} document={one} onForget={() => setForgetting(one)} />
        ))}
      </ul>
      <KeptBy />
      {forgetting !== null && <ForgetDialog document={forgetting} onClose={() => setForgetting(null)} />}
    </section>
  );
}

function ShelfLine({ document: { secret, title, lastUse, bytes, isOnlyCopy, isOpen }, onForget }: ShelfLineProps) {
  return (
    <li className="shelf-line">
      <a href={`#${secret}`}>{titleWords(title)}</a>
      <span className="shelf-facts">
        <span>{usedWords(lastUse, Date.now())}</span>
        <span>{bytesWords(bytes)}</span>
        {isOpen && <span>open in a tab</span>}
        {isOnlyCopy && <span className="shelf-only">only copy</span>}
      </span>
      <button type="button" className="button button-small" aria-label={`Forget ${titleWords(title)}`} onClick={onForget}>
        Forget
      </button>
    </li>
  );
}

interface ShelfLineProps {
  readonly document: ShelfDocument;
  readonly onForget: () => void;
}
