// Stretches of sound that are silenced: marked from the playhead, set in seconds, listened to, taken away.

import { useState } from "preact/hooks";
import { endsOf } from "./stretch.ts";
import type { SoundRange } from "./types.ts";

export interface SoundProps {
  ranges: readonly SoundRange[];
  times: readonly number[];
  can_edit: boolean;
  /** The frame from which a stretch is being marked. */
  muteFrom: number | null;
  mark: () => void;
  set: (ranges: readonly SoundRange[]) => void;
  listen: (range: SoundRange) => void;
}

export function Sound({ ranges, times, can_edit, muteFrom, mark, set, listen }: SoundProps) {
  const ends = endsOf(times);
  const change = (at: number, range: SoundRange): void => set(ranges.map((other, n) => (n === at ? range : other)));
  return (
    <section aria-labelledby="sound-title">
      <h2 id="sound-title">
        Sound <span class="count">{ranges.length}</span>
      </h2>
      <p class="quiet">Sound is kept in this film, but for what is silenced here.</p>
      <ul class="plain ranges">
        {ranges.map((range, n) => (
          <li key={n}>
            <Edge words={`Stretch ${n + 1} from`} value={range.start} min={ends[0]} max={range.end - 0.01} open={ends[0]} word="start" off={!can_edit}
              set={(start) => change(n, { ...range, start })} />
            <Edge words={`Stretch ${n + 1} to`} value={range.end} min={range.start + 0.01} max={ends[1]} open={ends[1]} word="end" off={!can_edit}
              set={(end) => change(n, { ...range, end })} />
            {can_edit && (
              <select
                aria-label={`Stretch ${n + 1}: silence or tone`}
                value={range.kind}
                onChange={(event) => change(n, { ...range, kind: event.currentTarget.value as SoundRange["kind"] })}
              >
                <option value="mute">silence</option>
                <option value="bleep">tone</option>
              </select>
            )}
            <button type="button" class="small" onClick={() => listen(range)}>
              Listen
            </button>
            {can_edit && (
              <button type="button" class="small danger" aria-label={`Remove stretch ${n + 1}`} onClick={() => set(ranges.filter((_, m) => m !== n))}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {can_edit && (
        <button type="button" class="small" aria-pressed={muteFrom !== null} onClick={mark}>
          {muteFrom === null ? "Silence from here" : `Silence from frame ${muteFrom} to here`} <kbd>m</kbd>
        </button>
      )}
    </section>
  );
}

/** A time in seconds; `open` stands for the start or the end of all sound, and an empty field for that. */
function Edge({ words, value, min, max, open, word, off, set }: {
  words: string;
  value: number;
  min: number;
  max: number;
  open: number;
  word: string;
  off: boolean;
  set: (value: number) => void;
}) {
  /** What is being typed: the page may be drawn again in the middle of it. */
  const [typed, setTyped] = useState<string | null>(null);
  const is = value === open ? "" : String(Math.round(value * 100) / 100);
  return (
    <input
      type="number"
      aria-label={`${words} (seconds; empty: the ${word})`}
      placeholder={word}
      step="0.01"
      min={min}
      max={max}
      value={typed ?? is}
      disabled={off}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={({ currentTarget: field }) => {
        setTyped(null);
        if (field.value === "" && field.validity.valid) set(open);
        else if (field.valueAsNumber >= min && field.valueAsNumber <= max) set(field.valueAsNumber);
        else field.value = is;
      }}
    />
  );
}
