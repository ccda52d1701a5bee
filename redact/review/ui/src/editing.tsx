// The open item: picture, film and side panels around one edited plan. This is where a key press or a button becomes
// an edit; what an edit does is in `draft.ts`, and what the server is asked in the dialogs.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Api } from "./api.ts";
import type { Change } from "./changes.ts";
import { Accept, Draw, Reject, type Outcome } from "./decide.tsx";
import { Ask } from "./dialog.tsx";
import { payload, spansAt, type DraftTrack } from "./draft.ts";
import { Follow } from "./follow.tsx";
import { Head } from "./head.tsx";
import { Help } from "./help.tsx";
import { useHold, useKeys } from "./keys.ts";
import { Changes, Covers, Findings, Record } from "./panels.tsx";
import { go, holdBack, type Route } from "./router.ts";
import { Selected } from "./selected.tsx";
import { Sound } from "./sound.tsx";
import { firstOf, lastOf } from "./spans.ts";
import { Stage } from "./stage.tsx";
import { Timeline } from "./timeline.tsx";
import { Toolbar, Transport } from "./toolbar.tsx";
import type { Box, Finding, Item, SoundRange } from "./types.ts";
import { useEditor } from "./use_editor.ts";
import { useFilm } from "./use_film.ts";
import { useMark } from "./use_mark.ts";
import { zoomed, type Zoom } from "./view.ts";
import type { Say } from "./say.ts";

/** A pressed key moves an enlarged picture by this part of the stage. */
const PAN = 0.25;

type Open = "" | "accept" | "draw" | "reject" | "help" | "follow" | "leave";

export interface EditingProps {
  api: Api;
  item: Item;
  route: Route;
  next: string;
  previous: string;
  say: Say;
  done: (outcome: Outcome) => void;
  changed: (words: string) => void;
}

export function Editing({ api, item, route, next, previous, say, done, changed }: EditingProps) {
  const editor = useEditor(item);
  const film = useFilm(api, item, say);
  const [open, setOpen] = useState<Open>("");
  const [leave, setLeave] = useState<{ go: () => void } | null>(null);
  const [zoom, setZoom] = useState<Zoom>("fit");
  const [scale, setScale] = useState(1);
  const [outlines, setOutlines] = useState(true);
  const [drawing, setDrawing] = useState(false);
  const [finding, setFinding] = useState<Finding | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const hold = useHold(item.has_original);
  /** From the zoom that is wanted, which may not be drawn yet: no press is lost. */
  const zoomBy = (by: number): void => setZoom((wanted) => zoomed(wanted === "fit" ? scale : wanted, by));
  const { draft, track, edited } = editor;
  const { frame } = film;
  const isFilm = item.frames > 1;
  const canEdit = item.can_edit;
  const mark = useMark(item, frame, (range) => editor.sound([...draft.audio, range]), say);

  useLayoutEffect(() => {
    if (!edited) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    holdBack((leaveNow) => {
      setLeave({ go: leaveNow });
      return true;
    });
    return () => {
      removeEventListener("beforeunload", warn);
      holdBack(null);
    };
  }, [edited]);

  const showFinding = (one: Finding): void => {
    setFinding(one);
    setOutlines(true);
    if (one.first !== null && !(one.first <= frame && frame <= (one.last ?? one.first))) film.go(one.first);
  };
  const nextFinding = (step: number): void => {
    const count = item.findings.length;
    if (count === 0) return say("There are no findings.");
    const at = finding ? finding.index + step : step > 0 ? 0 : count - 1;
    const one = item.findings[(at + count) % count] as Finding;
    showFinding(one);
    say(`Finding ${one.index + 1} of ${count}: ${one.words}`, true);
  };
  const selectTrack = (one: DraftTrack): void => {
    editor.select(one.key === editor.selected ? null : one.key);
    if (spansAt(one, frame).length === 0) film.go(firstOf(one.spans));
  };
  const cycle = (): void => {
    const here = draft.tracks.filter((one) => !one.keep && spansAt(one, frame).length > 0);
    const at = here.findIndex((one) => one.key === editor.selected);
    const one = here[(at + 1) % Math.max(here.length, 1)];
    editor.select(one?.key ?? null);
    if (one) say(`${one.name} selected`, true);
  };
  const centre = (): Box => {
    const side = Math.round(Math.min(item.width, item.height) / 5);
    return [Math.round((item.width - side) / 2), Math.round((item.height - side) / 2), side, side];
  };
  /** Boxes are set by the exact picture of the frame they are for, or not at all. */
  const ready = (): boolean => {
    if (!film.here) say(film.playing ? "Pause first: boxes are set on an exact frame." : "The picture of this frame is not there yet.");
    return film.here;
  };
  const draw = (box: Box): void => {
    if (!ready()) return;
    setDrawing(false);
    editor.add("face", box, frame);
    say(isFilm ? "Box added, up to the end of the shot. f follows it." : "Box added.");
  };
  const add = (byKey: boolean): void => {
    if (!canEdit) return say(item.why_not);
    film.pause();
    if (drawing && byKey) return draw(centre());
    editor.select(null);
    setDrawing(!drawing);
    say(drawing ? "Drawing ended." : "Drag a box over the picture, or press b again for one in the middle.");
  };
  const arrow = (right: number, below: number, resize: boolean): void => {
    if (canEdit && editor.isOn(frame)) return void (ready() && editor.nudge(frame, right, below, resize));
    if (!resize && right !== 0 && isFilm) film.step(right);
  };
  const pan = ({ key }: KeyboardEvent): void => {
    const { clientWidth = 0, clientHeight = 0 } = scroller.current ?? {};
    const [right, below] = [Number(key === "ArrowRight") - Number(key === "ArrowLeft"), Number(key === "ArrowDown") - Number(key === "ArrowUp")];
    scroller.current?.scrollBy(right * clientWidth * PAN, below * clientHeight * PAN);
  };
  /** Whether the selected cover may be changed; one that is shown on purpose covers nothing, and no more of it is shown. */
  const changeable = (): boolean => {
    if (track?.keep) say("This one is shown on purpose. Draw a box over it to cover it.");
    return canEdit && track !== undefined && !track.keep;
  };
  const reach = (first: number, last: number): void => {
    if (first <= last && changeable() && ready()) editor.reach(first, last);
  };
  const approve = (): void => {
    if (mark.from !== null) return say("A stretch of sound is begun but not ended: press m where it ends, or Escape.");
    if (edited) return setOpen("draw");
    if (item.room === "published") return say("It is published already.");
    if (item.findings.some(({ severity }) => severity === "BLOCK"))
      return say("It must not be published as it is. Change what was found, or reject it.");
    setOpen("accept");
  };
  const visit = (to: string): void => {
    if (to) go({ room: route.room, item: to });
    else say("There is no other item that way.");
  };
  const follow = (): void => {
    if (canEdit && isFilm && track && track.keys.length > 0) setOpen("follow");
    else if (canEdit && isFilm) say("Set a box on a frame first; then it can be followed.");
  };
  const listen = ({ start, end }: SoundRange): void => {
    const from = (item.frame_times ?? []).findLastIndex((time) => time <= start);
    film.play(Math.max(0, from), end);
  };
  const showChange = ({ key, frame: at }: Change): void => {
    if (key) editor.select(key);
    if (at !== null) film.go(at);
  };

  useKeys({
    nextFinding: () => nextFinding(1),
    previousFinding: () => nextFinding(-1),
    nextItem: () => visit(next),
    previousItem: () => visit(previous),
    nextFrame: (event) => (event.key === "ArrowRight" ? arrow(1, 0, false) : isFilm && film.step(1)),
    previousFrame: (event) => (event.key === "ArrowLeft" ? arrow(-1, 0, false) : isFilm && film.step(-1)),
    move: (event) => arrow(0, event.key === "ArrowUp" ? -1 : 1, false),
    resize: ({ key }) =>
      arrow(Number(key === "ArrowRight") - Number(key === "ArrowLeft"), Number(key === "ArrowDown") - Number(key === "ArrowUp"), true),
    play: () => isFilm && (film.playing ? film.pause() : film.play()),
    queue: () => go({ room: route.room, item: "" }),
    help: () => setOpen("help"),
    original: (event) => !event.repeat && hold.press(event.code),
    outlines: () => setOutlines(!outlines),
    zoomIn: () => zoomBy(1.25),
    zoomOut: () => zoomBy(1 / 1.25),
    fit: () => setZoom("fit"),
    full: () => setZoom(1),
    pan,
    add: (event) => !event.repeat && add(true),
    cycle,
    remove: () => changeable() && editor.remove(),
    follow,
    startHere: () => track && reach(frame, lastOf(track.spans)),
    endHere: () => track && reach(firstOf(track.spans), frame),
    mute: mark.press,
    undo: editor.undo,
    redo: editor.redo,
    deselect: () => (drawing ? setDrawing(false) : mark.from !== null ? mark.drop() : editor.select(null)),
    approve,
    reject: () => setOpen("reject"),
  });

  const close = (): void => setOpen("");
  const common = { api, item, close, done, changed, say };
  return (
    <>
      <main class="open">
        <Head {...{ api, item, route, next, previous, edited, visit, approve, say }} reject={() => setOpen("reject")} help={() => setOpen("help")} />
        <div class="item">
          <section class="look" aria-label="Picture and film">
            <Toolbar
              {...{ item, outlines, drawing }}
              original={hold.held}
              percent={Math.round(scale * 100)}
              canUndo={editor.history.past.length > 0}
              canRedo={editor.history.future.length > 0}
              zoom={zoomBy}
              fit={() => setZoom("fit")}
              full={() => setZoom(1)}
              toggleOutlines={() => setOutlines(!outlines)}
              add={() => add(false)}
              undo={editor.undo}
              redo={editor.redo}
              hold={hold.press}
            />
            <Stage
              {...{ api, item, draft, film, zoom, scroller, outlines, drawing, finding, setZoom, say }}
              editing={canEdit}
              original={hold.held}
              selected={editor.selected}
              drawn={draw}
              moved={(key, was, is) => editor.place(key, frame, was, is)}
              select={editor.select}
              scaleIs={setScale}
            />
            {isFilm && <Transport {...{ item, film }} />}
            {isFilm && <Timeline {...{ item, draft, frame, finding }} muteFrom={mark.from} selected={editor.selected} go={film.go} />}
          </section>
          <div class="side">
            {!canEdit && item.why_not && <p class="notice">{item.why_not}</p>}
            <Changes list={editor.list} go={showChange} undoAll={editor.dropAll} />
            <Findings item={item} chosen={finding} choose={showFinding} />
            {track && canEdit && (
              <Selected
                {...{ track, frame, follow, reach }}
                key={track.key}
                frames={item.frames}
                setKind={editor.kind}
                uncover={editor.uncover}
                remove={editor.remove}
                go={film.go}
              />
            )}
            <Covers {...{ draft, frame }} selected={editor.selected} select={selectTrack} />
            {item.has_sound && (
              <Sound ranges={draft.audio} times={item.frame_times ?? []} can_edit={canEdit} muteFrom={mark.from} mark={mark.press}
                listen={listen} set={editor.sound} />
            )}
            <Record item={item} />
          </div>
        </div>
      </main>
      {open === "help" && <Help close={close} />}
      {open === "accept" && <Accept {...common} />}
      {open === "draw" && <Draw {...common} edits={payload(draft)} list={editor.list} />}
      {open === "reject" && <Reject {...common} />}
      {open === "follow" && track && <Follow {...{ api, item, track, close, say }} done={(spans) => editor.followed(track.key, spans)} />}
      {leave && (
        <Ask
          title="Leave your changes?"
          words="What you changed on this item is not drawn yet and would be lost."
          yes="Leave them"
          no="Stay here"
          danger
          confirm={() => (setLeave(null), leave.go())}
          close={() => setLeave(null)}
        />
      )}
    </>
  );
}
