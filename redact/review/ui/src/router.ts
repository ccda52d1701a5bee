// Addresses of the page, kept after the `#` so that the server never sees them: `#/review`, `#/published`,
// `#/review/ITEM`. A page with unsaved edits may ask before it is left.

import { useEffect, useState } from "preact/hooks";
import type { Room } from "./types.ts";

export interface Route {
  readonly room: Room;
  /** Empty on the queue. */
  readonly item: string;
}

type Guard = (go: () => void) => boolean;
let guard: Guard | null = null;
let here = "";
let visited = "";

/** The item that was open last: where a person goes on in the list. */
export function lastVisited(): string {
  return visited;
}

/** While set, leaving calls it: it gives true to hold the person back, and may call `go` later. */
export function holdBack(ask: Guard | null): void {
  guard = ask;
}

/** Whether something is unsaved. */
export function isHeld(): boolean {
  return guard !== null;
}

/** Leaves otherwise than by an address: asks first as well. */
export function leave(go: () => void): void {
  if (!guard?.(go)) go();
}

export function parse(hash: string): Route {
  const [, room, item] = /^#\/(review|published)(?:\/([a-z0-9]{4,64}))?$/.exec(hash) ?? [];
  return { room: room === "published" ? "published" : "review", item: item ?? "" };
}

export function address({ room, item }: Route): string {
  return `#/${room}${item ? `/${item}` : ""}`;
}

export function go(route: Route): void {
  location.hash = address(route);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parse(location.hash));
  useEffect(() => {
    here = location.hash;
    const changed = (): void => {
      const wanted = location.hash;
      if (wanted === here) return;
      const follow = (): void => {
        guard = null;
        history.replaceState(null, "", wanted);
        here = wanted;
        setRoute(parse(wanted));
      };
      if (guard?.(follow)) history.replaceState(null, "", here || location.pathname);
      else follow();
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  if (route.item) visited = route.item;
  useEffect(() => {
    document.title = route.item ? `${route.item}, review` : "Review";
  }, [route.item]);
  return route;
}
