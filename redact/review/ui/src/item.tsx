// One item: loads it, and loads it again when it is no longer what lies there. The editor below it is made afresh
// for each state of the item, so that edits never outlive the file they were made on.

import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useLive } from "./live.ts";
import { told, type Api } from "./api.ts";
import type { Outcome } from "./decide.tsx";
import { Editing } from "./editing.tsx";
import { address, go, holdBack, type Route } from "./router.ts";
import type { Item, Queue } from "./types.ts";
import type { Say } from "./say.ts";

export function ItemView({ api, route, say }: { api: Api; route: Route; say: Say }) {
  const [item, setItem] = useState<Item | null>(null);
  const [order, setOrder] = useState<string[]>([]);
  const coming = useRef<Promise<string[]>>(Promise.resolve([]));
  const [wrong, setWrong] = useState("");
  const live = useLive();

  const load = useCallback(async (): Promise<void> => {
    setWrong("");
    const queue = api.json<Queue>(`/api/queue?room=${route.room}`);
    coming.current = queue.then(({ items }) => items.map((other) => other.item));
    // Both are asked for at once; what goes wrong with either is told below.
    const there = coming.current.then(setOrder);
    there.catch(() => undefined);
    try {
      setItem(await api.json<Item>(`/api/items/${route.item}`));
      await there;
    } catch (error) {
      setWrong(told(error));
    }
  }, [api, route.item, route.room]);

  useLayoutEffect(() => {
    setItem(null);
    void load();
  }, [load]);

  const neighbour = (step: number, among = order): string => {
    const at = among.indexOf(route.item);
    return at === -1 ? "" : (among[at + step] ?? "");
  };
  /** Goes on with the next item, or to the list if there is none. The order may still be on its way. */
  const onwards = async (): Promise<void> => {
    const among = await coming.current.catch(() => []);
    if (live.current) go({ room: route.room, item: neighbour(1, among) || neighbour(-1, among) });
  };
  /** What comes when this item is no longer open says whose it is. */
  const tell: Say = (words, heard) => say(live.current ? words : `${route.item}: ${words}`, heard);
  const done = ({ words, settled }: Outcome): void => {
    tell(words);
    if (!live.current) return;
    // What was edited is drawn, or given up with the item: there is nothing left to ask about.
    holdBack(null);
    if (settled) void onwards();
    else void load();
  };
  const changed = (words: string): void => {
    if (!live.current) return tell(words || "It has changed meanwhile.");
    void load().then(() => say(`${words || "The item has changed meanwhile."} It was loaded again.`));
  };

  if (wrong) {
    return (
      <main class="middle">
        <p role="alert">{wrong}</p>
        <p class="buttons">
          <button type="button" onClick={() => void load()}>
            Try again
          </button>
          <a href={address({ ...route, item: "" })}>Back to the list</a>
        </p>
      </main>
    );
  }
  if (!item || item.item !== route.item) {
    return (
      <main class="middle" aria-busy="true">
        <p class="quiet">Loading</p>
      </main>
    );
  }
  const next = neighbour(1);
  const previous = neighbour(-1);
  return (
    <Editing
      key={`${item.item} ${item.sha256} ${item.plan} ${item.approvals.given.join()}`}
      {...{ api, item, route, next, previous, done, changed }}
      say={tell}
    />
  );
}
