/**
 * simple-peer is a stream of Node, whose library for browsers is three times as large as simple-peer itself. Here no byte goes through its
 * stream: the node's channel is another one. So this is the stream without streaming; its events are all that is used.
 */
const { EventEmitter } = require("events");

class Duplex extends EventEmitter {
  readable = true;
  writable = true;
  /** simple-peer asks these when it ends. */
  _readableState = { ended: true };
  _writableState = { finished: true };

  /** What came in on simple-peer's own channel, where nobody of this project speaks: dropped. */
  push() {
    return false;
  }
}

module.exports = { Duplex };
