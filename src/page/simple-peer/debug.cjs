/** simple-peer's own log: the page has one of its own. */
module.exports = () => () => undefined;
