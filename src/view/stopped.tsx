/** The node of this tab has ended, or could not start: what happened, what to do, and the text that was on the screen. */
import { useRef } from "react";
import type { NodeStop } from "../page/types.ts";
import { useCopy } from "./hooks.ts";
import { Logo } from "./icons.tsx";

interface Advice {
  readonly heading: string;
  readonly advice: string;
  readonly canReload: boolean;
}

const ADVICE: { readonly [code in NodeStop["code"]]: Advice } = {
  storage: {
    heading: "This browser cannot keep the document",
    advice: "Free some disk space, or leave the private window, then reload. The other tabs still have the document.",
    canReload: true,
  },
  assertion: {
    heading: "This tab has stopped itself",
    advice: "It met a state that must never be, and stops before it can do harm. Reload to start it again from its log.",
    canReload: true,
  },
  outdated: {
    heading: "This page is out of date",
    advice: "Reload to get the newer page. The document goes on in the other tabs, and nothing here is lost.",
    canReload: true,
  },
  badLink: {
    heading: "This link leads nowhere",
    advice: "A link to a document ends with # and 22 characters.",
    canReload: false,
  },
  unsupported: {
    heading: "This browser cannot take part",
    advice: "Open the link in another browser.",
    canReload: false,
  },
  identityTaken: {
    heading: "Another tab has taken over",
    advice: "The node of this tab now runs in another tab of this browser. Go on there, or reload to join as a new one.",
    canReload: true,
  },
};

export function Stopped({ stop, text }: { readonly stop: NodeStop; readonly text: string | null }) {
  const { heading, advice, canReload } = ADVICE[stop.code];
  return (
    <main className="centered stopped">
      <Logo />
      <h1>{heading}</h1>
      <p role="alert">{stop.message}</p>
      <p className="muted">{advice}</p>
      <div className="dialog-actions">
        {canReload && (
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
