/** The node of this tab has ended, or could not start: what happened, what to do, and the text that was on the screen. */
import { useRef } from "react";
import type { NodeStop } from "../page/types.ts";
import { useSession } from "./context.ts";
import { useCopy } from "./hooks.ts";
import { Logo } from "./icons.tsx";

interface Advice {
  readonly heading: string;
  readonly advice: string;
  /** What the person can do here: begin again with a fresh page, or with the node alone. */
  readonly remedy: "reload" | "tryAgain" | null;
}

const ADVICE: { readonly [code in NodeStop["code"]]: Advice } = {
  storage: {
    heading: "This browser cannot keep the document",
    advice:
      "What is committed is safe on the disk, and the other tabs go on. Your text is kept below. Leave the private window, if this is one, then try again.",
    remedy: "tryAgain",
  },
  assertion: {
    heading: "This tab has stopped itself",
    advice: "It met a state that must never be, and stops before it can do harm. Reload to start it again from its log.",
    remedy: "reload",
  },
  outdated: {
    heading: "This page is out of date",
    advice: "Reload to get the newer page. The document goes on in the other tabs, and nothing here is lost.",
    remedy: "reload",
  },
  badLink: {
    heading: "This link leads nowhere",
    advice: "A link to a document ends with # and 22 characters.",
    remedy: null,
  },
  unsupported: {
    heading: "This browser cannot take part",
    advice: "Open the link in another browser.",
    remedy: null,
  },
  identityTaken: {
    heading: "Another tab has taken over",
    advice: "The node of this tab now runs in another tab of this browser. Go on there, or reload to join as a new one.",
    remedy: "reload",
  },
};

const STORAGE_ADVICE: { readonly [failure in NonNullable<NodeStop["failure"]>]: Advice } = {
  full: {
    heading: "There is no space left",
    advice:
      "This tab saves nothing more. What is committed is safe on the disk, and the other tabs go on. Your text is kept below. Free some disk space, then try again.",
    remedy: "tryAgain",
  },
  lost: {
    heading: "This tab has lost its storage",
    advice:
      "It saves nothing more. What is committed is safe on the disk, and the other tabs go on. Your text is kept below. Try again: the tab then goes on from what it has on disk.",
    remedy: "tryAgain",
  },
  damaged: ADVICE.storage,
  future: {
    heading: "A newer version of this page wrote the document",
    advice: "Reload to get that version. Nothing was changed.",
    remedy: "reload",
  },
};

export function Stopped({ stop, text }: { readonly stop: NodeStop; readonly text: string | null }) {
  const session = useSession();
  const { heading, advice, remedy } = stop.failure === undefined ? ADVICE[stop.code] : STORAGE_ADVICE[stop.failure];
  return (
    <main className="centered stopped">
      <Logo />
      <h1>{heading}</h1>
      <p role="alert">{stop.message}</p>
      <p className="muted">{advice}</p>
      <div className="dialog-actions">
        {remedy === "tryAgain" && (
          <button type="button" className="button button-primary" onClick={() => session.restart()}>
            Try again
          </button>
        )}
        {remedy === "reload" && (
          <button type="button" className="button button-primary" onClick={() => location.reload()}>
            Reload
          </button>
        )}
        <a className="button" href="./">
          To the start
        </a>
      </div>
      {text !== null && text !== "" && <KeptText text={text} />}
    </main>
  );
}

function KeptText({ text }: { readonly text: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { copied, copy } = useCopy(text, () => field.current?.select());
  return (
    <section className="kept-text" aria-label="The text as it stood here">
      <h2>The text as it stood here</h2>
      <textarea ref={field} readOnly aria-label="Text" rows={12} value={text} />
      <button type="button" className="button" onClick={copy}>
        {copied ? "Copied" : "Copy the text"}
      </button>
    </section>
  );
}
