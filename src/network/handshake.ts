/**
 * What both ends say on a new channel before anything else is read: first `hello`, then `proof`. The proof is an HMAC, under a key
 * that only the room's members have, over the role of who proves, both DTLS fingerprints as each side's own connection shows
 * them, and both hellos, which carry the node ids and fresh nonces. So whoever put other fingerprints into the session descriptions, or repeats
 * an older connection, or reflects what it hears, fails.
 *
 * The first two bytes of a hello (1, protocol version) keep their meaning for ever, so that nodes of any two versions can tell a person.
 */
import type { Generation, NodeId } from "../raft/types.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { PROTOCOL_VERSION } from "./codec.ts";

const HELLO = 1;
const PROOF = 2;
const NONCE_BYTES = 16;
const PROOF_BYTES = 32;
/** No hello or proof is longer. */
const MAX_BYTES = 512;
const encoder = new TextEncoder();

export type HandshakeFault = "newerVersion" | "olderVersion" | "wrongSecret" | "wrongPeer" | "badHandshake" | "handshakeTimeout";

/** In upper-case hexadecimal with colons. */
export interface Fingerprints {
  readonly local: string;
  readonly remote: string;
}

/** What a peer said of the history that it belongs to; not proven before the handshake has succeeded. */
export type GenerationMark = Pick<Generation, "number" | "id">;

export interface HandshakeOptions {
  readonly self: NodeId;
  /** Who should be at the other end. */
  readonly peer: NodeId;
  readonly initiator: boolean;
  readonly authKey: CryptoKey;
  readonly generation: GenerationMark | null;
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Called once, unless `stop` came first. */
  readonly onResult: (result: HandshakeResult) => void;
  /** For tests. */
  readonly version?: number;
}

export type HandshakeResult =
  /** `epoch`: 32 bits that name this connection, the same at both ends. */
  | { readonly epoch: number; readonly generation: GenerationMark | null }
  | { readonly refused: HandshakeFault; readonly words: string };

export class Handshake {
  readonly #version: number;
  readonly #hello: Uint8Array<ArrayBuffer>;
  #theirs: { readonly bytes: Uint8Array; readonly generation: GenerationMark | null } | null = null;
  #fingerprints: Fingerprints | null = null;
  #received = 0;
  #proof: Uint8Array<ArrayBuffer> | null = null;
  #proving = false;
  #proved = false;
  #over = false;

  constructor(private readonly options: HandshakeOptions) {
    this.#version = options.version ?? PROTOCOL_VERSION;
    this.#hello = this.#writeHello();
  }

  /** Whether it waits for bytes of the peer: the next message on the channel is then its own, not a frame. */
  get wantsBytes(): boolean {
    return this.#received < 2;
  }

  /** The channel is open. */
  start(): void {
    this.options.send(this.#hello);
  }

  /** From the connection's actual descriptions, local and remote. */
  fingerprints(fingerprints: Fingerprints): void {
    this.#fingerprints = fingerprints;
    this.#advance();
  }

  receive(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#received += 1;
    if (bytes.length > MAX_BYTES) this.#refuse("badHandshake");
    else if (this.#received === 1) this.#receiveHello(bytes);
    else this.#receiveProof(bytes);
  }

  timeout(): void {
    this.#refuse("handshakeTimeout");
  }

  stop(): void {
    this.#over = true;
  }

  #writeHello(): Uint8Array<ArrayBuffer> {
    const writer = new ByteWriter();
    writer.byte(HELLO);
    writer.byte(this.#version);
    writer.raw(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
    writer.id(this.options.self);
    writer.optional(this.options.generation, (generation) => {
      writer.integer(generation.number);
      writer.hex128(generation.id);
    });
    return writer.finish();
  }

  #receiveHello(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    const kind = reader.byte();
    const version = reader.byte();
    if (reader.fault !== null || kind !== HELLO) {
      this.#refuse("badHandshake");
      return;
    }
    if (version !== this.#version) {
      this.#refuse(version > this.#version ? "newerVersion" : "olderVersion", version);
      return;
    }
    reader.raw(NONCE_BYTES);
    const id = reader.id();
    const generation = reader.optional(() => ({ number: reader.integer(), id: reader.hex128() }));
    reader.end();
    if (reader.fault !== null) this.#refuse("badHandshake");
    else if (id !== this.options.peer) this.#refuse("wrongPeer");
    else {
      this.#theirs = { bytes, generation };
      this.#advance();
    }
  }

  #receiveProof(bytes: Uint8Array): void {
    if (bytes.length !== 1 + PROOF_BYTES || bytes[0] !== PROOF) {
      this.#refuse("badHandshake");
      return;
    }
    this.#proof = bytes.slice(1);
    this.#advance();
  }

  /** Does what has become possible: proves once hello and fingerprints are known, checks once the proof is there as well. */
  #advance(): void {
    if (this.#over || this.#theirs === null || this.#fingerprints === null) return;
    if (!this.#proving) {
      this.#proving = true;
      this.#prove(this.#theirs.bytes, this.#fingerprints).catch(() => this.#refuse("badHandshake"));
    } else if (this.#proved && this.#proof !== null) {
      const { authKey, initiator } = this.options;
      const said = this.#transcript(initiator ? "responder" : "initiator", this.#theirs.bytes, this.#fingerprints);
      const checked = crypto.subtle.verify("HMAC", authKey, this.#proof, said);
      this.#proof = null;
      this.#finish(checked, this.#theirs, this.#fingerprints).catch(() => this.#refuse("badHandshake"));
    }
  }

  async #prove(theirs: Uint8Array, fingerprints: Fingerprints): Promise<void> {
    const said = this.#transcript(this.options.initiator ? "initiator" : "responder", theirs, fingerprints);
    const proof = new Uint8Array(await crypto.subtle.sign("HMAC", this.options.authKey, said));
    if (this.#over) return;
    this.options.send(new Uint8Array([PROOF, ...proof]));
    this.#proved = true;
    this.#advance();
  }

  async #finish(
    checked: Promise<boolean>,
    theirs: { readonly bytes: Uint8Array; readonly generation: GenerationMark | null },
    fingerprints: Fingerprints,
  ): Promise<void> {
    if (!(await checked)) {
      this.#refuse("wrongSecret");
      return;
    }
    const said = this.#transcript("epoch", theirs.bytes, fingerprints);
    const epoch = new DataView(await crypto.subtle.sign("HMAC", this.options.authKey, said)).getUint32(0);
    if (this.#over) return;
    this.#over = true;
    this.options.onResult({ epoch, generation: theirs.generation });
  }

  #transcript(
    purpose: "initiator" | "responder" | "epoch",
    theirHello: Uint8Array,
    found: Fingerprints,
  ): Uint8Array<ArrayBuffer> {
    const { initiator } = this.options;
    const writer = new ByteWriter();
    writer.string(`tabraft ${purpose}`);
    writer.string(initiator ? found.local : found.remote);
    writer.string(initiator ? found.remote : found.local);
    writer.bytes(initiator ? this.#hello : theirHello);
    writer.bytes(initiator ? theirHello : this.#hello);
    return writer.finish();
  }

  #refuse(refused: HandshakeFault, theirVersion = 0): void {
    if (this.#over) return;
    this.#over = true;
    this.options.onResult({ refused, words: explain(refused, this.#version, theirVersion) });
  }
}

function explain(fault: HandshakeFault, ours: number, theirs: number): string {
  switch (fault) {
    case "newerVersion":
      return `it speaks a newer protocol (${theirs}, this tab ${ours}): reload this tab`;
    case "olderVersion":
      return `it speaks an older protocol (${theirs}, this tab ${ours}): reload that one`;
    case "wrongSecret":
      return "it does not know this room, or somebody stands between";
    case "wrongPeer":
      return "another node answered than the one that was called";
    case "badHandshake":
      return "it does not keep to the protocol";
    case "handshakeTimeout":
      return "it did not answer in time";
  }
}

/** `AB:CD:...`, 32 bytes of SHA-256. */
export function isFingerprint(text: string): boolean {
  return encoder.encode(text).length === 95 && /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/.test(text);
}
