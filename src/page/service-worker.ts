/**
 * The page without a network: keeps every file of the built page in this browser and serves them from there. A script of its own, which
 * the browser runs apart from all tabs. A newer one waits until no tab uses the earlier one, or until a person asks for it.
 */
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

/** As much of its global scope as is used. */
interface ServiceWorkerScope {
  /** The files of the build, put in its place by the build. */
  readonly __PRECACHE: Parameters<typeof precacheAndRoute>[0];
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
  skipWaiting(): Promise<void>;
}

declare const self: ServiceWorkerScope;

cleanupOutdatedCaches();
precacheAndRoute(self.__PRECACHE, { directoryIndex: "index.html", cleanURLs: false });

self.addEventListener("message", ({ data }) => {
  if (data === "takeOver") void self.skipWaiting();
});
