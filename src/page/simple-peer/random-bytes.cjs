/** As much of Node's as simple-peer names its channels with. */
/** @param {number} count */
module.exports = (count) => {
  const bytes = crypto.getRandomValues(new Uint8Array(count));
  return { toString: () => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
};
