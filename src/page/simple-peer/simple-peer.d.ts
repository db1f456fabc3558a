/** As much of simple-peer as is used. */
declare module "simple-peer" {
  export interface PeerOptions {
    readonly initiator: boolean;
    /** Candidates are told one by one, as they are found. */
    readonly trickle: boolean;
    readonly objectMode: boolean;
    readonly config: RTCConfiguration;
  }

  export default class Peer {
    constructor(options: PeerOptions);
    readonly destroyed: boolean;
    on(event: "signal", listener: (data: unknown) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "connect" | "close", listener: () => void): this;
    /** Throws after `destroy`. */
    signal(data: object): void;
    destroy(error?: Error): void;
  }
}
