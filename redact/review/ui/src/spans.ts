// Arithmetic of spans and boxes: cutting, moving, filling in between key frames, and how much of a box others cover.
// Pure; nothing here makes coverage smaller unless it is asked to.

import type { Box, Key, Span } from "./types.ts";

/** Frames of one box between key frames: short enough to stay close, long enough to keep plans small. */
const RUN = 4;

export const SMALLEST = 4;

export function firstOf(spans: readonly Span[]): number {
  return spans.reduce((least, span) => Math.min(least, span.first), Infinity);
}

export function lastOf(spans: readonly Span[]): number {
  return spans.reduce((most, span) => Math.max(most, span.last), -Infinity);
}

/** The spans without frames `from` to `to`. */
export function without(spans: readonly Span[], from: number, to: number): Span[] {
  return spans.flatMap((span) => {
    if (span.last < from || span.first > to) return [span];
    const rest: Span[] = [];
    if (span.first < from) rest.push({ ...span, last: from - 1 });
    if (span.last > to) rest.push({ ...span, first: to + 1 });
    return rest;
  });
}

/** The box inside a picture of that size, at least `SMALLEST` wide and high. */
export function inside(box: Box, width: number, height: number): Box {
  const smallest = Math.min(SMALLEST, width, height);
  const x = Math.min(Math.max(box[0], 0), width - smallest);
  const y = Math.min(Math.max(box[1], 0), height - smallest);
  const right = Math.max(Math.min(box[0] + box[2], width), x + smallest);
  const bottom = Math.max(Math.min(box[1] + box[3], height), y + smallest);
  return [x, y, right - x, bottom - y];
}

/** The spans with their edges moved on frames `from` to `to` as `was` was moved to `is`. */
export function moved(
  spans: readonly Span[],
  from: number,
  to: number,
  was: Box,
  is: Box,
  size: [number, number],
): Span[] {
  const [left, top] = [is[0] - was[0], is[1] - was[1]];
  const [wider, higher] = [is[2] - was[2], is[3] - was[3]];
  return spans.flatMap((span): Span[] => {
    if (span.last < from || span.first > to) return [span];
    const { box } = span;
    const pushed: Box = [box[0] + left, box[1] + top, Math.max(box[2] + wider, 1), Math.max(box[3] + higher, 1)];
    const [first, last] = [Math.max(span.first, from), Math.min(span.last, to)];
    const parts: Span[] = [{ ...span, first, last, box: inside(pushed, ...size), origin: "reviewer" }];
    if (span.first < from) parts.unshift({ ...span, last: from - 1 });
    if (span.last > to) parts.push({ ...span, first: to + 1 });
    return parts;
  });
}

/** The box at `frame` on straight lines between key frames, held before the first and after the last. */
export function between(keys: readonly Key[], frame: number): Box {
  const after = keys.find((key) => key.frame >= frame);
  const before = keys.findLast((key) => key.frame <= frame);
  if (!before || !after) return (before ?? after)?.box ?? [0, 0, 0, 0];
  if (before.frame === after.frame) return before.box;
  const part = (frame - before.frame) / (after.frame - before.frame);
  const [a, b] = [before.box, after.box];
  const mix = (n: 0 | 1 | 2 | 3): number => a[n] + (b[n] - a[n]) * part;
  return [mix(0), mix(1), mix(2), mix(3)];
}

export function union(a: Box, b: Box): Box {
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
}

/** Spans of a region drawn by hand: straight lines between its key frames, one box for a run of a few frames. */
export function fromKeys(keys: readonly Key[], first: number, last: number): Span[] {
  const spans: Span[] = [];
  const [start, end] = [keys[0]?.frame ?? first, keys.at(-1)?.frame ?? last];
  for (let at = first; at <= last; ) {
    let to = at < start ? start - 1 : at >= end ? last : Math.min(at + RUN - 1, end);
    to = Math.min(to, last);
    const box = union(between(keys, at), between(keys, to));
    spans.push({ first: at, last: to, box, origin: "reviewer" });
    at = to + 1;
  }
  return spans;
}

/** The same spans held to reach from `first` to `last`: cut where they are longer, the end boxes held where shorter. */
export function reaching(spans: readonly Span[], first: number, last: number): Span[] {
  const [was, until] = [firstOf(spans), lastOf(spans)];
  let result = [...spans];
  if (first < was) {
    const heads = spans.filter((span) => span.first === was);
    result.push(...heads.map((span): Span => ({ ...span, first, last: was - 1, origin: "reviewer" })));
  }
  if (last > until) {
    const tails = spans.filter((span) => span.last === until);
    result.push(...tails.map((span): Span => ({ ...span, first: until + 1, last, origin: "reviewer" })));
  }
  if (first > was) result = without(result, 0, first - 1);
  if (last < until) result = without(result, last + 1, Number.MAX_SAFE_INTEGER);
  return result.sort((a, b) => a.first - b.first || a.last - b.last);
}

/** The part of `box`, 0 to 1, that none of `covers` lies on. */
export function bare(box: Box, covers: readonly Box[]): number {
  const [x, y, w, h] = box;
  if (w <= 0 || h <= 0) return 0;
  const near = covers.filter((c) => c[0] < x + w && c[0] + c[2] > x && c[1] < y + h && c[1] + c[3] > y);
  if (near.length === 0) return 1;
  const edges = (n: 0 | 1, low: number, high: number): number[] => {
    const all = near.flatMap((c) => [c[n], c[n] + c[n === 0 ? 2 : 3]]).filter((edge) => edge > low && edge < high);
    return [low, ...all.sort((a, b) => a - b), high];
  };
  const [xs, ys] = [edges(0, x, x + w), edges(1, y, y + h)];
  let open = 0;
  for (let i = 1; i < xs.length; i++) {
    for (let j = 1; j < ys.length; j++) {
      const [left, right] = [xs[i - 1] as number, xs[i] as number];
      const [top, bottom] = [ys[j - 1] as number, ys[j] as number];
      const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
      const under = near.some((c) => cx > c[0] && cx < c[0] + c[2] && cy > c[1] && cy < c[1] + c[3]);
      if (!under) open += (right - left) * (bottom - top);
    }
  }
  return open / (w * h);
}
