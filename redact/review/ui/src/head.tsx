// The line over an item: what it is, what may happen to it, and the two decisions.

import { useEffect, useRef, useState } from "preact/hooks";
import { told, type Api } from "./api.ts";
import { address, type Route } from "./router.ts";
import type { Item } from "./types.ts";
import { STANDINGS } from "./words.ts";
import type { Say } from "./say.ts";

export function Head({ api, item, route, next, previous, edited, visit, approve, reject, help, say }: {
  api: Api;
  item: Item;
  route: Route;
  next: string;
  previous: string;
  edited: boolean;
  visit: (item: string) => void;
  approve: () => void;
  reject: () => void;
  help: () => void;
  say: Say;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A screen reader begins to read at the item, not at nothing.
    if (document.activeElement === document.body) title.current?.focus();
  }, []);
  const { needed, given } = item.approvals;
  const published = item.room === "published";
  const blocked = item.findings.some(({ severity }) => severity === "BLOCK");
  return (
    <div class="head">
      <nav aria-label="Items">
        <a href={address({ ...route, item: "" })}>List</a>
        <button type="button" class="small" disabled={!previous} onClick={() => visit(previous)} title="Previous item (k)">
          Previous
        </button>
        <button type="button" class="small" disabled={!next} onClick={() => visit(next)} title="Next item (j)">
          Next
        </button>
      </nav>
      <h1 ref={title} tabIndex={-1}>
        <code>{item.item}</code> <span class={`badge ${item.standing.toLowerCase()}`} title={STANDINGS[item.standing]}>{item.standing}</span>
      </h1>
      <Name {...{ api, say }} item={item.item} />
      {needed > 1 && !published && (
        <span class="quiet">
          Approved by {given.length} of {needed}
          {given.length > 0 && ` (${given.join(", ")})`}
        </span>
      )}
      <span class="gap" />
      <button type="button" class="small" onClick={help} title="Keys (?)">
        Keys
      </button>
      <button type="button" class="danger" onClick={reject} title={published ? "Take back (x)" : "Reject (x)"}>
        {published ? "Take back" : "Reject"}
      </button>
      {(!published || edited) && (
        <button type="button" class="primary" disabled={blocked && !edited} onClick={approve} title="Approve (a)">
          {edited ? "Draw and check" : "Approve"}
        </button>
      )}
    </div>
  );
}

/** The input's name may itself be what must not be seen: it is asked for and shown only on a press. */
function Name({ api, item, say }: { api: Api; item: string; say: Say }) {
  const [name, setName] = useState("");
  const show = async (): Promise<void> => {
    try {
      setName((await api.json<{ name: string }>(`/api/items/${item}/name`)).name);
    } catch (error) {
      say(told(error));
    }
  };
  if (name) return <button type="button" class="link name" dir="auto" title="Hide the name" onClick={() => setName("")}>{name}</button>;
  return (
    <button type="button" class="link quiet" onClick={() => void show()}>
      Show file name
    </button>
  );
}
