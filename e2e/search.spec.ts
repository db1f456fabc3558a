/** Search in the text: its code comes with the first key. */
import { expect, test } from "./harness/test.ts";

test("the first key of all may be the one of search; what is found is marked, and the text can be written on", async ({
  world,
}) => {
  const tab = await world.newDocument();
  await tab.append("one two one");
  await world.untilSameText([tab], "one two one");
  await world.editor(tab).focus();
  await tab.page.keyboard.press("ControlOrMeta+f");
  const field = tab.page.getByRole("textbox", { name: "Find" });
  await expect(field).toBeFocused();
  await field.fill("one");
  await field.press("Enter");
  await expect(tab.page.locator(".cm-searchMatch")).toHaveCount(2);
  await field.press("Escape");
  await world.type(tab, "!");
  await world.untilSameText([tab], "one two one!");
});
