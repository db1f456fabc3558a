/** Tastes of this browser: light or dark, whether the dashboard is open, which part of it, and how wide. */
import { createStore } from "zustand/vanilla";
import { readItem, writeItem } from "./tab-storage.ts";

export type Theme = "system" | "light" | "dark";

/** The places of the dashboard, in their order. */
export const DASHBOARD_PLACES = ["cluster", "log", "metrics", "events", "faults", "trace"] as const;
export type DashboardPlace = (typeof DASHBOARD_PLACES)[number];

export interface PreferencesState {
  readonly theme: Theme;
  readonly panelOpen: boolean;
  /** Over the whole screen instead of beside the text. */
  readonly panelWide: boolean;
  readonly place: DashboardPlace;
  setTheme(theme: Theme): void;
  togglePanel(): void;
  toggleWide(): void;
  goTo(place: DashboardPlace): void;
}

const THEME_KEY = "tabraft.theme";
const PANEL_KEY = "tabraft.panel";
const WIDE_KEY = "tabraft.panel.wide";
const PLACE_KEY = "tabraft.panel.place";
const local = () => localStorage;

function storedTheme(): Theme {
  const theme = readItem(local, THEME_KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

function storedPlace(): DashboardPlace {
  const stored = readItem(local, PLACE_KEY);
  return DASHBOARD_PLACES.find((place) => place === stored) ?? "cluster";
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
    panelWide: readItem(local, WIDE_KEY) === "wide",
    place: storedPlace(),
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
    toggleWide() {
      const panelWide = !get().panelWide;
      writeItem(local, WIDE_KEY, panelWide ? "wide" : "beside");
      set({ panelWide });
    },
    goTo(place) {
      writeItem(local, PLACE_KEY, place);
      set({ place });
    },
  }));
}

export type PreferencesStore = ReturnType<typeof createPreferencesStore>;
