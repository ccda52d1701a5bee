// The picture: one canvas that shows exact frames and playing film alike, boxes that can be drawn and moved on it,
// outlines and the held original above it; fits, zooms and pans. Coordinates of the item go in and come out.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import { Boxes, type Shown } from "./boxes.ts";
import { spansAt, type Draft } from "./draft.ts";
import { Original } from "./original.tsx";
import { Outlines } from "./outlines.tsx";
import type { Box, Finding, Item } from "./types.ts";
import type { Say } from "./say.ts";
import type { Film } from "./use_film.ts";
import { useView, type Zoom } from "./view.ts";

/** Widest canvas: photos are looked at closely, films must keep up with playing. */
export const WIDEST = { photo: 4096, animation: 2048, video: 1920 } as const;

/** The stage's borders, in pixels of the screen. */
const EDGES = 2;

/** Above this a small picture is not blown up to fit. */
const FIT_MOST = 2;

/** A picture that is not there after so long is said to be on its way. */
const LATE_MS = 250;

export function canvasSize(item: Item): { width: number; height: number } {
  const width = Math.min(item.width, WIDEST[item.kind]);
  return { width, height: Math.max(1, Math.round((item.height * width) / item.width)) };
}

export interface StageProps {
  api: Api;
  item: Item;
  draft: Draft;
  film: Film;
  zoom: Zoom;
  setZoom: (zoom: Zoom) => void;
  /** What scrolls when the picture is larger than the stage. */
  scroller: RefObject<HTMLDivElement | null>;
  outlines: boolean;
  editing: boolean;
  drawing: boolean;
  original: boolean;
  selected: string | null;
  finding: Finding | null;
  drawn: (box: Box) => void;
  moved: (key: string, was: Box, is: Box) => void;
  select: (key: string | null) => void;
  scaleIs: (scale: number) => void;
  say: Say;
}

export function Stage(props: StageProps) {
  const { item, draft, film, zoom, scroller, selected, editing, drawing } = props;
  const { frame, playing, here } = film;
  const latest = useRef(props);
  latest.current = props;
  const sheet = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const boxes = useRef<Boxes | null>(null);
  const part = useRef<string | null>(null);
  const [refused, setRefused] = useState(0);
  const late = useLate(!playing && !here);
  const canvas = canvasSize(item);
  const scale = canvas.width / item.width;
  const room = useSize(scroller);
  const fit = Math.min(room.width / item.width, room.height / item.height, FIT_MOST) || 1;
  const shown = zoom === "fit" ? fit : zoom;
  useLayoutEffect(() => props.scaleIs(shown), [shown]);

  useLayoutEffect(() => {
    const surface = document.createElement("canvas");
    Object.assign(surface, canvas);
    surface.setAttribute("role", "img");
    surface.setAttribute("aria-label", "The finished picture, with its covers");
    host.current?.append(surface);
    film.surface(surface);
    return () => {
      film.surface(null);
      surface.width = surface.height = 0;
      surface.remove();
    };
  }, []);

  useLayoutEffect(() => {
    const surface = host.current?.querySelector("canvas");
    if (!editing || !surface) return undefined;
    const made = new Boxes(surface, "Boxes on the picture. c selects, arrows move, Shift and arrows resize.", {
      drawn: (box) => latest.current.drawn(unscaled(box, scale)),
      moved: (id, is) => {
        const now = latest.current;
        // By the picture of another frame: back to where it was.
        if (!now.film.here) return setRefused((count) => count + 1);
        const was = editable(now.draft, now.film.frame).find((one) => one.id === id);
        if (was) now.moved(id.split(":")[0] as string, was.box, unscaled(is, scale));
      },
      selected: (id) => {
        part.current = id;
        latest.current.select(id?.split(":")[0] ?? null);
      },
    });
    boxes.current = made;
    return () => {
      boxes.current = null;
      made.destroy();
    };
  }, [editing]);

  useEffect(() => {
    const all = playing ? [] : editable(draft, frame);
    // A track may have several boxes on a frame: the one that was pressed, else its first.
    const own = all.filter(({ id }) => id.split(":")[0] === selected);
    const mine = own.find(({ id }) => id === part.current) ?? own[0];
    const scaled = all.map(({ id, box }) => ({ id, box: box.map((value) => value * scale) as unknown as Box }));
    boxes.current?.show(scaled, drawing ? null : (mine?.id ?? null));
  }, [draft, frame, selected, playing, editing, drawing, refused]);

  // At once: a drag that begins before the next frame draws too.
  useLayoutEffect(() => boxes.current?.draw(drawing && !playing), [drawing, playing, editing]);
  useView(scroller, sheet, {
    shown,
    fit,
    drawing,
    setZoom: props.setZoom,
    letGo: () => boxes.current?.letGo(),
    lifted: () => boxes.current?.anew(),
  });

  const size = { width: `${item.width * shown}px`, height: `${item.height * shown}px` };
  const state = `${drawing ? " is-drawing" : ""}${here ? "" : " is-behind"}${late ? " is-late" : ""}`;
  return (
    <div class={`stage-frame${state}`}>
      <div class="stage" ref={scroller} tabIndex={0} role="region" aria-label="Picture" aria-busy={!playing && !here}>
        <div class="sheet-of-stage" ref={sheet} style={size}>
          <div class="host" ref={host} />
          {props.original && <Original {...{ api: props.api, item: item.item, frame, width: canvas.width, say: props.say }} />}
          {props.outlines && (
            <Outlines {...{ draft, frame, scale, selected, canvas }}
              findings={item.findings} finding={props.finding?.index ?? null} zoom={shown / scale} />
          )}
        </div>
      </div>
      {props.original && <p class="original-mark" role="status">Original, not covered. Let go to hide it.</p>}
      {late && <Late item={item} film={film} />}
    </div>
  );
}

/** In place of a picture that is not there. */
function Late({ item, film }: { item: Item; film: Film }) {
  const what = item.frames > 1 ? `Frame ${film.frame}` : "The picture";
  if (!film.failed) return <p class="stage-note">{what} is on its way</p>;
  return (
    <div class="stage-note">
      <p>{what} could not be shown.</p>
      <button type="button" class="small" onClick={film.retry}>
        Try again
      </button>
    </div>
  );
}

/** True once `on` has been so for a moment: what is over in a blink does not flicker. */
function useLate(on: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!on) return undefined;
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [on]);
  return on && late;
}

/** What can be moved on a frame: every box, by its track's key and its place among the track's boxes there. */
function editable(draft: Draft, frame: number): Shown[] {
  return draft.tracks
    .filter((track) => !track.keep)
    .flatMap((track) => spansAt(track, frame).map((span, n) => ({ id: `${track.key}:${n}`, box: span.box })));
}

function unscaled(box: Box, scale: number): Box {
  return box.map((value) => Math.round((value / scale) * 10) / 10) as unknown as Box;
}

function useSize(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const watched = element.current;
    if (!watched) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: watched.offsetWidth - EDGES, height: watched.offsetHeight - EDGES }));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  return size;
}
