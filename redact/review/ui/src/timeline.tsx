// The film under the picture: shots, covers by kind, findings and sound, with a playhead that pointer and keys move.

import type { ComponentChildren, VNode } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { Draft } from "./draft.ts";
import { lanes, stretches } from "./lanes.ts";
import { framesOf } from "./stretch.ts";
import type { Finding, Item, Kind } from "./types.ts";
import { clock } from "./words.ts";

const KINDS: readonly [Kind, string][] = [
  ["face", "Faces"],
  ["head", "Heads"],
  ["text", "Texts"],
  ["code", "Codes"],
];

/** Rows of one kind that are drawn apart; the rest share the last. */
const MOST_ROWS = 5;
const ROW = 7;

export function Timeline({ item, draft, frame, selected, finding, muteFrom, go }: {
  item: Item;
  draft: Draft;
  frame: number;
  selected: string | null;
  finding: Finding | null;
  muteFrom: number | null;
  go: (frame: number) => void;
}) {
  const area = useRef<HTMLDivElement>(null);
  const { frames } = item;
  const times = item.frame_times ?? [];
  const time = times[frame] ?? 0;
  const x = (at: number): number => (at / frames) * 1000;

  const scrub = (event: PointerEvent): void => {
    const bounds = area.current?.getBoundingClientRect();
    if (!bounds) return;
    const part = (event.clientX - bounds.left) / bounds.width;
    go(Math.min(frames - 1, Math.max(0, Math.floor(part * frames))));
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    scrub(event);
  };
  const drag = (event: PointerEvent): void => {
    if ((event.currentTarget as Element).hasPointerCapture(event.pointerId)) scrub(event);
  };
  const key = (event: KeyboardEvent): void => {
    const second = Math.max(1, Math.round(frames / Math.max(item.seconds, 0.1)));
    const steps: Record<string, number> = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: 1, ArrowDown: -1,
      PageUp: second, PageDown: -second, Home: -frames, End: frames,
    };
    const step = steps[event.key];
    if (step === undefined || event.shiftKey) return;
    event.preventDefault();
    go(Math.min(frames - 1, Math.max(0, frame + step)));
  };

  // Of a long film there are thousands of bars: they are made again when they change, not on every frame.
  const kinds = useMemo(() => barsOf(draft, selected), [draft, selected]);

  /** The others are of the whole file, not of a frame. */
  const placed = item.findings.filter(({ first }) => first !== null);

  return (
    <div class="timeline">
      <div class="rows" aria-hidden="true">
        {item.shots.length > 1 && <Row words="Shots" rows={1} />}
        {kinds.map(({ words, count, rows }) => (
          <Row key={words} words={`${words} ${count}`} rows={rows} />
        ))}
        {placed.length > 0 && <Row words={`Findings ${placed.length}`} rows={1} />}
        {item.has_sound && <Row words="Silenced" rows={1} />}
      </div>
      <div
        ref={area}
        class="area"
        role="slider"
        tabIndex={0}
        aria-label="Frame"
        aria-valuemin={0}
        aria-valuemax={frames - 1}
        aria-valuenow={frame}
        aria-valuetext={`Frame ${frame} of ${frames - 1}, ${clock(time)}`}
        onPointerDown={down}
        onPointerMove={drag}
        onKeyDown={key}
      >
        {item.shots.length > 1 && (
          <Bars rows={1}>
            {item.shots.map(([first, last], n) => (
              <rect key={first} class={`shot${n % 2}`} x={x(first)} width={x(last + 1 - first)} y={1} height={ROW - 2} />
            ))}
          </Bars>
        )}
        {kinds.map(({ drawn }) => drawn)}
        {placed.length > 0 && (
          <Bars rows={1}>
            {placed.map((one) => {
              const first = one.first ?? 0;
              const last = one.last ?? first;
              const tone = `finding${one.index === finding?.index ? " chosen" : ""}`;
              return <rect key={one.index} class={tone} x={x(first)} width={Math.max(x(last + 1 - first), 3)} y={1} height={ROW - 2} />;
            })}
          </Bars>
        )}
        {item.has_sound && (
          <Bars rows={1}>
            {draft.audio.map((range) => {
              const [first, after] = framesOf(times, range);
              return <rect key={`${range.start}-${range.end}`} class="sound" x={x(first)} width={Math.max(x(after - first), 3)} y={1} height={ROW - 2} />;
            })}
            {muteFrom !== null && (
              <rect class="sound open" x={x(Math.min(muteFrom, frame))} width={Math.max(x(Math.abs(frame - muteFrom) + 1), 3)} y={1} height={ROW - 2} />
            )}
          </Bars>
        )}
        <div class="playhead" style={{ left: `${((frame + 0.5) / frames) * 100}%` }} />
      </div>
    </div>
  );
}

interface Rows {
  words: string;
  count: number;
  rows: number;
  drawn: VNode;
}

/** The rows of each kind that there is, with its bars. */
function barsOf(draft: Draft, selected: string | null): Rows[] {
  const x = (at: number): number => (at / draft.frames) * 1000;
  return KINDS.flatMap(([kind, words]) => {
    const tracks = draft.tracks.filter((track) => track.kind === kind);
    if (tracks.length === 0) return [];
    const packed = lanes(tracks);
    const rows = Math.min(packed.rows, MOST_ROWS);
    const drawn = (
      <Bars key={kind} rows={rows}>
        {packed.bars.flatMap(({ track, lane }) =>
          stretches(track.spans).map(([first, last]) => (
            <rect
              key={`${track.key}-${first}`}
              class={`${kind}${track.keep ? " kept" : ""}${track.key === selected ? " chosen" : ""}`}
              x={x(first)}
              width={Math.max(x(last + 1 - first), 2)}
              y={Math.min(lane, MOST_ROWS - 1) * ROW + 1}
              height={ROW - 2}
            />
          )),
        )}
      </Bars>
    );
    return [{ words, count: tracks.length, rows, drawn }];
  });
}

function Row({ words, rows }: { words: string; rows: number }) {
  return <span style={{ height: `${Math.max(rows * ROW, 14)}px` }}>{words}</span>;
}

function Bars({ rows, children }: { rows: number; children: ComponentChildren }) {
  const high = rows * ROW;
  return (
    <svg viewBox={`0 0 1000 ${high}`} preserveAspectRatio="none" style={{ height: `${Math.max(high, 14)}px` }} aria-hidden="true">
      {children}
    </svg>
  );
}
