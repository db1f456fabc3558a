/** Tastes of this browser: light or dark, and whether the cluster panel is open. */
import { createStore } from "zustand/vanilla";
import { readItem, writeItem } from "./tab-storage.ts";

export type Theme = "system" | "light" | "dark";

export interface PreferencesState {
  readonly theme: Theme;
  readonly panelOpen: boolean;
  setTheme(theme: Theme): void;
  togglePanel(): void;
}

const THEME_KEY = "tabraft.theme";
const PANEL_KEY = "tabraft.panel";
const local = () => localStorage;

function storedTheme(): Theme {
  const theme = readItem(local, THEME_KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

function showTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}

export function createPreferencesStore() {
  const theme = storedTheme();
  showTheme(theme);
  return createStore<PreferencesState>((set, get) => ({
    theme,
    panelOpen: readItem(local, PANEL_KEY) === "open",
    setTheme(next) {
      showTheme(next);
      writeItem(local, THEME_KEY, next);
      set({ theme: next });
    },
    togglePanel() {
      const panelOpen = !get().panelOpen;
      writeItem(local, PANEL_KEY, panelOpen ? "open" : "closed");
      set({ panelOpen });
    },
  }));
}

export type PreferencesStore = ReturnType<typeof createPreferencesStore>;
