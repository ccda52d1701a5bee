// The edited plan of the open item as the page holds it: its history, what is selected, and every edit by name.

import { useMemo, useState } from "preact/hooks";
import { changes } from "./changes.ts";
import * as draft from "./draft.ts";
import { inside } from "./spans.ts";
import type { Box, Item, Kind, SoundRange, Span } from "./types.ts";

/** A pressed arrow moves a box by this part of the picture's shorter side. */
const STEP = 0.01;

export function useEditor(item: Item) {
  const [history, setHistory] = useState(() => draft.begin(draft.draftOf(item)));
  const [selected, select] = useState<string | null>(null);
  const { now } = history;
  const list = useMemo(() => changes(history.base, now), [history.base, now]);
  const edited = useMemo(() => draft.isEdited(history), [history]);
  const put = (next: draft.Draft, group = ""): void => setHistory((before) => draft.push(before, next, group));
  const track = draft.trackOf(now, selected);

  /** Last frame of the shot that `frame` lies in: a region does not go on into another picture by itself. */
  const shotEnd = (frame: number): number =>
    item.shots.find(([first, last]) => first <= frame && frame <= last)?.[1] ?? item.frames - 1;

  return {
    history, draft: now, selected, select, track, list, edited,
    add(kind: Kind, box: Box, frame: number): void {
      const [next, key] = draft.add(now, kind, box, frame, shotEnd(frame));
      put(next);
      select(key);
    },
    place(key: string, frame: number, was: Box, is: Box): void {
      put(draft.place(now, key, frame, was, is));
    },
    /** Whether the selected box is on this frame and may be moved. */
    isOn(frame: number): boolean {
      return track !== undefined && !track.keep && draft.spansAt(track, frame).length > 0;
    },
    /** Moves (or resizes) the selected box by steps to the right and down. */
    nudge(frame: number, right: number, below: number, resize: boolean): void {
      const span = track && draft.spansAt(track, frame)[0];
      if (!track || !span) return;
      const step = Math.max(1, Math.round(Math.min(item.width, item.height) * STEP));
      const [x, y, w, h] = span.box;
      const [dx, dy] = [right * step, below * step];
      const is: Box = resize ? [x, y, Math.max(w + dx, 4), Math.max(h + dy, 4)] : [x + dx, y + dy, w, h];
      if (!resize) {
        const kept = inside(is, item.width, item.height);
        if (Math.abs(kept[2] - w) > 0.01 || Math.abs(kept[3] - h) > 0.01) return;
      }
      put(draft.place(now, track.key, frame, span.box, is), `nudge ${track.key} ${frame}`);
    },
    kind(kind: Kind): void {
      if (selected) put(draft.rekind(now, selected, kind));
    },
    reach(first: number, last: number): void {
      if (selected) put(draft.reach(now, selected, first, last));
    },
    uncover(first: number, last: number): void {
      if (selected) put(draft.uncover(now, selected, first, last));
    },
    remove(): void {
      if (!selected || track?.keep) return;
      put(draft.remove(now, selected));
      select(null);
    },
    followed(key: string, spans: readonly Span[]): void {
      setHistory((before) => draft.push(before, draft.follow(before.now, key, spans)));
    },
    sound(ranges: readonly SoundRange[]): void {
      put(draft.withSound(now, ranges));
    },
    undo(): void {
      setHistory(draft.undo);
    },
    redo(): void {
      setHistory(draft.redo);
    },
    /** Back to what was loaded, itself undoable. */
    dropAll(): void {
      put(history.base);
      select(null);
    },
  };
}

export type Editor = ReturnType<typeof useEditor>;
