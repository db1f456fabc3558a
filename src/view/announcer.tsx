/** Tells listeners to a screen reader what others see: who leads, and whether a majority is there. At most one line in two seconds. */
import { useSessionState } from "./context.ts";
import { useSettled } from "./hooks.ts";
import { isJoining, nodeName } from "./words.ts";

const ANNOUNCE_MS = 2_000;

export function Announcer() {
  const leader = useSessionState(({ status }) => {
    if (status === null || status.leader === null) return "";
    const who = status.leader === status.nodeId ? "This tab leads" : `${nodeName(status, status.leader)} leads`;
    return `${who}, term ${status.term}.`;
  });
  const alarm = useSessionState(({ status }) => {
    if (status === null || isJoining(status)) return "";
    if (status.storage.failure !== null) return "This tab cannot save any more.";
    return status.quorum ? "" : "No majority: your edits are kept here.";
  });
  const politely = useSettled(leader, leader, ANNOUNCE_MS);
  const urgently = useSettled(alarm, alarm, ANNOUNCE_MS);
  return (
    <div className="visually-hidden">
      <p role="status">{politely}</p>
      <p role="alert">{urgently}</p>
    </div>
  );
}
