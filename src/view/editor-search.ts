/** Search in the text, and its keys: loaded when somebody begins to write, since whoever only reads does without its code. */
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { type Extension, Facet, StateEffect } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";

const isThere = Facet.define<true>();
const searching: Extension = [search({ top: true }), highlightSelectionMatches(), keymap.of(searchKeymap), isThere.of(true)];

/** Adds search to an editor that has none. */
export function addSearch(view: EditorView): void {
  if (view.state.facet(isThere).length === 0) view.dispatch({ effects: StateEffect.appendConfig.of(searching) });
}
