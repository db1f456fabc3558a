/** Search in the text, and its keys: loaded when somebody begins to write, since whoever only reads does without its code. */
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { type Extension, Facet, StateEffect } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";

const isThere = Facet.define<true>();
const searching: Extension = [search({ top: true }), highlightSelectionMatches(), keymap.of(searchKeymap), isThere.of(true)];

/** Adds search to an editor that has none; opens its panel, if that is what the person waits for. */
export function addSearch(view: EditorView, isAskedFor: boolean): void {
  if (view.state.facet(isThere).length === 0) view.dispatch({ effects: StateEffect.appendConfig.of(searching) });
  if (isAskedFor) openSearchPanel(view);
}
