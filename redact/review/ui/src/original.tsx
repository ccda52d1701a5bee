// The uncovered original, only while it is held: one picture, asked for with the header that says so, drawn over the
// stage and wiped the moment it is let go. It is in no cache, no address and no element that outlives the press.

import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort, told, type Api } from "./api.ts";
import { framePath } from "./frames.ts";
import type { Say } from "./say.ts";

export function Original({ api, item, frame, width, say }: {
  api: Api;
  item: string;
  frame: number;
  width: number;
  say: Say;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [there, setThere] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const surface = canvas.current;
    const show = async (): Promise<void> => {
      const path = framePath(item, frame, "input", width);
      const blob = await api.picture(path, { original: true, signal: stop.signal });
      const bitmap = await createImageBitmap(blob);
      if (!stop.signal.aborted && surface) {
        surface.width = bitmap.width;
        surface.height = bitmap.height;
        surface.getContext("2d")?.drawImage(bitmap, 0, 0);
        setThere(true);
      }
      bitmap.close();
    };
    show().catch((error: unknown) => {
      if (!isAbort(error)) say(told(error));
    });
    return () => {
      stop.abort();
      // An empty canvas holds no pixels.
      if (surface) surface.width = surface.height = 0;
    };
  }, [api, item, frame, width]);
  return (
    <div class={there ? "original there" : "original"}>
      <canvas ref={canvas} aria-label="The original, not covered" role="img" />
    </div>
  );
}
