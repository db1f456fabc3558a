/** One chart of the last minutes: uPlot, in the page's colours. The numbers stand beside it in words, for those who do not see it. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series {
  readonly title: string;
  /** A token, without its dashes. */
  readonly color: string;
  readonly dashed?: boolean;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  readonly unit: string;
  /** Seconds since the epoch. */
  readonly at: readonly number[];
  readonly series: readonly Series[];
  /** Seconds that are shown; the newest at the right. `null`: as a person has dragged it. */
  readonly window: { readonly from: number; readonly to: number };
  readonly onZoom: (from: number, to: number) => void;
}

const HEIGHT = 132;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const format = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export function Chart({ title, unit, at, series, window: shown, onZoom }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const kinds = series.map((one) => `${one.title} ${one.color}`).join(",");
  const latest = useRef(series);
  latest.current = series;
  useEffect(() => {
    const element = place.current;
    if (element === null || kinds === "") return;
    const made = new uPlot(
      options(element, latest.current, (from, to) => zoom.current(from, to)),
      [[]],
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [kinds]);
  useEffect(() => {
    const made = plot.current;
    if (made === null) return;
    made.batch(() => {
      made.setData([[...at], ...series.map(({ values }) => [...values])], false);
      made.setScale("x", { min: shown.from, max: shown.to });
      made.setScale("y", rangeOf(at, series, shown));
    });
  }, [at, series, shown]);
  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong>
        <span className="chart-now">
          {series.map((one) => (
            <span key={one.title} className="chart-key">
              <span
                className={one.dashed ? "chart-line chart-dashed" : "chart-line"}
                style={{ borderColor: `var(--${one.color})` }}
              />
              {one.title} {nowWords(one.values, unit)}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={place} className="chart-plot" aria-hidden="true" />
    </figure>
  );
}

function nowWords(values: readonly (number | null)[], unit: string): string {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? "–" : `${format.format(last)} ${unit}`;
}

function rangeOf(
  at: readonly number[],
  series: readonly Series[],
  { from, to }: ChartProps["window"],
): { min: number; max: number } {
  let max = 0;
  for (const { values } of series)
    values.forEach((value, index) => {
      const when = at[index] ?? 0;
      if (value !== null && when >= from && when <= to && value > max) max = value;
    });
  return { min: 0, max: max === 0 ? 1 : max * 1.1 };
}

/** A colour of the page, read when it is drawn: it changes with the theme. */
function token(element: Element, name: string): string {
  const probe = getComputedStyle(element);
  return probe.getPropertyValue(`--${name}`).trim();
}

function options(element: HTMLElement, series: readonly Series[], onZoom: (from: number, to: number) => void): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: () => resolved(element, "ink-3"),
    grid: { stroke: () => resolved(element, "line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: [
      { ...axis, size: 24, space: 70, values: (_plot, ticks) => ticks.map((tick) => clock.format(tick * 1000)) },
      { ...axis, size: 46, space: 32, values: (_plot, ticks) => ticks.map((tick) => format.format(tick)) },
    ],
    series: [
      {},
      ...series.map((one): uPlot.Series => {
        return {
          label: one.title,
          stroke: () => resolved(element, one.color),
          width: 1.5,
          points: { show: false },
          ...(one.dashed ? { dash: [4, 3] } : {}),
        };
      }),
    ],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width > 4) onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** `light-dark()` is no colour to a canvas: the browser must say which of the two it is. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color || token(element, name);
}
