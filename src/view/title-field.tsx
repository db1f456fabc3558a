/** The title, edited in place: it is written when the person leaves the field, or presses Enter. */
import { type KeyboardEvent, useEffect, useState } from "react";
import { useSession, useSessionState } from "./context.ts";
import { isJoining } from "./words.ts";

const UNTITLED = "Untitled";
const TITLE_LENGTH_MAX = 200;

export function TitleField() {
  const session = useSession();
  const title = useSessionState(({ map: { title: value } }) => (typeof value === "string" ? value : ""));
  const joining = useSessionState((state) => isJoining(state.status));
  const [draft, setDraft] = useState<string | null>(null);
  useEffect(() => {
    document.title = `${title || UNTITLED} · tabraft`;
  }, [title]);
  const commit = () => {
    const next = draft?.trim() ?? title;
    setDraft(null);
    if (next !== title) session.setTitle(next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") event.currentTarget.blur();
    if (event.key === "Escape") setDraft(null);
  };
  return (
    <input
      className="title-field"
      aria-label="Title"
      placeholder={UNTITLED}
      maxLength={TITLE_LENGTH_MAX}
      disabled={joining}
      value={draft ?? title}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={onKeyDown}
    />
  );
}
