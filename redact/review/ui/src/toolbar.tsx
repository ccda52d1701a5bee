// The buttons over the picture, and those that play a film. Each says the key that does the same.

import type { Film } from "./use_film.ts";
import type { Item } from "./types.ts";
import { clock } from "./words.ts";

export interface ToolbarProps {
  item: Item;
  percent: number;
  outlines: boolean;
  drawing: boolean;
  original: boolean;
  canUndo: boolean;
  canRedo: boolean;
  zoom: (by: number) => void;
  fit: () => void;
  full: () => void;
  toggleOutlines: () => void;
  add: () => void;
  undo: () => void;
  redo: () => void;
  /** By which key: none for a pointer. */
  hold: (code?: string) => void;
}

export function Toolbar(props: ToolbarProps) {
  const { item, drawing, original } = props;
  return (
    <div class="toolbar" role="toolbar" aria-label="Picture tools">
      {item.can_edit && (
        <>
          <button type="button" aria-pressed={drawing} onClick={props.add} title="Add a box (b)">
            Add box
          </button>
          <button type="button" disabled={!props.canUndo} onClick={props.undo} title="Undo (Ctrl z)">
            Undo
          </button>
          <button type="button" disabled={!props.canRedo} onClick={props.redo} title="Do it again (Ctrl Shift z)">
            Redo
          </button>
        </>
      )}
      <span class="gap" />
      <button type="button" aria-pressed={props.outlines} onClick={props.toggleOutlines} title="Outlines on, off (h)">
        Outlines
      </button>
      {item.has_original && (
        <button
          type="button"
          class="hold"
          aria-pressed={original}
          title="Show the original while it is held (o)"
          onPointerDown={(event) => {
            if (event.button === 0) props.hold();
          }}
          onKeyDown={(event) => {
            if (event.key === " " || event.key === "Enter") {
              event.preventDefault();
              if (!event.repeat) props.hold(event.code);
            }
          }}
          onContextMenu={(event) => event.preventDefault()}
        >
          Hold for original
        </button>
      )}
      <span class="group">
        <button type="button" onClick={() => props.zoom(1 / 1.25)} aria-label="Smaller" title="Smaller (−)">
          −
        </button>
        <button type="button" class="percent" onClick={props.full} title="100 % (1)" aria-label={`${props.percent} %, show at 100 %`}>
          {props.percent} %
        </button>
        <button type="button" onClick={() => props.zoom(1.25)} aria-label="Larger" title="Larger (+)">
          +
        </button>
        <button type="button" onClick={props.fit} title="Fit (0)">
          Fit
        </button>
      </span>
    </div>
  );
}

export function Transport({ item, film }: { item: Item; film: Film }) {
  const { frame, playing } = film;
  const time = item.frame_times?.[frame] ?? 0;
  return (
    <div class="transport" role="group" aria-label="Play and step">
      <button type="button" class="play" onClick={() => (playing ? film.pause() : film.play())} title="Play, pause (Space)">
        {playing ? "Pause" : "Play"}
      </button>
      <button type="button" onClick={() => film.step(-1)} aria-label="Frame before" title="Frame before (,)">
        <Chevron left />
      </button>
      <button type="button" onClick={() => film.step(1)} aria-label="Next frame" title="Next frame (.)">
        <Chevron />
      </button>
      <span class="now">
        Frame <strong>{frame}</strong> <span class="quiet">of {item.frames - 1}</span>
      </span>
      <span class="now quiet">
        {clock(time)} / {clock(item.seconds)}
      </span>
      {playing && <span class="quiet">Stands still for the exact frame when paused</span>}
    </div>
  );
}

function Chevron({ left = false }: { left?: boolean }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path class="chevron" d={left ? "M10 3 5 8l5 5" : "M6 3l5 5-5 5"} />
    </svg>
  );
}
