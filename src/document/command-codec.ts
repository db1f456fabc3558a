/** Commands as bytes: the version of the state machine, then compact JSON. Decoding is total. */
import { AUTHOR_LENGTH_MAX, CLIENT_ID_LENGTH_MAX, CLIENT_ID_LENGTH_MIN, COLOR_MAX, COMMAND_BYTES_MAX } from "./limits.ts";
import type { ChangesJson, DocumentCommand, EditCommand, MapValue } from "./types.ts";

/** Raised when `apply` changes its meaning: a replica must not read what it would apply differently. */
export const STATE_MACHINE_VERSION = 2;
/** The first byte of what every version reads: to which version the state machine goes over. */
const UPGRADE = 0;

/** The log has gone over to a later state machine than this code is. */
export class UnsupportedVersion extends Error {
  override readonly name = "UnsupportedVersion";
  constructor(wanted: number, supported: number) {
    super(`the document has gone over to version ${wanted} of its rules, and this program knows version ${supported}`);
  }
}

const UNREADABLE: DocumentCommand = { kind: "unreadable" };
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeVersioned(json: string): Uint8Array {
  const text = encoder.encode(json);
  const bytes = new Uint8Array(text.length + 1);
  bytes[0] = STATE_MACHINE_VERSION;
  bytes.set(text, 1);
  return bytes;
}

/** `undefined`: not of this version, or no JSON. */
export function decodeVersioned(bytes: Uint8Array): unknown {
  return bytes[0] === STATE_MACHINE_VERSION ? parseVersioned(bytes) : undefined;
}

/** What stands behind the first byte; `undefined`: no JSON. */
export function parseVersioned(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes.subarray(1)));
  } catch {
    return undefined;
  }
}

export function encodeCommand(command: DocumentCommand): Uint8Array {
  switch (command.kind) {
    case "edit":
      return encodeVersioned(JSON.stringify(editParts(command)));
    case "set":
      return encodeVersioned(JSON.stringify(["set", command.key, command.value]));
    case "compareAndSet":
      return encodeVersioned(JSON.stringify(["compareAndSet", command.key, command.expected, command.value]));
    case "upgrade":
      return new Uint8Array([UPGRADE, ...encoder.encode(JSON.stringify(["upgrade", command.to]))]);
    case "unreadable":
      return encodeVersioned("null");
  }
}

function editParts({ clientId, serial, author, color, at, baseVersion, updates, replaces }: EditCommand): readonly unknown[] {
  const replaced = replaces === null ? null : [replaces.clientId, replaces.accepted];
  return ["edit", clientId, serial, author, color, at, baseVersion, updates, replaced];
}

/** The shape alone; keys, values and changes are judged where they are applied. */
export function decodeCommand(bytes: Uint8Array): DocumentCommand {
  if (bytes.length > COMMAND_BYTES_MAX) return UNREADABLE;
  if (bytes[0] === UPGRADE) return decodeUpgrade(bytes);
  const json = decodeVersioned(bytes);
  if (!Array.isArray(json)) return UNREADABLE;
  switch (json[0]) {
    case "edit":
      return json.length === 9 ? decodeEdit(json) : UNREADABLE;
    case "set":
      return json.length === 3 && typeof json[1] === "string"
        ? { kind: "set", key: json[1], value: json[2] as MapValue }
        : UNREADABLE;
    case "compareAndSet":
      return json.length === 4 && typeof json[1] === "string"
        ? { kind: "compareAndSet", key: json[1], expected: json[2] as MapValue, value: json[3] as MapValue }
        : UNREADABLE;
    default:
      return UNREADABLE;
  }
}

function decodeUpgrade(bytes: Uint8Array): DocumentCommand {
  const json = parseVersioned(bytes);
  const to: unknown = Array.isArray(json) && json.length === 2 && json[0] === "upgrade" ? json[1] : null;
  return isCount(to) && to > 0 ? { kind: "upgrade", to } : UNREADABLE;
}

function decodeEdit(json: readonly unknown[]): DocumentCommand {
  const [, clientId, serial, author, color, at, baseVersion, updates, replaced] = json;
  if (typeof clientId !== "string" || typeof author !== "string") return UNREADABLE;
  if (!isCount(serial) || !isCount(color) || !isCount(at) || !isCount(baseVersion)) return UNREADABLE;
  if (!Array.isArray(updates) || !updates.every(Array.isArray)) return UNREADABLE;
  const replaces = decodeReplaces(replaced);
  if (replaces === undefined) return UNREADABLE;
  const header = { kind: "edit" as const, clientId, serial, author, color, at, baseVersion };
  const command = { ...header, updates: updates as readonly ChangesJson[], replaces };
  return isEditHeaderSound(command) ? command : UNREADABLE;
}

function decodeReplaces(replaced: unknown): EditCommand["replaces"] | undefined {
  if (replaced === null) return null;
  if (!Array.isArray(replaced) || replaced.length !== 2) return undefined;
  const [clientId, accepted] = replaced as unknown[];
  return typeof clientId === "string" && isCount(accepted) ? { clientId, accepted } : undefined;
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}

function isClientId(clientId: string): boolean {
  return clientId.length >= CLIENT_ID_LENGTH_MIN && clientId.length <= CLIENT_ID_LENGTH_MAX;
}

export function isEditHeaderSound(command: Omit<EditCommand, "kind" | "updates">): boolean {
  const { clientId, serial, author, color, at, baseVersion, replaces } = command;
  if (!isClientId(clientId) || author.length > AUTHOR_LENGTH_MAX) return false;
  if (![serial, color, at, baseVersion].every(isCount) || color > COLOR_MAX) return false;
  return replaces === null || (isClientId(replaces.clientId) && replaces.clientId !== clientId && isCount(replaces.accepted));
}
