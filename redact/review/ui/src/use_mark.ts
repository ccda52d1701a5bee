// A stretch of sound that is being marked: begun on one frame, ended on another or the same one.

import { useState } from "preact/hooks";
import type { Say } from "./say.ts";
import { endsOf, stretchOf, timeInWords } from "./stretch.ts";
import type { Item, SoundRange } from "./types.ts";

export function useMark(item: Item, frame: number, add: (range: SoundRange) => void, say: Say) {
  const [from, setFrom] = useState<number | null>(null);
  return {
    from,
    press(): void {
      if (!item.can_edit || !item.has_sound) return;
      if (from === null) {
        setFrom(frame);
        return say("A stretch to silence begins here. Press m where it ends.", true);
      }
      const times = item.frame_times ?? [];
      const range = stretchOf(times, from, frame);
      setFrom(null);
      add({ kind: item.audio_mode === "bleep" ? "bleep" : "mute", ...range });
      const [start, end] = [range.start, range.end].map((time) => timeInWords(endsOf(times), time));
      say(`Silenced from ${start} to ${end}.`, true);
    },
    drop: (): void => setFrom(null),
  };
}
