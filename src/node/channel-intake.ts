/** What the page hands over of a new connection: its data channel, or a port to it where the browser leaves it to the page. */
import type { ChannelLike } from "../network/channel.ts";
import { PortChannel } from "../network/port-channel.ts";
import type { Pause } from "./pause.ts";

export class ChannelIntake {
  #saidBridged = false;

  constructor(
    private readonly pause: Pause,
    private readonly tell: (text: string) => void,
  ) {}

  take(given: RTCDataChannel | MessagePort): ChannelLike {
    if (!(given instanceof MessagePort)) return this.pause.channel(given);
    if (!this.#saidBridged) this.tell("This browser leaves data channels to the page: a busy page delays the node.");
    this.#saidBridged = true;
    return this.pause.channel(new PortChannel(given));
  }
}
