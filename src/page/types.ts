/** The words of the node that page and views use: one door, so that views know nothing of what lies behind the stores. */
import type { NodeStatus } from "../node/protocol.ts";

export type {
  ActivityMark,
  CopyComparison,
  CopyLine,
  ElectionTimer,
  LogLine,
  MarkKind,
  MembershipAction,
  MetricSample,
  NodeEvent,
  NodeStatus,
  NodeStop,
  SignalingState,
  UnplacedText,
} from "../node/protocol.ts";

export type NodeId = NodeStatus["nodeId"];
export type RoleName = NodeStatus["role"];
export type Term = NodeStatus["term"];
export type LogIndex = NodeStatus["commitIndex"];
