/** The prebuilt bundle of simple-peer brings its own shims; its types are those of the package. */
declare module "simple-peer/simplepeer.min.js" {
  import Peer from "simple-peer";
  export default Peer;
}
