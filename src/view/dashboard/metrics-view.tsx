/** Live charts of this node's last ten minutes; to be stopped, zoomed into, and taken away as text for Prometheus. */
import { useState } from "react";
import type { MetricSample, NodeStatus } from "../../page/types.ts";
import { useSession, useWatch } from "../context.ts";
import { nodeLines } from "../node-lines.ts";
import { Chart, type Series } from "./chart.tsx";

const SPANS = [
  { seconds: 60, title: "1 min" },
  { seconds: 300, title: "5 min" },
  { seconds: 600, title: "10 min" },
] as const;

export function MetricsView({ status }: { readonly status: NodeStatus }) {
  const live = useWatch((state) => state.samples);
  const [held, setHeld] = useState<readonly MetricSample[] | null>(null);
  const [seconds, setSeconds] = useState<number>(60);
  const [zoom, setZoom] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const samples = held ?? live;
  const at = samples.map((sample) => sample.at / 1000);
  const to = at.at(-1) ?? 0;
  const shown = zoom ?? { from: to - seconds, to };
  const zoomTo = (from: number, until: number) => {
    setHeld(samples);
    setZoom({ from, to: until });
  };
  return (
    <>
      <div className="tools">
        <button
          type="button"
          className="button button-small"
          aria-pressed={held !== null}
          onClick={() => {
            setHeld(held === null ? live : null);
            setZoom(null);
          }}
        >
          {held === null ? "Pause" : "Go on"}
        </button>
        <fieldset className="segments">
          <legend className="visually-hidden">Shown time</legend>
          {SPANS.map((span) => (
            <label key={span.seconds} className="segment">
              <input
                type="radio"
                name="span"
                checked={zoom === null && seconds === span.seconds}
                onChange={() => {
                  setSeconds(span.seconds);
                  setZoom(null);
                }}
              />
              <span>{span.title}</span>
            </label>
          ))}
        </fieldset>
        {zoom !== null && (
          <button type="button" className="button button-small" onClick={() => setZoom(null)}>
            Whole time
          </button>
        )}
        <CopyMetrics />
      </div>
      {samples.length === 0 ? (
        <p className="muted">The first second is being measured.</p>
      ) : (
        <div className="charts">
          {chartsOf(samples, status).map(({ title, unit, series }) => (
            <Chart key={title} title={title} unit={unit} at={at} series={series} window={shown} onZoom={zoomTo} />
          ))}
        </div>
      )}
      <p className="muted">Drag over a chart to look closer.</p>
    </>
  );
}

function chartsOf(
  samples: readonly MetricSample[],
  status: NodeStatus,
): readonly { readonly title: string; readonly unit: string; readonly series: readonly Series[] }[] {
  const values = (of: (sample: MetricSample) => number | null) => samples.map(of);
  const peers = nodeLines(status).filter((node) => !node.isSelf && samples.some(({ roundTripMs }) => node.id in roundTripMs));
  return [
    {
      title: "Commit latency",
      unit: "ms",
      series: [
        { title: "p50", color: "accent-text", values: values((sample) => sample.commitP50Ms) },
        { title: "p99", color: "wait", dashed: true, values: values((sample) => sample.commitP99Ms) },
      ],
    },
    {
      title: "Commits",
      unit: "/s",
      series: [{ title: "entries", color: "accent-text", values: values(({ commits }) => commits) }],
    },
    {
      title: "Storage latency",
      unit: "ms",
      series: [
        { title: "p50", color: "accent-text", values: values((sample) => sample.storageP50Ms) },
        { title: "p99", color: "wait", dashed: true, values: values((sample) => sample.storageP99Ms) },
      ],
    },
    {
      title: "Round trip",
      unit: "ms",
      series: peers.map((peer) => {
        return { title: peer.name, color: `node-color-${peer.color}`, values: values((s) => s.roundTripMs[peer.id] ?? null) };
      }),
    },
    {
      title: "Elections by this node",
      unit: "/s",
      series: [{ title: "campaigns", color: "bad", values: values(({ elections }) => elections) }],
    },
    {
      title: "Bytes to and from peers",
      unit: "B/s",
      series: [
        { title: "in", color: "accent-text", values: values(({ bytesIn }) => bytesIn) },
        { title: "out", color: "wait", dashed: true, values: values(({ bytesOut }) => bytesOut) },
      ],
    },
  ].filter(({ series }) => series.length > 0);
}

function CopyMetrics() {
  const session = useSession();
  const [said, setSaid] = useState("");
  const copy = () => {
    const { room } = session;
    if (room === null) return;
    room
      .request<"metrics">({ kind: "metrics" })
      .then((text) => navigator.clipboard.writeText(text))
      .then(
        () => setSaid("Copied."),
        (error: unknown) => setSaid(`Not copied: ${error instanceof Error ? error.message : String(error)}`),
      );
  };
  return (
    <>
      <button type="button" className="button button-small" onClick={copy}>
        Copy for Prometheus
      </button>
      <span role="status" className="muted">
        {said}
      </span>
    </>
  );
}
