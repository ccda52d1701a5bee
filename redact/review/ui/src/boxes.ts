// The annotation library behind three calls: show these boxes, select one, draw a new one. Its own undo, rotation and
// styles are not used: what it changes goes through the draft like any other edit.

import { createImageAnnotator, ShapeType, type ImageAnnotation, type ImageAnnotator } from "@annotorious/annotorious";
import type { Box } from "./types.ts";

export interface Shown {
  readonly id: string;
  readonly box: Box;
}

export interface BoxEvents {
  drawn: (box: Box) => void;
  moved: (id: string, box: Box) => void;
  selected: (id: string | null) => void;
}

/** Boxes closer than this, in canvas pixels, are the same: a press without a drag moves nothing. */
const STILL = 0.5;

export class Boxes {
  private readonly annotator: ImageAnnotator;
  private readonly watcher: MutationObserver;
  private readonly unsubscribe: () => void;
  private shown = new Map<string, Box>();
  private selected: string | null = null;
  /** True while this class itself changes the library's state. */
  private busy = false;

  constructor(
    canvas: HTMLCanvasElement,
    label: string,
    private readonly events: BoxEvents,
  ) {
    this.annotator = createImageAnnotator(canvas, { drawingEnabled: false, autoSave: false });
    const { element } = this.annotator;
    element.querySelector("svg")?.setAttribute("aria-label", label);
    // Its corner handles say that they are buttons, but have no name and no key moves them. Ours are on the keyboard.
    this.watcher = new MutationObserver(() => quieten(element));
    this.watcher.observe(element, { childList: true, subtree: true });
    element.addEventListener("pointerup", this.released);
    element.addEventListener("pointercancel", this.cancelled);
    this.annotator.on("createAnnotation", this.created);
    // Its event of this comes a moment later, when this class or the person may have chosen something else.
    this.unsubscribe = this.annotator.state.selection.subscribe(this.chosen) as () => void;
  }

  get element(): HTMLElement {
    return this.annotator.element;
  }

  show(boxes: readonly Shown[], selected: string | null): void {
    this.quietly(() => {
      const wanted = new Set(boxes.map(({ id }) => id));
      for (const id of this.shown.keys()) if (!wanted.has(id)) this.annotator.removeAnnotation(id);
      for (const { id, box } of boxes) {
        const before = this.shown.get(id);
        if (!before) this.annotator.addAnnotation(annotation(id, box));
        else if (!same(before, box)) this.annotator.updateAnnotation(annotation(id, box));
      }
      this.shown = new Map(boxes.map(({ id, box }) => [id, box]));
      const held = this.annotator.getSelected()[0]?.id ?? null;
      const next = selected !== null && wanted.has(selected) ? selected : null;
      if (held !== next) {
        if (next === null) this.annotator.cancelSelected();
        else this.annotator.setSelected(next, true);
      }
      this.selected = next;
    });
  }

  /** Whether the next drag draws a box. */
  draw(on: boolean): void {
    if (on) this.quietly(() => this.annotator.cancelSelected());
    this.annotator.setDrawingEnabled(on);
    this.element.classList.toggle("drawing-on", on);
  }

  /** A finger's drag turned out to be none: nothing was drawn or moved. Then `anew`, when no finger is on it. */
  letGo(): void {
    this.annotator.cancelDrawing();
    this.quietly(() => {
      for (const [id, box] of this.shown) {
        const now = this.annotator.getAnnotationById(id);
        if (now && !same(box, boxOf(now))) this.annotator.updateAnnotation(annotation(id, box));
      }
    });
  }

  /** Makes the handles of the selected box anew: those that never heard of the end of a drag go on with it. */
  anew(): void {
    this.quietly(() => this.annotator.cancelSelected());
    // The library takes them away a moment later.
    setTimeout(() => {
      const { selected } = this;
      if (selected !== null && this.shown.has(selected)) this.quietly(() => this.annotator.setSelected(selected, true));
    });
  }

  destroy(): void {
    this.watcher.disconnect();
    this.element.removeEventListener("pointerup", this.released);
    this.element.removeEventListener("pointercancel", this.cancelled);
    this.unsubscribe();
    this.annotator.destroy();
  }

  private quietly(change: () => void): void {
    this.busy = true;
    try {
      change();
    } finally {
      this.busy = false;
    }
  }

  /** A box was drawn: it comes back by `show` if it becomes part of the plan. */
  private readonly created = (made: ImageAnnotation): void => {
    this.quietly(() => this.annotator.removeAnnotation(made.id));
    this.events.drawn(boxOf(made));
  };

  private readonly chosen = ({ selected }: { readonly selected: readonly { readonly id: string }[] }): void => {
    if (this.busy) return;
    const id = selected[0]?.id ?? null;
    // One that was just drawn is no cover yet.
    if (id !== null && !this.shown.has(id)) return;
    if (id !== this.selected) {
      this.selected = id;
      this.events.selected(id);
    }
  };

  /** At once: a key that is pressed next finds the box where it was let go. The library's own listeners ran before. */
  private readonly released = (): void => {
    for (const [id, before] of this.shown) {
      const now = this.annotator.getAnnotationById(id);
      if (!now || same(before, boxOf(now))) continue;
      this.shown.set(id, boxOf(now));
      this.events.moved(id, boxOf(now));
    }
  };

  /** The browser took the pointer away in the middle of a drag: the library would go on with it. What moved, moved. */
  private readonly cancelled = (): void => {
    this.released();
    setTimeout(() => this.anew());
  };
}

function quieten(element: HTMLElement): void {
  for (const handle of element.querySelectorAll("svg.a9s-annotationlayer [role=button]")) {
    handle.removeAttribute("role");
    handle.removeAttribute("tabindex");
  }
}

function same(a: Box, b: Box): boolean {
  return a.every((value, n) => Math.abs(value - (b[n] as number)) < STILL);
}

function boxOf({ target }: ImageAnnotation): Box {
  const { x, y, w, h } = target.selector.geometry as unknown as { x: number; y: number; w: number; h: number };
  return [x, y, w, h];
}

function annotation(id: string, [x, y, w, h]: Box): ImageAnnotation {
  const bounds = { minX: x, minY: y, maxX: x + w, maxY: y + h };
  const selector = { type: ShapeType.RECTANGLE, geometry: { x, y, w, h, rot: 0, bounds } };
  return { id, bodies: [], target: { annotation: id, selector } };
}
