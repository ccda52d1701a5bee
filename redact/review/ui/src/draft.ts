// The edited plan and its past: what a person changed on one item since it was loaded, with undo and redo. Pure data;
// every edit gives a new draft and leaves the old one whole.

import { between, firstOf, fromKeys, inside, lastOf, moved, reaching, without } from "./spans.ts";
import { endsOf } from "./stretch.ts";
import type { Box, Item, Key, Kind, SoundRange, Span } from "./types.ts";

export interface DraftTrack {
  /** Stays the same through every edit; `id` is the plan's, null for a region that was added. */
  readonly key: string;
  readonly id: number | null;
  readonly kind: Kind;
  readonly keep: boolean;
  readonly name: string;
  readonly spans: readonly Span[];
  /** Frames on which a person set the box, in order. */
  readonly keys: readonly Key[];
  /** Whether its movement was seen in the film, by detection or by following, and not only drawn straight. */
  readonly followed: boolean;
  /** True if the gate found it on a finished file: it stays drawn in a solid colour, whatever is changed. */
  readonly solid: boolean;
}

export interface Draft {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly tracks: readonly DraftTrack[];
  readonly audio: readonly SoundRange[];
  /** What stands for before the first sound and after the last; see `stretch.ts`. */
  readonly ends: readonly [number, number];
  readonly added: number;
}

const NAMES: Record<Kind, string> = { face: "Face", head: "Head", text: "Text", code: "Code" };

/** The draft that changes nothing yet. */
export function draftOf(item: Item): Draft {
  const tracks = item.tracks.map(
    (track): DraftTrack => ({
      key: `t${track.id}`,
      id: track.id,
      kind: track.kind,
      keep: track.keep,
      name: `${NAMES[track.kind]} ${track.id}`,
      spans: track.spans,
      keys: [],
      followed: true,
      solid: track.spans.some(({ origin }) => origin === "gate"),
    }),
  );
  const { width, height, frames } = item;
  return { width, height, frames, tracks, audio: item.audio, ends: endsOf(item.frame_times ?? []), added: 0 };
}

export function trackOf(draft: Draft, key: string | null): DraftTrack | undefined {
  return draft.tracks.find((track) => track.key === key);
}

/** The track if it may be changed here: one that is shown on purpose may not, for its boxes cover nothing. */
function changeable(draft: Draft, key: string): DraftTrack | undefined {
  const track = trackOf(draft, key);
  return track?.keep ? undefined : track;
}

/** The boxes of a track on a frame: spans of one track may overlap, and all are drawn. */
export function spansAt(track: DraftTrack, frame: number): Span[] {
  return track.spans.filter((span) => span.first <= frame && span.last >= frame);
}

function replaced(draft: Draft, track: DraftTrack): Draft {
  return { ...draft, tracks: draft.tracks.map((other) => (other.key === track.key ? track : other)) };
}

/** A new region, held from `frame` to `last` until it gets more key frames or is followed. Gives its key too. */
export function add(draft: Draft, kind: Kind, box: Box, frame: number, last: number): [Draft, string] {
  const added = draft.added + 1;
  const keys = [{ frame, box: inside(box, draft.width, draft.height) }];
  const track: DraftTrack = {
    key: `n${added}`,
    id: null,
    kind,
    keep: false,
    name: `New ${NAMES[kind].toLowerCase()} ${added}`,
    spans: fromKeys(keys, frame, last),
    keys,
    followed: frame === last,
    solid: false,
  };
  return [{ ...draft, added, tracks: [...draft.tracks, track] }, track.key];
}

/**
 * The box of a track set on one frame, which becomes a key frame. A region that was only drawn goes on straight lines
 * between its key frames; one that was detected or followed keeps its movement, moved by as much from this frame to
 * the next on which a person set it.
 */
export function place(draft: Draft, key: string, frame: number, was: Box, is: Box): Draft {
  const track = changeable(draft, key);
  if (!track) return draft;
  const box = inside(is, draft.width, draft.height);
  const keys = [...track.keys.filter((other) => other.frame !== frame), { frame, box }];
  keys.sort((a, b) => a.frame - b.frame);
  const [first, last] = [firstOf(track.spans), lastOf(track.spans)];
  const size: [number, number] = [draft.width, draft.height];
  const until = (keys.find((other) => other.frame > frame)?.frame ?? Infinity) - 1;
  const spans = track.followed ? moved(track.spans, frame, until, was, box, size) : fromKeys(keys, first, last);
  return replaced(draft, { ...track, spans, keys });
}

/** What the server followed takes the place of the spans from its first frame on. */
export function follow(draft: Draft, key: string, spans: readonly Span[]): Draft {
  const track = changeable(draft, key);
  if (!track || spans.length === 0) return draft;
  const kept = without(track.spans, firstOf(spans), lastOf(spans));
  const all = [...kept, ...spans].sort((a, b) => a.first - b.first || a.last - b.last);
  return replaced(draft, { ...track, spans: all, followed: true });
}

/** The frames that `follow` is asked for: from the first key frame (a drawn region: from its start) to its end. */
export function followRange(track: DraftTrack): [number, number] {
  const start = firstOf(track.spans);
  return [track.id === null ? start : (track.keys[0]?.frame ?? start), lastOf(track.spans)];
}

/** The track from `first` to `last`: cut, or held longer. */
export function reach(draft: Draft, key: string, first: number, last: number): Draft {
  const track = changeable(draft, key);
  if (!track || last < first) return draft;
  const keys = track.keys.filter((other) => other.frame >= first && other.frame <= last);
  if (!track.followed && track.keys.length > 0) {
    // Straight lines that a cut goes through stay where they were.
    if (track.keys.some((key) => key.frame < first)) keys.unshift({ frame: first, box: between(track.keys, first) });
    if (track.keys.some((key) => key.frame > last)) keys.push({ frame: last, box: between(track.keys, last) });
  }
  return replaced(draft, { ...track, keys, spans: reaching(track.spans, first, last) });
}

/** The track without frames `from` to `to`; without any span left it goes. */
export function uncover(draft: Draft, key: string, from: number, to: number): Draft {
  const track = changeable(draft, key);
  if (!track) return draft;
  const spans = without(track.spans, from, to);
  if (spans.length === 0) return remove(draft, key);
  const keys = track.keys.filter((other) => other.frame < from || other.frame > to);
  return replaced(draft, { ...track, keys, spans, followed: true });
}

export function remove(draft: Draft, key: string): Draft {
  if (!changeable(draft, key)) return draft;
  return { ...draft, tracks: draft.tracks.filter((track) => track.key !== key) };
}

/** Another kind: another name and outline, the same boxes. */
export function rekind(draft: Draft, key: string, kind: Kind): Draft {
  const track = changeable(draft, key);
  if (!track) return draft;
  const name = track.id === null ? `New ${NAMES[kind].toLowerCase()} ${key.slice(1)}` : `${NAMES[kind]} ${track.id}`;
  return replaced(draft, { ...track, kind, name });
}

export function withSound(draft: Draft, audio: readonly SoundRange[]): Draft {
  return { ...draft, audio: [...audio].sort((a, b) => a.start - b.start || a.end - b.end) };
}

/** What the server draws: the tracks and the sound of the edited plan. */
export function payload(draft: Draft): object {
  return { tracks: draft.tracks.map(sent), audio: draft.audio };
}

/** A cover of the gate's keeps its solid colour, where a person moved or extended it too. */
function sent({ id, kind, keep, spans, solid }: DraftTrack): object {
  const solidly = (span: Span): Span => (span.origin === "reviewer" ? { ...span, origin: "gate" } : span);
  return { id, kind, keep, spans: solid ? spans.map(solidly) : spans };
}

export interface History {
  readonly base: Draft;
  readonly now: Draft;
  readonly past: readonly Draft[];
  readonly future: readonly Draft[];
  /** Edits of one group, such as a box pushed along with the arrow keys, are undone in one step. */
  readonly group: string;
}

export function begin(base: Draft): History {
  return { base, now: base, past: [], future: [], group: "" };
}

export function push(history: History, now: Draft, group = ""): History {
  if (now === history.now) return history;
  const joins = group !== "" && group === history.group;
  const past = joins ? history.past : [...history.past, history.now];
  return { base: history.base, now, past, future: [], group };
}

export function undo(history: History): History {
  const now = history.past.at(-1);
  if (!now) return history;
  const future = [history.now, ...history.future];
  return { base: history.base, now, past: history.past.slice(0, -1), future, group: "" };
}

export function redo(history: History): History {
  const [now, ...future] = history.future;
  if (!now) return history;
  return { base: history.base, now, past: [...history.past, history.now], future, group: "" };
}

export function isEdited({ base, now }: History): boolean {
  // Most tracks are the very same ones: of a long film there are too many to write them all out on each edit.
  const same = (track: DraftTrack, other: DraftTrack | undefined): boolean =>
    track === other || (other !== undefined && JSON.stringify(sent(track)) === JSON.stringify(sent(other)));
  if (now.tracks.length !== base.tracks.length || !now.tracks.every((track, n) => same(track, base.tracks[n]))) return true;
  return now.audio !== base.audio && JSON.stringify(now.audio) !== JSON.stringify(base.audio);
}
