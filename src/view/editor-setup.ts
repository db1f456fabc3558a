/** How the text looks and which keys it knows. Colours come from the page's tokens, so that themes need no second editor. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const markdownStyle = HighlightStyle.define([
  { tag: tags.heading1, fontSize: "1.6em", fontWeight: "700", lineHeight: "1.3" },
  { tag: tags.heading2, fontSize: "1.3em", fontWeight: "700", lineHeight: "1.35" },
  { tag: tags.heading3, fontSize: "1.12em", fontWeight: "650" },
  { tag: tags.heading, fontWeight: "650" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: tags.monospace, fontFamily: "var(--font-mono)", fontSize: "0.92em", color: "var(--ink-code)" },
  { tag: tags.quote, color: "var(--ink-2)", fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--accent-text)" },
  { tag: [tags.processingInstruction, tags.meta, tags.contentSeparator], color: "var(--ink-3)", fontWeight: "400" },
]);

const appearance = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-text)", fontSize: "var(--size-text)", lineHeight: "1.65", overflowX: "hidden" },
  ".cm-content": { caretColor: "var(--accent-text)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent-text)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-placeholder": { color: "var(--ink-3)" },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: "var(--match)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--match-now)" },
  ".cm-panels": { backgroundColor: "var(--surface)", color: "var(--ink)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
});

const SEARCH_WORDS = {
  next: "Next",
  previous: "Previous",
  all: "Select all",
  replace: "Replace",
  "replace all": "Replace all",
  Replace: "Replace with",
  "match case": "Match case",
  regexp: "Pattern",
  "by word": "Whole words",
  close: "Close the search",
};

/** The server names a nonce for styles where the browser cannot adopt style sheets. */
function styleNonce(): Extension {
  const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  return meta === null ? [] : EditorView.cspNonce.of(meta.nonce);
}

/** With the first key or touch. Without a network, and never loaded before, the browser's own search is left. */
function loadingSearch(): Extension {
  const load = (view: EditorView, isAskedFor: boolean) => {
    import("./editor-search.ts").then(
      ({ addSearch }) => addSearch(view, isAskedFor),
      () => undefined,
    );
  };
  return [
    EditorView.domEventHandlers({
      pointerdown: (_event, view) => load(view, false),
      keydown: (_event, view) => load(view, false),
    }),
    keymap.of([
      {
        key: "Mod-f",
        run: (view) => {
          load(view, true);
          return true;
        },
      },
    ]),
  ];
}

/** @param onEdit called after each transaction that changed the text. */
export function editorExtensions(onEdit: () => void): Extension {
  return [
    styleNonce(),
    history(),
    drawSelection(),
    dropCursor(),
    EditorView.lineWrapping,
    // Not `markdown()`: that brings parsers for HTML, CSS and JavaScript along, 60 kB compressed.
    markdownLanguage.extension,
    Prec.high(keymap.of([...markdownKeymap])),
    syntaxHighlighting(markdownStyle),
    loadingSearch(),
    EditorState.phrases.of(SEARCH_WORDS),
    placeholder("Write here. Everyone who has the link sees it."),
    EditorView.contentAttributes.of({ "aria-label": "Document text", spellcheck: "true", autocapitalize: "sentences" }),
    keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
    appearance,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onEdit();
    }),
  ];
}
