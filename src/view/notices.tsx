/** One line of words when something is wrong, and what to do about it. Never hidden, however narrow the screen. */
import { useEffect } from "react";
import type { NodeStatus } from "../page/types.ts";
import { useSession, useSessionState } from "./context.ts";
import { Copies } from "./copies.tsx";
import { useSettled } from "./hooks.ts";
import { LostQuorum } from "./lost-quorum.tsx";
import { Notice } from "./notice.tsx";
import { connectedPeers, count, isJoining, signalingWords } from "./words.ts";

const NOTICE_MS = 6_000;
/** An election is no trouble; this is longer than one. */
const QUORUM_SETTLE_MS = 2_500;
const SIGNALING_SETTLE_MS = 2_500;
const OUTBOX_SETTLE_MS = 1_500;

export function Notices() {
  const status = useSessionState((state) => state.status);
  return (
    <div className="notices">
      <OpeningNotice />
      {status !== null && <StatusNotices status={status} />}
      <CrashNotice />
      <OutboxNotices />
      <PassingNotice />
    </div>
  );
}

function StatusNotices({ status }: { readonly status: NodeStatus }) {
  const session = useSession();
  const isIsolated = status.faults.some((fault) => fault.startsWith("isolated"));
  const noQuorumNow = !isJoining(status) && !status.quorum;
  const noQuorum = useSettled(noQuorumNow, String(noQuorumNow), noQuorumNow ? QUORUM_SETTLE_MS : 0);
  const noSignalingNow = status.signaling === "waiting" && !isJoining(status);
  const noSignaling = useSettled(noSignalingNow, String(noSignalingNow), noSignalingNow ? SIGNALING_SETTLE_MS : 0);
  return (
    <>
      {status.storage.failure !== null && (
        <Notice tone="bad">
          This tab cannot save any more: {status.storage.failure} Copy your text, then free some disk space and reload.
        </Notice>
      )}
      {isIsolated && (
        <Notice tone="bad">
          This tab is isolated: nothing reaches it, and nothing leaves it.{" "}
          <button type="button" className="button button-small" onClick={() => session.heal()}>
            Reconnect
          </button>
        </Notice>
      )}
      {!isIsolated && status.faults.length > 0 && (
        <Notice tone="waiting">
          Broken on purpose in this tab: {status.faults.join("; ")}.{" "}
          <button type="button" className="button button-small" onClick={() => session.heal()}>
            Heal
          </button>
        </Notice>
      )}
      {status.otherVersion !== null && <Notice tone="bad">{OTHER_VERSION_WORDS[status.otherVersion]}</Notice>}
      {noQuorum && !isIsolated && <LostQuorum status={status} />}
      <Copies />
      {noSignaling && <Notice tone="waiting">{signalingWords("waiting", connectedPeers(status))}</Notice>}
    </>
  );
}

/** What happened to the memory of this tab's node, until the person has read it. */
function OpeningNotice() {
  const session = useSession();
  const told = useSessionState((state) => state.told);
  if (told.length === 0) return null;
  return (
    <Notice tone="bad">
      {told.join(" ")}{" "}
      <button type="button" className="button button-small" onClick={() => session.dismissTold()}>
        I have read it
      </button>
    </Notice>
  );
}

/** Of two tabs of different versions each says what its own person can do. */
const OTHER_VERSION_WORDS = {
  newer: "Another tab has a newer version of this page, and the two do not understand each other. Reload this tab.",
  older: "Another tab has an older version of this page, and the two do not understand each other. That one must be reloaded.",
} as const;

function CrashNotice() {
  const session = useSession();
  const crashed = useSessionState((state) => state.crashed);
  return crashed ? (
    <Notice tone="bad">
      The node of this tab has crashed, as it was told to. What you type stays here until it runs again.{" "}
      <button type="button" className="button button-small" onClick={() => session.restart()}>
        Start it again
      </button>
    </Notice>
  ) : null;
}

function OutboxNotices() {
  const waiting = useSessionState((state) => state.outbox.waiting);
  const failure = useSessionState((state) => state.outbox.failure);
  const isLate = useSettled(waiting > 0, String(waiting > 0), waiting > 0 ? OUTBOX_SETTLE_MS : 0);
  return (
    <>
      {failure !== null && (
        <Notice tone="bad">
          What you write cannot be kept on this device until it is committed ({failure}). Leave this tab open until the line above
          says that all is committed.
        </Notice>
      )}
      {isLate && waiting > 0 && (
        <Notice tone="waiting">
          {count(waiting, "earlier change", "earlier changes")} of this device {waiting === 1 ? "is" : "are"} kept, and come into
          the document as soon as a majority answers.
        </Notice>
      )}
    </>
  );
}

function PassingNotice() {
  const session = useSession();
  const notice = useSessionState((state) => state.notice);
  useEffect(() => {
    if (notice === null) return;
    const timer = setTimeout(() => session.dismissNotice(), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice, session]);
  return <div role="status">{notice !== null && <Notice tone="waiting">{notice}</Notice>}</div>;
}
