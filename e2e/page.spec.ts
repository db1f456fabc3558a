/** What the browser itself says of the page: its policy, its console, its keyboard, its names. */
import type { Page } from "@playwright/test";
import { expect, test } from "./harness/test.ts";

/** Presses Tab until the focus is there. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 30; pressed += 1) {
    if (await page.locator(selector).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`30 times Tab did not lead to ${selector}.`);
}

test("the page runs under its policy without a complaint, and the keyboard alone leads from home into the text", async ({
  world,
}) => {
  const tab = await world.openHome();
  const { page } = tab;
  const response = await page.reload();
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe/);
  expect(response?.headers()["x-content-type-options"]).toBe("nosniff");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await page.locator("html").getAttribute("lang")).toBeTruthy();
  expect(await page.title()).not.toBe("");

  await tabTo(page, "button.button-primary");
  await page.keyboard.press("Enter");
  await world.untilReady(tab);
  const editor = page.getByRole("textbox", { name: "Document text" });
  await expect(editor).toBeFocused();
  await page.keyboard.type("No mouse.");
  await world.untilSameText([tab], "No mouse.");

  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(page, ".cm-content");
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" Again.");
  await world.untilSameText([tab], "No mouse. Again.");

  const unnamed = await page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>("button, a[href], input, textarea, [role=switch]")];
    const named = (control: HTMLElement) =>
      control.textContent?.trim() || control.ariaLabel || control.title || (control as HTMLInputElement).labels?.length;
    return controls.filter((control) => !named(control)).map((control) => control.outerHTML);
  });
  expect(unnamed).toEqual([]);

  const other = await world.openTab(await world.link(tab));
  await world.untilSameText([tab, other], "No mouse. Again.");
  await world.reload(other);
  for (const { console } of [tab, other])
    expect(console.filter((line) => /^(error|warning|uncaught|crashed)/.test(line))).toEqual([]);
});

test("the page's policy is enforced", async ({ world }) => {
  const tab = await world.openHome();
  const blocked = await tab.page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.injected = true";
        document.body.append(script);
      }),
  );
  expect(blocked).toBe("script-src-elem");
  expect(await tab.page.evaluate(() => "injected" in window)).toBe(false);
});
