/** What a person who only reads must fetch: measured as it is sent, page and worker together. */
import { expect, test } from "./harness/test.ts";

/** Bytes, compressed. */
const FIRST_LOAD_MAX = 250_000;

test("a reader of a document loads less than 250 kB of JavaScript, and the dashboard only when it is opened", async ({
  world,
}) => {
  const author = await world.newDocument();
  await world.type(author, "To be read.");
  const link = await world.link(author);

  const page = await world.device.newPage();
  const sent = new Map<string, Promise<number>>();
  page.on("requestfinished", (request) => {
    const { pathname } = new URL(request.url());
    if (!pathname.endsWith(".js")) return;
    const size = request.response().then(async (response) => {
      const encoding = response?.headers()["content-encoding"];
      expect([pathname, encoding]).toEqual([pathname, "br"]);
      return Number(response?.headers()["content-length"]);
    });
    sent.set(pathname, size);
  });
  await page.goto(link);
  await expect(page.locator(".cm-content")).toHaveText("To be read.");
  const sizes = await Promise.all(sent.values());
  expect([...sent.keys()].some((path) => path.includes("worker"))).toBe(true);
  const sum = sizes.reduce((a, b) => a + b, 0);
  expect(sum).toBeGreaterThan(100_000);
  expect(sum, [...sent.keys()].map((path, at) => `${path}: ${sizes[at]}`).join("\n")).toBeLessThan(FIRST_LOAD_MAX);

  const before = sent.size;
  await page.getByRole("switch", { name: "Dashboard" }).click();
  await expect(page.getByRole("tab", { name: "Cluster", selected: true })).toBeVisible();
  expect(sent.size).toBeGreaterThan(before);
});
