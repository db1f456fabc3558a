/** The server that helps tabs find each other may go, come back, and be sent anything. */

import { RawSocket } from "./harness/raw-socket.ts";
import { expect, test } from "./harness/test.ts";

test("signaling stops: the three go on, a fourth says that it waits, and joins when signaling is back", async ({ world }) => {
  const tabs = await world.newCluster();
  const link = await world.link(tabs[0]);
  const { term } = await world.status(tabs[0]);

  await world.server.stop();
  await Promise.all(tabs.map((tab) => world.untilStatus(tab, "lost signaling", ({ signaling }) => signaling === "waiting")));
  for (const tab of tabs) await tab.append("x");
  await world.untilSameText(tabs, "xxx");
  await expect(tabs[0].page.getByText("tabs that are already connected go on")).not.toHaveCount(0);

  await world.server.stopSignaling();
  // In another browser: tabs of one find each other without a server.
  const fourth = await world.openTab(link, await world.newDevice());
  await expect(fourth.page.getByText("Waiting for someone who has this document")).toBeVisible();
  await expect(fourth.page.getByText("The signaling server does not answer; trying again.")).toBeVisible();
  await tabs[1].append("y");
  await world.untilSameText(tabs, "xxxy");
  expect((await world.status(fourth)).voters).toEqual([]);

  await world.server.restart();
  await world.untilSameText([...tabs, fourth], "xxxy");
  await world.untilReady(fourth);
  await world.type(fourth, "z");
  await world.untilSameText([...tabs, fourth], "xxxyz");
  await Promise.all(
    [...tabs, fourth].map((tab) => world.untilStatus(tab, "signaling", ({ signaling }) => signaling === "connected")),
  );
  expect((await world.status(tabs[0])).term).toBe(term);
});

test("what the server cannot read is refused and counted, and harms nobody", async ({ world }) => {
  const tabs = await world.newCluster();
  const { term } = await world.status(tabs[0]);
  const signal = new URL("/signal", world.server.url).href.replace("http", "ws");
  const topic = "A".repeat(22);
  const join = (version: number) => JSON.stringify({ kind: "join", version, topic, nodeId: "raw" });

  await test.step("malformed until the door closes", async () => {
    const raw = await RawSocket.open(signal);
    for (const text of ["", "{", "null", '{"kind":"join"}', JSON.stringify({ kind: "relay", to: "../..", box: "<>" })])
      raw.send(text);
    expect(await raw.closed).toBe(1008);
    expect(raw.received.map(({ kind, code }) => `${kind} ${code}`)).toEqual(Array(5).fill("error malformed"));
    expect(world.server.refused("malformed")).toBe(5);
  });
  await test.step("too large", async () => {
    const raw = await RawSocket.open(signal);
    raw.send("x".repeat(64 * 1024 + 1));
    expect(await raw.closed).toBe(1009);
    expect(world.server.refused("oversize")).toBe(1);
  });
  await test.step("binary, too early, of another version", async () => {
    const raw = await RawSocket.open(signal);
    raw.send(new Uint8Array([1, 2, 3]));
    raw.send(JSON.stringify({ kind: "relay", to: "somebody", box: "AAAA" }));
    raw.send(join(999));
    expect(await raw.closed).toBe(1008);
    expect(["binary", "notJoined", "otherVersion"].map((reason) => world.server.refused(reason as "binary"))).toEqual([1, 1, 1]);
  });
  await test.step("a flood, and a page of another origin", async () => {
    const raw = await RawSocket.open(signal);
    raw.send(join(1));
    for (let sent = 0; sent < 600; sent += 1) raw.send(JSON.stringify({ kind: "relay", to: "nobody", box: "AAAA" }));
    expect(await raw.closed).toBe(1008);
    expect(world.server.refused("flooded")).toBe(1);
    await expect(RawSocket.open(signal, "https://elsewhere.example")).rejects.toThrow(/403/);
  });

  expect((await fetch(new URL("/healthz", world.server.url))).status).toBe(200);
  for (const tab of tabs) await tab.append("!");
  await world.untilSameText(tabs, "!!!");
  for (const tab of tabs) {
    const { signaling, term: now } = await world.status(tab);
    expect({ signaling, term: now }).toEqual({ signaling: "connected", term });
  }
});
