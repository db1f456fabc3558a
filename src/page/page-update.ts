/**
 * Keeps the page loadable without a network, and offers a newer build of it when one has arrived. Nothing is reloaded unless the person
 * of this tab says so: somebody may be in the middle of a word here.
 */
import { createStore, type StoreApi } from "zustand/vanilla";

/** Milliseconds between two looks for a newer build in a tab that stays open. */
const LOOK_EVERY_MS = 60 * 60 * 1000;
const SCRIPT = "service-worker.js";

export interface PageUpdateState {
  /** A newer build of the page is on this device. */
  readonly ready: boolean;
}

/** As much of the browser as is used. */
export interface PageUpdateHost {
  /** Absent in a browser, or at an address, that allows no service worker. */
  readonly container: ServiceWorkerContainer | undefined;
  reload(): void;
  /** What failed costs the person nothing but the page without a network. */
  report(error: unknown): void;
}

export class PageUpdate {
  readonly store: StoreApi<PageUpdateState> = createStore<PageUpdateState>(() => ({ ready: false }));
  private registration: ServiceWorkerRegistration | null = null;
  private reloading = false;

  constructor(private readonly host: PageUpdateHost) {}

  /** Once, when the page has loaded. */
  start(): void {
    const { container } = this.host;
    if (container === undefined) return;
    const hadController = container.controller !== null;
    container.addEventListener("controllerchange", () => {
      if (this.reloading) this.host.reload();
      // Asked for in another tab. This one goes on with what it has loaded.
      else if (hadController) this.offer();
    });
    container.register(SCRIPT).then(
      (registration) => this.watch(registration),
      (error: unknown) => this.host.report(error),
    );
  }

  /** The person asks for the newer build: this tab is reloaded with it, other tabs stay as they are. */
  accept(): void {
    this.store.setState({ ready: false });
    const waiting = this.registration?.waiting ?? null;
    if (waiting === null) {
      this.host.reload();
      return;
    }
    this.reloading = true;
    waiting.postMessage("takeOver");
  }

  /** The person goes on with the earlier build; the next tab that is opened after all were closed has the newer one. */
  dismiss(): void {
    this.store.setState({ ready: false });
  }

  private watch(registration: ServiceWorkerRegistration): void {
    this.registration = registration;
    if (registration.waiting !== null && registration.active !== null) this.offer();
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      // The very first one replaces nothing.
      if (installing === null || registration.active === null) return;
      installing.addEventListener("statechange", () => {
        if (installing.state === "installed") this.offer();
      });
    });
    setInterval(() => registration.update().catch((error: unknown) => this.host.report(error)), LOOK_EVERY_MS);
  }

  private offer(): void {
    this.store.setState({ ready: true });
  }
}

/** That of this page. A build alone has the script that is needed; while developing there is none. */
export function createPageUpdate(): PageUpdate {
  return new PageUpdate({
    container: import.meta.env.PROD && "serviceWorker" in navigator ? navigator.serviceWorker : undefined,
    reload: () => location.reload(),
    report: (error) => console.info("The page could not be kept for use without a network:", error),
  });
}
