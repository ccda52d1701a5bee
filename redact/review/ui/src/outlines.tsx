// Covers and findings as outlines over the picture, with their names. Only lines: nothing here takes a press.

import { spansAt, type Draft } from "./draft.ts";
import type { Box, Finding } from "./types.ts";

/** With more covers on a frame than this, only the selected one says its name. */
const MOST_NAMES = 12;

export interface OutlinesProps {
  draft: Draft;
  findings: readonly Finding[];
  frame: number;
  /** Pixels of the canvas for one pixel of the item, and of the screen for one of the canvas. */
  scale: number;
  zoom: number;
  selected: string | null;
  finding: number | null;
  canvas: { width: number; height: number };
}

export function Outlines({ draft, findings, frame, scale, zoom, selected, finding, canvas }: OutlinesProps) {
  const here = findings.filter((one) => one.box && (one.first ?? 0) <= frame && (one.last ?? frame) >= frame);
  const crowded = draft.tracks.filter((track) => spansAt(track, frame).length > 0).length > MOST_NAMES;
  return (
    <svg class="outlines" viewBox={`0 0 ${canvas.width} ${canvas.height}`} aria-hidden="true">
      <defs>
        <pattern id="hatch" width={8 / zoom} height={8 / zoom} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line class="hatch" x1="0" y1="0" x2="0" y2={8 / zoom} />
        </pattern>
      </defs>
      {draft.tracks.flatMap((track) =>
        spansAt(track, frame).map((span, n) => {
          const named = n === 0 && (!crowded || track.key === selected);
          const tone = `${track.kind}${track.keep ? " kept" : ""}${track.key === selected ? " chosen" : ""}`;
          const name = named ? track.name + (track.keep ? ", shown on purpose" : "") : "";
          return <Outline key={`${track.key}-${n}`} box={span.box} {...{ tone, name, scale, zoom, canvas }} />;
        }),
      )}
      {here.map((one) => {
        const tone = `finding${one.index === finding ? " chosen" : ""}`;
        const name = `Finding ${one.index + 1}`;
        return <Outline key={`f${one.index}`} box={one.box as Box} {...{ tone, name, scale, zoom, canvas }} below />;
      })}
    </svg>
  );
}

function Outline({
  box,
  tone,
  name,
  scale,
  zoom,
  canvas,
  below = false,
}: {
  box: Box;
  tone: string;
  name: string;
  scale: number;
  zoom: number;
  canvas: { width: number; height: number };
  below?: boolean;
}) {
  const [x, y, w, h] = box.map((value) => value * scale) as [number, number, number, number];
  const [high, letter] = [17 / zoom, 6.6 / zoom];
  const wide = name.length * letter + 8 / zoom;
  const left = Math.max(0, Math.min(x, canvas.width - wide));
  const top = below
    ? Math.min(y + h, canvas.height - high)
    : Math.max(0, y - high);
  return (
    <g class={tone}>
      <rect class="under" x={x} y={y} width={w} height={h} />
      <rect class="line" x={x} y={y} width={w} height={h} />
      {name && (
        <>
          <rect class="tag" x={left} y={top} width={wide} height={high} rx={3 / zoom} />
          <text x={left + 4 / zoom} y={top + 12.5 / zoom} font-size={12 / zoom} textLength={wide - 8 / zoom}>
            {name}
          </text>
        </>
      )}
    </g>
  );
}
