/** The text: CodeMirror, bound to the replicated document. */
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useSession } from "./context.ts";
import { editorExtensions } from "./editor-setup.ts";

export function Editor() {
  const session = useSession();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const editor = session.room?.editor;
    if (place.current === null || editor === undefined) return;
    const view = new EditorView({ state: editor.mount(editorExtensions(() => editor.edited())), parent: place.current });
    editor.attach(view);
    view.focus();
    return () => {
      editor.detach();
      view.destroy();
    };
  }, [session]);
  return <div ref={place} className="editor" />;
}
