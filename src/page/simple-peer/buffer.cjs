/** As much of Node's as simple-peer wraps with what comes in. */
/** @param {ArrayBuffer} data */
const from = (data) => new Uint8Array(data);

module.exports = { Buffer: { from } };
