/** Each case of one to seven tabs that close one after another, with the expected outcome in words; ARCHITECTURE.md has the same table. */
import { describe, expect, test } from "vitest";
import { type Leaving, leave } from "./leaving.ts";

const cases = [1, 2, 3, 4, 5, 6, 7].flatMap((tabs) =>
  ([1, 2] as const).map((browsers) => ({
    tabs,
    browsers,
    where: `${tabs} ${tabs === 1 ? "tab" : "tabs"} in ${browsers} ${browsers === 1 ? "browser" : "browsers"}`,
  })),
);

/** How many tabs are left when the document cannot be written any more; 0: it can to the last. */
function lostAt(leaving: Leaving): number {
  const left = leave(leaving, 10 * leaving.tabs + leaving.browsers);
  expect(left.length).toBe(leaving.count);
  return left.find(({ isWritable }) => !isWritable)?.tabs ?? 0;
}

describe.each([
  ["close in good order, five seconds apart", "close", 5000],
  ["are killed and nobody is told, fifteen seconds apart", "kill", 15_000],
] as const)("tabs that %s", (_how, end, pauseMs) => {
  test.each(cases)("$where, any but the leader's: writable to the last", ({ tabs, browsers }) => {
    expect(lostAt({ tabs, browsers, end, pauseMs, first: "others", count: tabs - 1 })).toBe(0);
  });

  test.each(cases)("$where, the leader's each time: writable until the one voter of two tabs goes", ({ tabs, browsers }) => {
    expect(lostAt({ tabs, browsers, end, pauseMs, first: "leader", count: tabs - 1 })).toBe(tabs === 1 ? 0 : 1);
  });
});

/** Of so many tabs, these many voters may vanish at once. */
const mayVanish: { readonly [tabs: number]: number } = { 1: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 2, 7: 2 };

describe.each(["close", "kill"] as const)("tabs that %s at once, sooner than anybody can act, the leader's first", (end) => {
  test.each(cases)("$where: writable as long as a majority of the voters stays", ({ tabs, browsers }) => {
    const most = mayVanish[tabs] ?? 0;
    const atOnce = { tabs, browsers, end, pauseMs: 50, first: "leader" } as const;
    if (most > 0) expect(leave({ ...atOnce, count: most }, tabs).at(-1)).toMatchObject({ isWritable: true });
    if (tabs > 1) expect(leave({ ...atOnce, count: most + 1 }, tabs).at(-1)).toMatchObject({ isWritable: false });
  });
});
