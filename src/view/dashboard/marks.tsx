/**
 * What passes on the links, as moving marks: this node's own as they happen, the others' as their digests tell of them. A sample: one mark for
 * a kind, a link and a tenth of a second. None for those who want no motion.
 */
import { useEffect, useRef, useState } from "react";
import type { MarkKind, NodeId, NodeStatus } from "../../page/types.ts";
import { useSession } from "../context.ts";
import type { Place } from "./picture-places.ts";

const TRAVEL_MS = 500;
/** More at once would be a smear, and work for nothing. */
const MOVING_MAX = 24;

const LEGEND: readonly { readonly kind: MarkKind; readonly words: string }[] = [
  { kind: "heartbeat", words: "heartbeat" },
  { kind: "entries", words: "entries" },
  { kind: "vote", words: "asks for a vote" },
  { kind: "granted", words: "vote" },
  { kind: "refused", words: "refusal" },
  { kind: "answer", words: "answer" },
];

interface Move {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly kind: MarkKind;
}

interface MarksProps {
  readonly status: NodeStatus;
  readonly places: ReadonlyMap<NodeId, Place>;
}

export function Marks({ status, places }: MarksProps) {
  const session = useSession();
  const stage = useRef<HTMLDivElement>(null);
  const still = useReducedMotion();
  const known = useRef(places);
  known.current = places;
  const self = status.nodeId;
  useEffect(() => {
    if (still) return;
    const show = (moves: readonly Move[]) => {
      if (stage.current === null || document.visibilityState === "hidden") return;
      for (const move of moves) start(stage.current, move, known.current);
    };
    const ownMarks = session.watch.subscribe((state, before) => {
      if (state.marks === before.marks) return;
      show(state.marks.map(({ peer, out, kind }) => ({ kind, from: out ? self : peer, to: out ? peer : self })));
    });
    const others = session.store.subscribe((state, before) => {
      if (state.status !== null && before.status !== null) show(movesOfOthers(before.status, state.status));
    });
    return () => {
      ownMarks();
      others();
    };
  }, [session, self, still]);
  return (
    <>
      <div ref={stage} className="marks" aria-hidden="true" />
      <p className="legend">
        {LEGEND.map(({ kind, words }) => (
          <span key={kind} className="legend-line">
            <span className={`mark mark-${kind}`} aria-hidden="true" />
            {words}
          </span>
        ))}
      </p>
    </>
  );
}

/** On links between two others: whoever asks for votes asks everybody, and a leader whose commit moved has sent entries. */
function movesOfOthers(before: NodeStatus, now: NodeStatus): readonly Move[] {
  return now.peers.flatMap((peer) => {
    const earlier = before.peers.find(({ id }) => id === peer.id);
    if (earlier === undefined || !peer.connected) return [];
    const others = now.peers.filter(({ id, connected }) => id !== peer.id && connected);
    const campaigns = peer.role === "candidate" && earlier.term !== peer.term;
    const sends = peer.role === "leader" && (earlier.commitIndex ?? 0) < (peer.commitIndex ?? 0);
    const kind: MarkKind | null = campaigns ? "vote" : sends ? "entries" : null;
    return kind === null ? [] : others.map(({ id }) => ({ from: peer.id, to: id, kind }));
  });
}

/** By the browser's compositor: the page's thread only starts it. */
function start(stage: HTMLElement, { from, to, kind }: Move, places: ReadonlyMap<NodeId, Place>): void {
  const [a, b] = [places.get(from), places.get(to)];
  if (a === undefined || b === undefined || stage.childElementCount >= MOVING_MAX) return;
  const mark = document.createElement("span");
  mark.className = `mark mark-${kind}`;
  stage.append(mark);
  const at = ({ x, y }: Place) => `translate(calc(${x}cqw - 50%), calc(${y}cqw - 50%))`;
  const travel = mark.animate([{ transform: at(a) }, { transform: at(b) }], { duration: TRAVEL_MS, easing: "ease-in-out" });
  travel.onfinish = () => mark.remove();
  travel.oncancel = () => mark.remove();
}

function useReducedMotion(): boolean {
  const query = "(prefers-reduced-motion: reduce)";
  const [still, setStill] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const onChange = () => setStill(list.matches);
    list.addEventListener("change", onChange);
    return () => list.removeEventListener("change", onChange);
  }, []);
  return still;
}
