/** How components reach the stores and the actions. */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { PreferencesState, PreferencesStore } from "../page/preferences-store.ts";
import type { Session } from "../page/session.ts";
import type { SessionState } from "../page/session-store.ts";

export interface PageParts {
  readonly session: Session;
  readonly preferences: PreferencesStore;
}

export const PageContext = createContext<PageParts | null>(null);

function usePage(): PageParts {
  const parts = useContext(PageContext);
  if (parts === null) throw new Error("a component stands outside of the page");
  return parts;
}

export function useSession(): Session {
  return usePage().session;
}

export function useSessionState<T>(select: (state: SessionState) => T): T {
  return useStore(usePage().session.store, select);
}

export function usePreferences<T>(select: (state: PreferencesState) => T): T {
  return useStore(usePage().preferences, select);
}
