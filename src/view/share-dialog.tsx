/** The link: copied at once, to copy again, to scan. */
import { useEffect, useRef } from "react";
import { useCopy, useModal } from "./hooks.ts";
import { CloseIcon } from "./icons.tsx";
import { QrCode } from "./qr-code.tsx";

interface ShareDialogProps {
  readonly link: string;
  readonly onClose: () => void;
}

export default function ShareDialog({ link, onClose }: ShareDialogProps) {
  const dialog = useModal();
  const field = useRef<HTMLInputElement>(null);
  const { copied, copy } = useCopy(link, () => field.current?.select());
  const copyOnce = useRef(copy);
  useEffect(() => copyOnce.current(), []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="share-heading" onClose={onClose}>
      <div className="dialog-head">
        <h2 id="share-heading">Share this document</h2>
        <button type="button" className="button button-icon" aria-label="Close" onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </button>
      </div>
      <p className="muted">Whoever has this link can read and write. It works while somebody has the document open.</p>
      <div className="copy-row">
        <input ref={field} readOnly aria-label="Invite link" value={link} onFocus={(event) => event.target.select()} />
        <button type="button" className="button button-primary" onClick={copy}>
          {copied ? "Copied" : "Copy link"}
        </button>
      </div>
      <p className="visually-hidden" role="status">
        {copied ? "The link is copied." : ""}
      </p>
      <QrCode text={link} label="The invite link as a QR code" />
    </dialog>
  );
}
