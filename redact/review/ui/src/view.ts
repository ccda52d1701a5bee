// Zoom and movement of the picture on the stage: by wheel, mouse, fingers, keys and buttons. What lies under the
// pointer, between the fingers or else in the middle stays there. Two fingers are always the view's, never an edit.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

export type Zoom = number | "fit";

export function zoomed(shown: number, by: number): number {
  return Math.min(8, Math.max(0.05, shown * by));
}

/** The middle of two fingers and how far they are apart, in pixels of the screen. */
export interface Grip {
  readonly x: number;
  readonly y: number;
  readonly apart: number;
}

type Finger = Pick<Touch, "clientX" | "clientY">;

export function gripOf(one: Finger, other: Finger): Grip {
  const [x, y] = [(one.clientX + other.clientX) / 2, (one.clientY + other.clientY) / 2];
  return { x, y, apart: Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)) };
}

/** The zoom after fingers that were `was` apart are `is` apart. Closed enough it fits, and fits again when resized. */
export function pinched(zoom: number, was: number, is: number, fit: number): Zoom {
  const next = zoomed(zoom, is / was);
  return next <= fit && zoom >= fit ? "fit" : next;
}

/** A point of the picture, as parts of its width and height, and where on the screen it is to lie. */
interface Anchor {
  readonly u: number;
  readonly v: number;
  readonly x: number;
  readonly y: number;
}

interface Wanted {
  /** Pixels of the screen for one of the item, now and when it fits. */
  shown: number;
  fit: number;
  setZoom: (zoom: Zoom) => void;
  /** A drag of one mouse button is an edit, not a movement of the view. */
  drawing: boolean;
  /** A second finger has come: what the first one began is no edit. */
  letGo: () => void;
  /** All fingers are lifted that were more than one. */
  lifted: () => void;
}

type Ref = { readonly current: HTMLElement | null };

export function useView(scroller: Ref, sheet: Ref, wanted: Wanted): void {
  const now = useRef(wanted);
  now.current = wanted;
  const anchor = useRef<Anchor | null>(null);
  /** What lies in the middle: known before a change of size, for the browser moves it. */
  const middle = useRef<Anchor | null>(null);

  const anchorAt = (x: number, y: number): Anchor => {
    const { left, top, width, height } = (sheet.current as HTMLElement).getBoundingClientRect();
    return { u: (x - left) / width, v: (y - top) / height, x, y };
  };
  const centre = (): Anchor => {
    const { left, top, width, height } = (scroller.current as HTMLElement).getBoundingClientRect();
    return anchorAt(left + width / 2, top + height / 2);
  };
  const hold = ({ u, v, x, y }: Anchor): void => {
    const [element, picture] = [scroller.current, sheet.current];
    if (!element || !picture) return;
    const { left, top, width, height } = picture.getBoundingClientRect();
    element.scrollBy(left + u * width - x, top + v * height - y);
    middle.current = centre();
  };
  const zoomAbout = (zoom: Zoom, point: Anchor): void => {
    if (zoom === now.current.shown) return hold(point);
    anchor.current = point;
    now.current.setZoom(zoom);
  };

  useLayoutEffect(() => {
    const point = anchor.current ?? middle.current;
    anchor.current = null;
    if (point) hold(point);
    else middle.current = centre();
  }, [wanted.shown]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const scrolled = (): void => {
      middle.current = centre();
    };
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomAbout(zoomed(now.current.shown, Math.exp(-event.deltaY / 300)), anchorAt(event.clientX, event.clientY));
    };
    /** A drag on the empty picture moves it, by mouse; one finger scrolls by itself. */
    const down = (event: PointerEvent): void => {
      const onBox = event.target instanceof Element && event.target.closest(".a9s-annotation");
      const edits = event.button === 0 && (now.current.drawing || onBox);
      if (event.pointerType !== "mouse" || event.button > 1 || edits) return;
      const move = (moved: PointerEvent): void => element.scrollBy(-moved.movementX, -moved.movementY);
      const up = (): void => removeEventListener("pointermove", move);
      addEventListener("pointermove", move);
      addEventListener("pointerup", up, { once: true });
    };
    element.addEventListener("scroll", scrolled, { passive: true });
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("pointerdown", down);
    return () => {
      element.removeEventListener("scroll", scrolled);
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("pointerdown", down);
    };
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    let start: { grip: Grip; zoom: number; point: Anchor } | null = null;
    /** From the second finger on until the last one is lifted. */
    let ours = false;
    const fingers = (event: TouchEvent): Touch[] =>
      [...event.touches].filter(({ target }) => target instanceof Node && element.contains(target));
    const begin = (event: TouchEvent): void => {
      const [one, other, third] = fingers(event);
      start = null;
      if (!one || !other) return;
      event.preventDefault();
      if (!ours) now.current.letGo();
      ours = true;
      if (third) return;
      const grip = gripOf(one, other);
      start = { grip, zoom: now.current.shown, point: anchorAt(grip.x, grip.y) };
    };
    const move = (event: TouchEvent): void => {
      const [one, other] = fingers(event);
      if (ours && event.cancelable) event.preventDefault();
      if (!start || !one || !other) return;
      const { x, y, apart } = gripOf(one, other);
      const zoom = pinched(start.zoom, start.grip.apart, apart, now.current.fit);
      zoomAbout(zoom === "fit" && now.current.shown === now.current.fit ? now.current.shown : zoom, { ...start.point, x, y });
    };
    const end = (event: TouchEvent): void => {
      if (fingers(event).length < 2) start = null;
      if (!ours || fingers(event).length > 0) return;
      ours = false;
      now.current.lifted();
    };
    const keep = (event: PointerEvent): void => {
      if (event.pointerType !== "touch") return;
      // A first finger: whatever was before is over, also if its end was not heard of.
      if (event.type === "pointerdown" && event.isPrimary) ours = false;
      else if (ours || !event.isPrimary) event.stopPropagation();
    };
    const [touches, pointers] = [["touchend", "touchcancel"], ["pointerdown", "pointermove", "pointerup", "pointercancel"]] as const;
    element.addEventListener("touchstart", begin, { passive: false });
    element.addEventListener("touchmove", move, { passive: false });
    for (const name of touches) element.addEventListener(name, end);
    for (const name of pointers) element.addEventListener(name, keep, true);
    return () => {
      element.removeEventListener("touchstart", begin);
      element.removeEventListener("touchmove", move);
      for (const name of touches) element.removeEventListener(name, end);
      for (const name of pointers) element.removeEventListener(name, keep, true);
    };
  }, []);
}
