/** Who does not know the room's secret, or does not keep to what was agreed, gets past nothing, however much of the rest it has. */

import { deriveRoomKeys, makeSecret, type RoomKeys } from "../src/network/room-keys.ts";
import { Seal } from "../src/network/seal.ts";
import type { NodeStatus } from "../src/node/protocol.ts";
import { RawSocket } from "./harness/raw-socket.ts";
import type { Tab } from "./harness/tab.ts";
import { expect, test } from "./harness/test.ts";
import { until } from "./harness/until.ts";
import type { World } from "./harness/world.ts";

const STRANGER = "z".repeat(22);
const OFFER = {
  kind: "signal",
  connectionId: "B".repeat(22),
  data: { type: "offer", sdp: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" },
};

/** The room's topic, as its server knows it, with the keys of another secret. */
async function strangersKeys(link: string): Promise<RoomKeys> {
  const { topic } = await deriveRoomKeys(new URL(link).hash.slice(1));
  return { ...(await deriveRoomKeys(makeSecret())), topic };
}

async function join(world: World, topic: string, nodeId: string): Promise<{ raw: RawSocket; peers: readonly string[] }> {
  const raw = await RawSocket.open(new URL("/signal", world.server.url).href.replace("http", "ws"));
  raw.send(JSON.stringify({ kind: "join", version: 1, topic, nodeId }));
  const { peers = [] } = await raw.untilSaid("the roster", ({ kind }) => kind === "roster");
  return { raw, peers };
}

/** How often this tab refused something for one of these reasons. */
async function refusals(world: World, tab: Tab, ...reasons: string[]): Promise<number> {
  const { refused } = await world.status(tab);
  return reasons.reduce((sum, reason) => sum + (refused[reason] ?? 0), 0);
}

/** The three are the whole cluster, in the term of old, and commit. */
async function expectHealthy(world: World, tabs: readonly Tab[], term: number): Promise<void> {
  const before = await world.text(tabs[0] as Tab);
  for (const tab of tabs) await tab.append("+");
  await world.untilSameText(tabs, `${before}+++`);
  const all = await Promise.all(tabs.map((tab) => world.status(tab)));
  const ids = all.map(({ nodeId }) => nodeId).sort();
  for (const status of all) {
    const connected = status.peers.filter((peer) => peer.connected).map(({ id }) => id);
    expect([status.nodeId, ...connected].sort()).toEqual(ids);
    expect([...status.voters].sort()).toEqual(ids);
    expect({ term: status.term, learners: status.learners, quorum: status.quorum }).toEqual({ term, learners: [], quorum: true });
  }
  for (const tab of tabs) await expect(tab.page.getByRole("list", { name: "Nodes" }).getByRole("listitem")).toHaveCount(3);
}

test("a stranger who knows the room's topic, but not its secret, gets past nothing", async ({ world }) => {
  const tabs = await world.newCluster();
  const { term } = await world.status(tabs[0]);
  const keys = await strangersKeys(await world.link(tabs[0]));
  const ids = await Promise.all(tabs.map(async (tab) => (await world.status(tab)).nodeId));
  for (const tab of tabs) await world.showCluster(tab);

  await test.step("knocks, offers and garbage under another key", async () => {
    const { raw, peers } = await join(world, keys.topic, STRANGER);
    expect([...peers].sort()).toEqual([...ids].sort());
    const seal = new Seal(keys, STRANGER);
    for (const to of ids) {
      for (const text of ['{"kind":"knock"}', JSON.stringify(OFFER), "not a signal"])
        raw.send(JSON.stringify({ kind: "relay", to, box: await seal.seal(to, text) }));
      for (const box of ["A", "A".repeat(50), "A".repeat(60_000)]) raw.send(JSON.stringify({ kind: "relay", to, box }));
    }
    for (const tab of tabs) {
      const all = async () => ((await refusals(world, tab, "badSeal", "badBox")) === 6 ? true : null);
      await until(`six refusals in ${tab.name}`, all, () => tab.report());
    }
    await expectHealthy(world, tabs, term);
    raw.close();
  });

  await test.step("in the place of a node", async () => {
    const [victim, ...others] = ids;
    if (victim === undefined) throw new Error("There is a first tab.");
    const { raw } = await join(world, keys.topic, victim);
    await world.untilStatus(tabs[0], "lost its place", ({ refused }) => refused["signaling:replaced"] === 1);
    const seal = new Seal(keys, victim);
    for (const to of others) raw.send(JSON.stringify({ kind: "relay", to, box: await seal.seal(to, '{"kind":"knock"}') }));
    for (const tab of tabs.slice(1))
      await world.untilStatus(
        tab,
        "a seventh refusal",
        ({ refused }) => (refused["badSeal"] ?? 0) + (refused["badBox"] ?? 0) >= 7,
      );
    await expectHealthy(world, tabs, term);
    raw.close();
    await world.untilStatus(tabs[0], "its place again", ({ signaling }) => signaling === "connected");
  });
});

test("a peer that talks nonsense on its channel is refused, counted, and no peer", async ({ world }) => {
  const tabs = await world.newCluster();
  const { term } = await world.status(tabs[0]);
  for (const tab of tabs) await world.showCluster(tab);

  const rogue = await world.openHome();
  await rogue.page.addInitScript(talkNonsense);
  await rogue.page.goto(await world.link(tabs[0]));
  await rogue.page.reload();

  const isRefusal = ({ refused }: NodeStatus) => (refused["badFrame"] ?? 0) + (refused["badHandshake"] ?? 0) > 0;
  for (const tab of tabs) await world.untilStatus(tab, "a refusal", isRefusal);
  const [frames, handshakes] = await Promise.all([
    Promise.all(tabs.map((tab) => refusals(world, tab, "badFrame"))),
    Promise.all(tabs.map((tab) => refusals(world, tab, "badHandshake"))),
  ]);
  expect(Math.max(...frames)).toBeGreaterThan(0);
  expect(Math.max(...handshakes)).toBeGreaterThan(0);
  await expectHealthy(world, tabs, term);
  expect((await world.status(rogue)).voters).toEqual([]);
});

/** In the page: keeps each channel that belongs to the worker, and sends noise on it, bytes and text in turn. */
function talkNonsense(): void {
  const { postMessage } = Worker.prototype;
  let kept = 0;
  function replacement(this: Worker, message: { kind: string; channel?: RTCDataChannel }, options?: StructuredSerializeOptions) {
    const { channel } = message;
    if (message.kind !== "channel" || channel === undefined) {
      postMessage.call(this, message, options);
      return;
    }
    kept += 1;
    const asText = kept % 2 === 1;
    channel.onopen = () => {
      if (asText) channel.send("let me in");
      else channel.send(crypto.getRandomValues(new Uint8Array(2000)));
    };
  }
  Object.assign(Worker.prototype, { postMessage: replacement });
}
