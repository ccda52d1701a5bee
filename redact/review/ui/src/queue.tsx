// The list: what waits, riskiest first as the server sorts it, or what is published. Pictures are of the output only.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { told, type Api } from "./api.ts";
import { Help } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { address, go, lastVisited } from "./router.ts";
import type { Queue, QueueItem, Room } from "./types.ts";
import { covered, facts, found, STANDINGS } from "./words.ts";
import type { Say } from "./say.ts";

export function QueueView({ api, room, say }: { api: Api; room: Room; say: Say }) {
  const [queue, setQueue] = useState<Queue | null>(null);
  const [wrong, setWrong] = useState("");
  const [help, setHelp] = useState(false);
  const list = useRef<HTMLUListElement>(null);

  const load = useCallback(async (): Promise<void> => {
    setWrong("");
    try {
      setQueue(await api.json<Queue>(`/api/queue?room=${room}`));
    } catch (error) {
      setWrong(told(error));
    }
  }, [api, room]);
  useEffect(() => {
    setQueue(null);
    void load();
  }, [load]);

  useEffect(() => {
    // Back from an item, a person goes on from where it is or was.
    const links = list.current?.querySelectorAll<HTMLAnchorElement>("a.card") ?? [];
    const back = [...links].find((link) => link.href.endsWith(`/${lastVisited()}`));
    if (document.activeElement === document.body) back?.focus();
  }, [queue]);

  const move = (step: number): void => {
    const links = [...(list.current?.querySelectorAll<HTMLAnchorElement>("a.card") ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  };
  useKeys({
    nextItem: () => move(1),
    previousItem: () => move(-1),
    help: () => setHelp(true),
    queue: () => go({ room: room === "review" ? "published" : "review", item: "" }),
  });

  return (
    <main class="queue">
      <div class="head">
        <h1>{room === "review" ? "To review" : "Published"}</h1>
        <nav class="rooms" aria-label="Lists">
          {(["review", "published"] as const).map((one) => (
            <a key={one} href={address({ room: one, item: "" })} aria-current={one === room ? "page" : undefined}>
              {one === "review" ? "To review" : "Published"}
            </a>
          ))}
        </nav>
        <span class="gap" />
        <button type="button" class="small" onClick={() => void load()}>
          Look again
        </button>
        <button type="button" class="small" onClick={() => setHelp(true)}>
          Keys
        </button>
      </div>
      <p class="quiet lede">{lede(room, queue)}</p>
      {wrong && (
        <p role="alert" class="notice stop">
          {wrong}{" "}
          <button type="button" class="small" onClick={() => void load()}>
            Try again
          </button>
        </p>
      )}
      <ul class="cards" ref={list} aria-busy={queue === null && !wrong}>
        {queue?.items.map((item) => (
          <li key={item.item}>
            <Card {...{ api, item, room, say }} />
          </li>
        ))}
      </ul>
      {help && <Help close={() => setHelp(false)} />}
    </main>
  );
}

function lede(room: Room, queue: Queue | null): string {
  if (!queue) return "Loading";
  const count = queue.items.length;
  if (room === "published") {
    return count === 0 ? "Nothing is published yet." : `${count} published. Each can be taken back.`;
  }
  if (count === 0) return "Nothing waits. New items come here when a run leaves something to a person.";
  return `${count} ${count === 1 ? "item waits" : "items wait"}, the riskiest first. The pictures show the covered files.`;
}

function Card({ api, item, room }: { api: Api; item: QueueItem; room: Room }) {
  const { needed, given } = item.approvals;
  return (
    <a class={`card ${item.standing.toLowerCase()}`} href={address({ room, item: item.item })}>
      <Thumbnail api={api} item={item.item} />
      <span class="about">
        <span class="first">
          <code>{item.item}</code>{" "}
          <span class={`badge ${item.standing.toLowerCase()}`} title={STANDINGS[item.standing]}>
            {item.standing}
          </span>
        </span>
        <span class="found">{found(item.findings, item.notes)}</span>
        <span class="quiet">Covered: {covered(item.covers)}</span>
        <span class="quiet">{facts(item)}</span>
        {needed > 1 && room === "review" && (
          <span class="quiet">
            Approved by {given.length} of {needed}
          </span>
        )}
      </span>
    </a>
  );
}

/** Asked for when it comes into view; its address is given up with the element. */
function Thumbnail({ api, item }: { api: Api; item: string }) {
  const frame = useRef<HTMLSpanElement>(null);
  const [url, setUrl] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    let made = "";
    const load = async (): Promise<void> => {
      const blob = await api.picture(`/api/items/${item}/thumbnail`, { signal: stop.signal });
      if (stop.signal.aborted) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    };
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      load().catch(() => undefined);
    });
    if (frame.current) seen.observe(frame.current);
    return () => {
      seen.disconnect();
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [api, item]);
  return (
    <span class="thumb" ref={frame}>
      {url && <img src={url} alt="" />}
    </span>
  );
}
