// What an edited plan does differently, in words, so that nothing loses its cover unsaid: every box that was covered
// is held against all that covers it now, frame by frame. Pure.

import type { Draft, DraftTrack } from "./draft.ts";
import { bare, firstOf, lastOf } from "./spans.ts";
import { timeInWords } from "./stretch.ts";
import type { Span } from "./types.ts";
import { framesInWords } from "./words.ts";

export interface Change {
  readonly words: string;
  /** True if something that was covered is so no more. */
  readonly loss: boolean;
  readonly key: string | null;
  readonly frame: number | null;
}

/** Open parts of a box up to this share are the rounding of an edge, not a loss. */
const ROUNDING = 0.01;
const HALF = 0.5;

/** Every difference between two drafts of one item, losses first. */
export function changes(base: Draft, now: Draft): Change[] {
  return [...losses(base, now), ...edits(base, now), ...soundChanges(base, now)];
}

function edits(base: Draft, now: Draft): Change[] {
  const film = now.frames > 1;
  const before = byKey(base);
  return now.tracks.flatMap((track): Change[] => {
    const was = before.get(track.key);
    if (was === track) return [];
    const [first, last] = [firstOf(track.spans), lastOf(track.spans)];
    const where = film ? ` on ${framesInWords(first, last)}` : "";
    const plain = { loss: false, key: track.key, frame: first };
    if (!was) return [{ ...plain, words: `${track.name}: added${where}` }];
    const found: Change[] = [];
    if (was.kind !== track.kind) found.push({ ...plain, words: `${was.name}: now ${track.name.toLowerCase()}` });
    const moved = track.keys.map((key) => key.frame).join(", ");
    if (moved) found.push({ ...plain, words: film ? `${track.name}: moved at frame ${moved}` : `${track.name}: moved` });
    const longer = firstOf(was.spans) > first || lastOf(was.spans) < last;
    if (longer) found.push({ ...plain, words: `${track.name}: now${where}` });
    return found;
  });
}

function byKey(draft: Draft): Map<string, DraftTrack> {
  return new Map(draft.tracks.map((track) => [track.key, track]));
}

interface Loss {
  first: number;
  last: number;
  whole: boolean;
}

function losses(base: Draft, now: Draft): Change[] {
  const after = byKey(now);
  let covers: Span[] | null = null;
  return base.tracks.flatMap((was): Change[] => {
    const is = after.get(was.key);
    if (was.keep || is?.spans === was.spans) return [];
    covers ??= now.tracks.flatMap((track) => (track.keep ? [] : track.spans)).sort(inOrder);
    return lossesOf(was, covers).map((loss) => {
      const how = loss.whole ? "uncovered" : "partly uncovered";
      const where = now.frames > 1 ? ` on ${framesInWords(loss.first, loss.last)}` : "";
      return { words: `${was.name}: ${how}${where}`, loss: true, key: is ? was.key : null, frame: loss.first };
    });
  });
}

function inOrder(a: Span, b: Span): number {
  return a.first - b.first;
}

/**
 * The stretches of frames on which a box that this track covered lies open, given all that covers now, in order. One
 * walk along the film with what is there on each stretch of it: a long one shot film has tens of thousands of spans.
 */
function lossesOf(was: DraftTrack, covers: readonly Span[]): Loss[] {
  const last = lastOf(was.spans);
  const own = [...was.spans].sort(inOrder);
  const found: Loss[] = [];
  let [boxes, over]: [Span[], Span[]] = [[], []];
  let [nextOwn, nextOver] = [0, 0];
  for (let start = firstOf(was.spans); start <= last; ) {
    boxes = boxes.filter((span) => span.last >= start);
    over = over.filter((span) => span.last >= start);
    for (let span = own[nextOwn]; span && span.first <= start; span = own[++nextOwn]) boxes.push(span);
    for (let span = covers[nextOver]; span && span.first <= start; span = covers[++nextOver]) {
      if (span.last >= start) over.push(span);
    }
    let stop = last;
    for (const span of [...boxes, ...over]) stop = Math.min(stop, span.last);
    stop = Math.min(stop, (own[nextOwn]?.first ?? Infinity) - 1, (covers[nextOver]?.first ?? Infinity) - 1);
    const lying = over.map((span) => span.box);
    const open = boxes.reduce((most, span) => Math.max(most, bare(span.box, lying)), 0);
    if (open > ROUNDING) {
      const whole = open >= HALF;
      const before = found.at(-1);
      if (before && before.last === start - 1 && before.whole === whole) before.last = stop;
      else found.push({ first: start, last: stop, whole });
    }
    start = stop + 1;
  }
  return found;
}

function soundChanges(base: Draft, now: Draft): Change[] {
  const same = (list: Draft["audio"], kind: string, start: number, end: number): boolean =>
    list.some((range) => range.kind === kind && range.start === start && range.end === end);
  const told = (list: Draft["audio"], other: Draft["audio"], verb: string, loss: boolean): Change[] =>
    list
      .filter(({ kind, start, end }) => !same(other, kind, start, end))
      .map(({ start, end }) => {
        const words = `Sound: ${verb} from ${timeInWords(now.ends, start)} to ${timeInWords(now.ends, end)}`;
        return { words, loss, key: null, frame: null };
      });
  return [...told(base.audio, now.audio, "heard again", true), ...told(now.audio, base.audio, "silenced", false)];
}
