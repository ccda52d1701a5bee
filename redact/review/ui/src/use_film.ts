// What the stage shows: the frame, drawn exactly when still and as it is presented when playing.

import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort, told, type Api } from "./api.ts";
import { Frames } from "./frames.ts";
import { Player } from "./player.ts";
import { canvasSize } from "./stage.tsx";
import type { Item } from "./types.ts";
import type { Say } from "./say.ts";

export function useFilm(api: Api, item: Item, say: Say) {
  const [frame, setFrame] = useState(0);
  const [playing, setPlaying] = useState(false);
  /** The frame whose exact picture is on the stage. */
  const [exact, setExact] = useState<number | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const frames = useRef<Frames | null>(null);
  const player = useRef<Player | null>(null);
  /** The frame that is wanted last: an answer that comes late is not drawn over a later one. */
  const wanted = useRef(0);

  const draw = (source: ImageBitmap | HTMLVideoElement): void => {
    const surface = canvas.current;
    surface?.getContext("2d", { alpha: false })?.drawImage(source, 0, 0, surface.width, surface.height);
  };
  const drawExact = async (at: number): Promise<void> => {
    try {
      const bitmap = await frames.current?.at(at);
      if (!bitmap || wanted.current !== at) return;
      draw(bitmap);
      setExact(at);
    } catch (error) {
      if (isAbort(error) || wanted.current !== at) return;
      // Another frame's picture under this one's number and outlines would be believed.
      const surface = canvas.current;
      surface?.getContext("2d", { alpha: false })?.clearRect(0, 0, surface.width, surface.height);
      setExact(null);
      throw error;
    }
  };

  useEffect(() => {
    const source = new Frames(api, item.item, item.frames, canvasSize(item).width);
    const film = new Player(api, item, {
      shown: (at, source) => {
        wanted.current = at;
        setFrame(at);
        if (source) {
          setExact(null);
          return draw(source);
        }
        return drawExact(at).catch(() => undefined);
      },
      stopped: () => setPlaying(false),
    });
    frames.current = source;
    player.current = film;
    return () => {
      film.close();
      source.close();
    };
  }, [api, item]);

  useEffect(() => {
    if (playing) return;
    wanted.current = frame;
    setFailed(false);
    drawExact(frame).catch((error: unknown) => {
      setFailed(true);
      say(told(error));
    });
  }, [frame, playing, api, item, attempt]);

  const go = (to: number): void => {
    if (playing) player.current?.pause();
    setFrame(Math.min(item.frames - 1, Math.max(0, to)));
  };
  return {
    frame,
    playing,
    /** True while the stage shows the exact picture of `frame`: only then boxes are set by it. */
    here: !playing && exact === frame,
    failed: !playing && failed,
    retry: (): void => setAttempt(attempt + 1),
    go,
    step: (by: number): void => go(frame + by),
    play: (from = frame, until = Infinity): void => {
      setPlaying(true);
      void player.current?.play(from, until);
    },
    pause: (): void => player.current?.pause(),
    surface: (made: HTMLCanvasElement | null): void => {
      canvas.current = made;
    },
  };
}

export type Film = ReturnType<typeof useFilm>;
