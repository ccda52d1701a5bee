// Where things lie on the timeline: rows of bars that do not overlap, and which frame a time belongs to. Pure.

import { firstOf, lastOf } from "./spans.ts";
import type { DraftTrack } from "./draft.ts";

export interface Bar {
  readonly track: DraftTrack;
  readonly first: number;
  readonly last: number;
  readonly lane: number;
}

/** Tracks packed into as few rows as they fit in, in the order they begin. */
export function lanes(tracks: readonly DraftTrack[]): { bars: Bar[]; rows: number } {
  const ends: number[] = [];
  const sorted = [...tracks].sort((a, b) => firstOf(a.spans) - firstOf(b.spans));
  const bars = sorted.map((track): Bar => {
    const [first, last] = [firstOf(track.spans), lastOf(track.spans)];
    const free = ends.findIndex((end) => end < first);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = last;
    return { track, first, last, lane };
  });
  return { bars, rows: ends.length };
}

/** Frames covered without a gap, as [first, last] pairs: spans joined. */
export function stretches(spans: readonly { first: number; last: number }[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const { first, last } of [...spans].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** The frame shown at `time`, given the times at which frames begin. */
export function frameAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // Half a millisecond: a browser rounds the times it reports.
    if ((times[middle] as number) <= time + 0.0005) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}
