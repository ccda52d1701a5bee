// Which sound belongs to which frames. A frame's sound lasts until the next frame begins. Sound may begin before the
// first picture and go on after the last, so a stretch that reaches the first or last frame has no end there. Pure.

import { frameAt } from "./lanes.ts";
import type { SoundRange } from "./types.ts";
import { seconds } from "./words.ts";

/** So far beyond the pictures, in seconds, there is no sound: what reaches it is meant to have no end. */
const BEYOND_S = 86_400;

/** What stands for before all sound and after all of it. Whole seconds: they come back from the server as they went. */
export function endsOf(times: readonly number[]): readonly [number, number] {
  return [Math.floor(times[0] ?? 0) - BEYOND_S, Math.ceil(times.at(-1) ?? 0) + BEYOND_S];
}

/** The sound of two frames, in any order, and all between them. */
export function stretchOf(times: readonly number[], one: number, other: number): Omit<SoundRange, "kind"> {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  const [before, after] = endsOf(times);
  const start = first <= 0 ? before : (times[first] ?? before);
  // Frames may share a time: the stretch goes on to the next that has another.
  return { start, end: times.slice(last + 1).find((time) => time > (times[last] ?? start)) ?? after };
}

/** The frames that a stretch lies on: its first, and the first after it. */
export function framesOf(times: readonly number[], { start, end }: Omit<SoundRange, "kind">): [number, number] {
  const first = frameAt(times, start);
  return [first, Math.max(first + 1, end > (times.at(-1) ?? 0) ? times.length : frameAt(times, end))];
}

/** `1.2 s`, `the start`, `the end`. */
export function timeInWords([before, after]: readonly [number, number], time: number): string {
  if (time <= before) return "the start";
  return time >= after ? "the end" : seconds(time);
}
