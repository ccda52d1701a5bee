// What can be done with the selected cover: its kind, where it begins and ends, following it, and taking it away.

import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { spansAt, type DraftTrack } from "./draft.ts";
import { firstOf, lastOf } from "./spans.ts";
import type { Kind } from "./types.ts";
import { framesInWords } from "./words.ts";

export interface SelectedProps {
  track: DraftTrack;
  frame: number;
  frames: number;
  setKind: (kind: Kind) => void;
  reach: (first: number, last: number) => void;
  uncover: (first: number, last: number) => void;
  remove: () => void;
  follow: () => void;
  go: (frame: number) => void;
}

export function Selected(props: SelectedProps) {
  const { track, frame, frames } = props;
  const [part, setPart] = useState(false);
  const [first, last] = [firstOf(track.spans), lastOf(track.spans)];
  const film = frames > 1;
  if (track.keep) {
    return (
      <section aria-labelledby="selected-title" class="selected">
        <h2 id="selected-title">{track.name}</h2>
        <p class="quiet">This one is shown on purpose. Draw a box over it to cover it.</p>
      </section>
    );
  }
  return (
    <section aria-labelledby="selected-title" class="selected">
      <h2 id="selected-title">{track.name}</h2>
      <p class="field">
        <label for="kind">Kind</label>
        <select id="kind" value={track.kind} onChange={(event) => props.setKind(event.currentTarget.value as Kind)}>
          <option value="face">Face</option>
          <option value="head">Head</option>
          <option value="text">Text</option>
          <option value="code">Code</option>
        </select>
      </p>
      {film && <Through {...props} first={first} last={last} here={spansAt(track, frame).length > 0} />}
      <div class="buttons">
        {film && (
          <button type="button" class="small" onClick={() => setPart(true)}>
            Take part away…
          </button>
        )}
        <button type="button" class="small danger" onClick={props.remove}>
          Take away
        </button>
      </div>
      {part && <Part {...{ track, frame, first, last }} uncover={props.uncover} close={() => setPart(false)} />}
    </section>
  );
}

function Through(props: SelectedProps & { first: number; last: number; here: boolean }) {
  const { track, frame, first, last, here } = props;
  return (
    <>
      <p>
        Covered on {framesInWords(first, last)}
        {!here && ", not on this one"}
      </p>
      <div class="buttons">
        <button type="button" class="small" disabled={frame > last} onClick={() => props.reach(frame, last)}>
          {frame < first ? "Start earlier, here" : "Start here"} <kbd>[</kbd>
        </button>
        <button type="button" class="small" disabled={frame < first} onClick={() => props.reach(first, frame)}>
          {frame > last ? "Go on to here" : "End here"} <kbd>]</kbd>
        </button>
      </div>
      {track.keys.length > 0 && (
        <>
          <p class="keyframes">
            Set by you at frame{" "}
            {track.keys.map(({ frame: at }) => (
              <button key={at} type="button" class="link" onClick={() => props.go(at)}>
                {at}
              </button>
            ))}
          </p>
          {!track.followed && (
            <p class="notice wait">
              {track.id === null && track.keys.length === 1
                ? "It stays in one place. Follow it if it moves, or set it again on other frames."
                : "Between these frames it moves evenly. Follow it if it moves otherwise."}
            </p>
          )}
          <button type="button" class={track.followed ? "small" : "small primary"} onClick={props.follow}>
            {track.id === null && track.followed ? "Follow again" : "Follow from there"} <kbd>f</kbd>
          </button>
        </>
      )}
    </>
  );
}

function Part({ track, frame, first, last, uncover, close }: {
  track: DraftTrack;
  frame: number;
  first: number;
  last: number;
  uncover: (first: number, last: number) => void;
  close: () => void;
}) {
  const [from, setFrom] = useState(Math.min(Math.max(frame, first), last));
  const [to, setTo] = useState(last);
  const wrong = !(from >= first && to <= last && from <= to);
  const number = (event: { currentTarget: HTMLInputElement }): number => event.currentTarget.valueAsNumber;
  return (
    <Dialog title={`Take part of ${track.name.toLowerCase()} away`} close={close}>
      <p>On these frames it is no longer covered by this cover ({framesInWords(first, last)}).</p>
      <p class="field">
        <label for="from">From frame</label>
        <input id="from" type="number" min={first} max={last} value={from} onInput={(event) => setFrom(number(event))} />
        <label for="to">to frame</label>
        <input id="to" type="number" min={first} max={last} value={to} onInput={(event) => setTo(number(event))} />
      </p>
      <div class="buttons">
        <button type="button" class="danger" disabled={wrong} onClick={() => (uncover(from, to), close())}>
          Take away
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
