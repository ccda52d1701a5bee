// Has the server follow a region between and around its key frames, with its progress and a way to stop it.

import { useEffect, useState } from "preact/hooks";
import { isAbort, told, type Api } from "./api.ts";
import { Working } from "./dialog.tsx";
import { followRange, type DraftTrack } from "./draft.ts";
import { useLive } from "./live.ts";
import type { Item, Job, Span } from "./types.ts";
import type { Say } from "./say.ts";

export function Follow({ api, item, track, close, done, say }: {
  api: Api;
  item: Item;
  track: DraftTrack;
  close: () => void;
  done: (spans: Span[]) => void;
  say: Say;
}) {
  const [job, setJob] = useState<Job<{ spans: Span[] }> | null>(null);
  const [stop] = useState(() => new AbortController());
  const live = useLive();
  useEffect(() => {
    const run = async (): Promise<void> => {
      const [first, last] = followRange(track);
      const body = { kind: track.kind, keys: track.keys, first, last };
      const { job: id } = await api.post<{ job: string }>(`/api/items/${item.item}/follow`, body);
      const { spans } = await api.job<{ spans: Span[] }>(id, stop.signal, setJob);
      stop.signal.throwIfAborted();
      done(spans);
      say(`${track.name} was followed. Look at it on other frames; set it again where it is off, and follow again.`);
    };
    run()
      .catch((error: unknown) => live.current && say(isAbort(error) ? "Stopped; nothing was changed." : told(error)))
      .finally(close);
    return () => stop.abort();
  }, []);
  return (
    <Working title="Follow" stage={job?.stage ?? ""} done={job?.done ?? 0} total={job?.total ?? 0} stop={() => stop.abort()} />
  );
}
