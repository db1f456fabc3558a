/** The outbox over a real database and a real document: what a tab left is brought in once, whatever has happened meanwhile. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import { changesOf, editOf, placed } from "../document/editing.test-kit.ts";
import { DOCUMENT_LIMITS } from "../document/limits.ts";
import { SharedDocument } from "../document/shared-document.ts";
import type { ChangesJson, EditCommand } from "../document/types.ts";
import { Outbox } from "../storage/outbox.ts";
import type { LocksLike } from "./identity.ts";
import { OutboxDesk } from "./outbox-desk.ts";
import type { FromNode, KeepMessage } from "./protocol.ts";

const EDITOR = "editor-of-a-tab";
const OTHER = "somebody-else";

/** As the browser's: by name, one at a time; those of a tab that ends are free. */
class Locks {
  readonly held = new Set<string>();
  ofTab(): { locks: LocksLike; end(): void } {
    const mine = new Set<string>();
    const locks: LocksLike = {
      request: async (name, _options, callback) => {
        if (this.held.has(name)) return callback(null);
        this.held.add(name);
        mine.add(name);
        try {
          return await callback({ name });
        } finally {
          if (mine.has(name)) this.held.delete(name);
        }
      },
    };
    const end = () => {
      for (const name of mine) this.held.delete(name);
      mine.clear();
    };
    return { locks, end };
  }
}

class Device {
  document = new SharedDocument({ ...DOCUMENT_LIMITS, windowUpdatesMax: 8 });
  readonly locks = new Locks();
  hasMajority = true;
  index = 0;

  apply(command: EditCommand) {
    const [response] = this.document.apply([placed(command, ++this.index)]);
    if (response === undefined) throw new Error("no response");
    return response;
  }

  write(from: number, insert: string, to = from): void {
    const changes = changesOf({ from, to, insert }, this.document.length);
    const serial = this.document.editor(OTHER).accepted ?? 0;
    this.apply(editOf(OTHER, this.document.version, [changes], { serial }));
  }

  async open(): Promise<OpenTab> {
    const { locks, end } = this.locks.ofTab();
    const said: Extract<FromNode, { kind: "outbox" }>[] = [];
    const desk = new OutboxDesk({
      topic: "room",
      document: this.document,
      locks,
      propose: async (command) => {
        if (!this.hasMajority) throw Object.assign(new Error("no majority"), { name: "NoQuorum" });
        return this.apply(command);
      },
      catchUp: async () => {
        if (!this.hasMajority) throw new Error("no majority");
      },
      post: (message) => {
        if (message.kind === "outbox") said.push(message);
      },
    });
    await desk.start();
    const crash = () => {
      desk.stop();
      end();
    };
    return { desk, said, crash };
  }
}

interface OpenTab {
  readonly desk: OutboxDesk;
  readonly said: Extract<FromNode, { kind: "outbox" }>[];
  crash(): void;
}

let device: Device;

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  device = new Device();
});

function keep(device: Device, updates: readonly ChangesJson[], more: Partial<KeepMessage> = {}): KeepMessage {
  const about = { clientId: EDITOR, author: "Ada", color: 3, at: 9, serial: 0, baseVersion: device.document.version };
  return { kind: "keep", ...about, updates, afresh: true, ...more };
}

function insertion(device: Device, at: number, text: string): ChangesJson {
  return changesOf({ from: at, insert: text }, device.document.length);
}

async function kept(): Promise<readonly string[]> {
  const outbox = await Outbox.open();
  const clients = await outbox.clients("room");
  outbox.close();
  return clients;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Ada's tab writes with nobody there, and is gone from one instruction to the next once it is on disk. */
async function leave(updates: readonly ChangesJson[]): Promise<void> {
  const tab = await device.open();
  tab.desk.receive({ kind: "editing", clientId: EDITOR });
  tab.desk.receive(keep(device, updates));
  tab.desk.leave();
  const outbox = await Outbox.open();
  await until(async () => {
    const found = await outbox.read("room", EDITOR);
    return found !== null && found.updates.length === updates.length && found.record.baseText !== null;
  });
  outbox.close();
  tab.crash();
}

describe("what a tab left", () => {
  it("is brought in by the next tab of the device, as its author's, and then forgotten", async () => {
    await leave([insertion(device, 0, "kept")]);
    device.write(0, "theirs ");
    const next = await device.open();
    await until(async () => (await kept()).length === 0);
    expect(device.document.text).toBe("theirs kept");
    expect(device.document.authors().at(-1)).toMatchObject({ author: "Ada", color: 3, at: 9 });
    expect(next.said.at(-1)).toMatchObject({ waiting: 0, unplaced: [], failure: null });
  });

  it("waits for a majority, and is counted meanwhile", async () => {
    await leave([insertion(device, 0, "kept")]);
    device.hasMajority = false;
    const next = await device.open();
    await until(() => next.said.at(-1)?.waiting === 1);
    expect(device.document.text).toBe("");
    device.hasMajority = true;
    await until(async () => (await kept()).length === 0);
    expect(device.document.text).toBe("kept");
  });

  it("is left alone while that tab is there", async () => {
    const first = await device.open();
    first.desk.receive({ kind: "editing", clientId: EDITOR });
    first.desk.receive(keep(device, [insertion(device, 0, "kept")]));
    await until(async () => (await kept()).length === 1);
    await device.open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([device.document.text, await kept()]).toEqual(["", [EDITOR]]);
  });

  it("and was accepted without a word counts once", async () => {
    const mine = insertion(device, 0, "once");
    await leave([mine]);
    device.apply(editOf(EDITOR, 0, [mine]));
    await device.open();
    await until(async () => (await kept()).length === 0);
    expect(device.document.text).toBe("once");
  });

  it("of which one part was accepted, longer ago than the window reaches, is merged without that part", async () => {
    device.write(0, "one\ntwo\n");
    const mine = insertion(device, 8, "mine\n");
    const more = changesOf({ from: 13, insert: "more\n" }, 13);
    const base = device.document.version;
    await leave([mine, more]);
    device.apply(editOf(EDITOR, base, [mine]));
    for (let i = 0; i < 12; i++) device.write(3, "!");
    const next = await device.open();
    await until(async () => (await kept()).length === 0);
    expect(device.document.text).toBe("one!!!!!!!!!!!!\ntwo\nmine\nmore\n");
    expect(next.said.at(-1)).toMatchObject({ unplaced: [] });
  });

  it("where others have written since, long ago, is shown beside theirs until it was seen; the rest is placed", async () => {
    device.write(0, "a red house\nend\n");
    const mine = changesOf(
      [
        { from: 2, to: 5, insert: "blue" },
        { from: 16, insert: "mine\n" },
      ],
      16,
    );
    await leave([mine]);
    device.write(2, "green", 5);
    for (let i = 0; i < 12; i++) device.write(0, "!");
    const next = await device.open();
    await until(() => (next.said.at(-1)?.unplaced.length ?? 0) > 0);
    expect(device.document.text).toBe("!!!!!!!!!!!!a green house\nend\nmine\n");
    const offered = next.said.at(-1)?.unplaced;
    expect(offered).toEqual([{ clientId: EDITOR, texts: [{ base: "red", mine: "blue", theirs: "green" }] }]);
    next.crash();
    const again = await device.open();
    await until(() => (again.said.at(-1)?.unplaced.length ?? 0) > 0);
    expect(device.document.text.match(/mine/g)).toHaveLength(1);
    again.desk.receive({ kind: "forget", clientId: EDITOR });
    await until(async () => (await kept()).length === 0);
  });

  it("without the text that it changed, and too old, is shown whole", async () => {
    await leave([insertion(device, 0, "mine")]);
    const outbox = await Outbox.open();
    const record = (await outbox.read("room", EDITOR))?.record;
    if (record === undefined) throw new Error("nothing was kept");
    // As after a power cut within the first second.
    await outbox.write([{ record: { ...record, baseText: null }, afresh: false, from: 1, updates: [] }], false);
    outbox.close();
    for (let i = 0; i < 12; i++) device.write(0, "!");
    const next = await device.open();
    await until(() => (next.said.at(-1)?.unplaced.length ?? 0) > 0);
    expect(next.said.at(-1)?.unplaced[0]?.texts).toEqual([{ base: "", mine: "mine", theirs: "" }]);
  });

  it("in an editor that lost its place is brought in beside the editor that goes on", async () => {
    device.write(0, "base\n");
    const tab = await device.open();
    tab.desk.receive({ kind: "editing", clientId: EDITOR });
    tab.desk.receive(keep(device, [insertion(device, 5, "mine\n")]));
    for (let i = 0; i < 12; i++) device.write(0, "!");
    tab.desk.receive({ kind: "strand", clientId: EDITOR });
    await until(() => device.document.text.includes("mine"));
    expect(device.document.text).toBe("!!!!!!!!!!!!base\nmine\n");
    await until(async () => (await kept()).length === 0);
  });
});

it("what the document has is dropped from the disk, and a later change is not dropped with it", async () => {
  const tab = await device.open();
  tab.desk.receive({ kind: "editing", clientId: EDITOR });
  const mine = insertion(device, 0, "a");
  tab.desk.receive(keep(device, [mine]));
  device.apply(editOf(EDITOR, 0, [mine]));
  tab.desk.told();
  await until(async () => (await kept()).length === 0);
  tab.desk.receive(keep(device, [insertion(device, 1, "b")], { serial: 1 }));
  await until(async () => (await kept()).length === 1);
  tab.crash();
  await device.open();
  await until(async () => (await kept()).length === 0);
  expect(device.document.text).toBe("ab");
});
