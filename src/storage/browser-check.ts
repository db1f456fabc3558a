/** Runs the storage contract on the IndexedDB of the page or worker that loads this file. */
import { type ContractCase, type StorageUnderTest, storageContract } from "./contract.ts";
import { type Durability, IndexedDbStorage } from "./indexeddb-storage.ts";
import { deleteNodeDatabase } from "./node-database.ts";

let made = 0;

/** A node of its own, in a room that no link leads to. */
export async function indexedDbUnderTest(durability: Durability = "strict"): Promise<StorageUnderTest> {
  made += 1;
  const nodeId = `check${made}`;
  const topic = "storage-check";
  await deleteNodeDatabase(topic, nodeId);
  let create = true;
  return {
    async open() {
      const storage = new IndexedDbStorage({ topic, nodeId, create, durability });
      create = false;
      return storage;
    },
    dispose: () => deleteNodeDatabase(topic, nodeId),
  };
}

/** Resolves with one line for each case that failed; with none if all hold. */
export async function runStorageContractInBrowser(
  durability: Durability = "strict",
): Promise<{ cases: number; failures: string[] }> {
  const cases = storageContract(() => indexedDbUnderTest(durability));
  const failures: string[] = [];
  for (const one of cases) failures.push(...(await failureOf(one)));
  return { cases: cases.length, failures };
}

async function failureOf(one: ContractCase): Promise<string[]> {
  try {
    await one.run();
    return [];
  } catch (error) {
    return [`${one.name}: ${String(error)}`];
  }
}
