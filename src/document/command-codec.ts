/** Commands as bytes: the version of the state machine, then compact JSON. Decoding is total. */
import { AUTHOR_LENGTH_MAX, CLIENT_ID_LENGTH_MAX, CLIENT_ID_LENGTH_MIN, COMMAND_BYTES_MAX } from "./limits.ts";
import type { ChangesJson, DocumentCommand, MapValue } from "./types.ts";

/** Raised when `apply` changes its meaning: a replica must not read what it would apply differently. */
export const STATE_MACHINE_VERSION = 1;

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
  if (bytes[0] !== STATE_MACHINE_VERSION) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes.subarray(1)));
  } catch {
    return undefined;
  }
}

export function encodeCommand(command: DocumentCommand): Uint8Array {
  switch (command.kind) {
    case "edit":
      return encodeVersioned(JSON.stringify(["edit", command.clientId, command.author, command.baseVersion, command.updates]));
    case "set":
      return encodeVersioned(JSON.stringify(["set", command.key, command.value]));
    case "compareAndSet":
      return encodeVersioned(JSON.stringify(["compareAndSet", command.key, command.expected, command.value]));
    case "unreadable":
      return encodeVersioned("null");
  }
}

/** The shape alone; keys, values and changes are judged where they are applied. */
export function decodeCommand(bytes: Uint8Array): DocumentCommand {
  if (bytes.length > COMMAND_BYTES_MAX) return UNREADABLE;
  const json = decodeVersioned(bytes);
  if (!Array.isArray(json)) return UNREADABLE;
  switch (json[0]) {
    case "edit":
      return json.length === 5 ? decodeEdit(json) : UNREADABLE;
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

function decodeEdit(json: readonly unknown[]): DocumentCommand {
  const [, clientId, author, baseVersion, updates] = json;
  if (typeof clientId !== "string" || typeof author !== "string") return UNREADABLE;
  if (typeof baseVersion !== "number" || !Array.isArray(updates) || !updates.every(Array.isArray)) return UNREADABLE;
  const command = { kind: "edit" as const, clientId, author, baseVersion, updates: updates as readonly ChangesJson[] };
  return isEditHeaderSound(command) ? command : UNREADABLE;
}

export function isEditHeaderSound(command: {
  readonly clientId: string;
  readonly author: string;
  readonly baseVersion: number;
}): boolean {
  const { clientId, author, baseVersion } = command;
  if (clientId.length < CLIENT_ID_LENGTH_MIN || clientId.length > CLIENT_ID_LENGTH_MAX) return false;
  return author.length <= AUTHOR_LENGTH_MAX && Number.isSafeInteger(baseVersion) && baseVersion >= 0;
}
