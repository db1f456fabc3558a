/** The operating system's processes behind a browser and its tabs, for tests that kill them. */
import type { BrowserContext, Page } from "@playwright/test";

interface Frame {
  readonly frame: string;
  readonly processId: number;
}

/** The process that runs this page and its workers: the one kind of event in which the browser says it. */
export async function rendererPid(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send("Page.getFrameTree");
    const frames: Frame[] = [];
    session.on("Tracing.dataCollected", ({ value }) => frames.push(...value.flatMap(framesOf)));
    const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline"] },
    });
    await session.send("Tracing.end");
    await complete;
    const own = frames.find(({ frame }) => frame === frameTree.frame.id);
    if (own === undefined) throw new Error("The browser does not say which process runs this tab.");
    return own.processId;
  } finally {
    await session.detach();
  }
}

/** The browser's own process, whose death takes all others along. */
export async function browserPid(context: BrowserContext): Promise<number> {
  const browser = context.browser();
  if (browser === null) throw new Error("A context on a profile directory has a browser of its own.");
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const own = processInfo.find(({ type }) => type === "browser");
  if (own === undefined) throw new Error("The browser does not list itself among its processes.");
  return own.id;
}

function framesOf(event: object): readonly Frame[] {
  if (!("name" in event) || event.name !== "TracingStartedInBrowser" || !("args" in event)) return [];
  const { args } = event as { readonly args: { readonly data?: { readonly frames?: readonly Frame[] } } };
  return args.data?.frames ?? [];
}
