/** How components reach the stores and the actions. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { LabState } from "../page/lab.ts";
import type { PageUpdate, PageUpdateState } from "../page/page-update.ts";
import type { PersistenceState } from "../page/persistence.ts";
import type { PreferencesState, PreferencesStore } from "../page/preferences-store.ts";
import type { Session } from "../page/session.ts";
import type { SessionState } from "../page/session-store.ts";
import type { ShelfState } from "../page/shelf.ts";
import type { WatchState } from "../page/watch-store.ts";

export interface PageParts {
  readonly session: Session;
  readonly preferences: PreferencesStore;
  readonly update: PageUpdate;
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

interface Readable<S> {
  getState(): S;
  subscribe(listener: () => void): () => void;
}

/** `select` must give the same value for the same state: a field, or something computed that is no new object. */
function useSelected<S, T>(store: Readable<S>, select: (state: S) => T): T {
  return useSyncExternalStore(store.subscribe, () => select(store.getState()));
}

export function useSessionState<T>(select: (state: SessionState) => T): T {
  return useSelected(usePage().session.store, select);
}

export function usePreferences<T>(select: (state: PreferencesState) => T): T {
  return useSelected(usePage().preferences, select);
}

export function usePageUpdate(): PageUpdate {
  return usePage().update;
}

export function usePageUpdateState<T>(select: (state: PageUpdateState) => T): T {
  return useSelected(usePage().update.store, select);
}

export function useShelfState<T>(select: (state: ShelfState) => T): T {
  return useSelected(usePage().session.shelf.store, select);
}

export function usePersistence<T>(select: (state: PersistenceState) => T): T {
  return useSelected(usePage().session.persistence.store, select);
}

/** Of a store that one component made for itself. */
export function useStore<S, T>(store: Readable<S>, select: (state: S) => T): T {
  return useSelected(store, select);
}

export function useLab<T>(select: (state: LabState) => T): T {
  return useSelected(usePage().session.lab.store, select);
}

/** Comes only while the dashboard watches. */
export function useWatch<T>(select: (state: WatchState) => T): T {
  return useSelected(usePage().session.watch, select);
}
