// Exact frames of one item, as the server decodes them: a few decoded pictures around the one that is shown. Frames of
// the original never come here: `original.tsx` asks for each while it is held and lets go of it.

import type { Api } from "./api.ts";

/** Decoded pictures kept: some steps in either direction. */
const KEPT = 10;
const AHEAD = [1, -1, 2];

interface Loading {
  picture: Promise<ImageBitmap>;
  stop: AbortController;
  here: boolean;
}

export class Frames {
  private readonly kept = new Map<number, Loading>();

  constructor(
    private readonly api: Api,
    private readonly item: string,
    private readonly count: number,
    private readonly width: number,
  ) {}

  /** The frame, and its neighbours soon after. What was asked for before and is not there yet is no longer waited for. */
  async at(frame: number): Promise<ImageBitmap> {
    for (const [other, loading] of this.kept) {
      if (!loading.here && other !== frame && !AHEAD.includes(other - frame)) this.drop(other);
    }
    const picture = await this.load(frame);
    for (const step of AHEAD) {
      const next = frame + step;
      if (next >= 0 && next < this.count) this.load(next).catch(() => undefined);
    }
    return picture;
  }

  /** Lets go of everything. */
  close(): void {
    for (const frame of [...this.kept.keys()]) this.drop(frame);
  }

  private load(frame: number): Promise<ImageBitmap> {
    const known = this.kept.get(frame);
    if (known) {
      this.kept.delete(frame);
      this.kept.set(frame, known);
      return known.picture;
    }
    const stop = new AbortController();
    const path = framePath(this.item, frame, "output", this.width);
    const picture = this.api.picture(path, { signal: stop.signal }).then((blob) => createImageBitmap(blob));
    const loading: Loading = { picture, stop, here: false };
    this.kept.set(frame, loading);
    picture.then(
      () => (loading.here = true),
      () => this.kept.get(frame) === loading && this.kept.delete(frame),
    );
    for (const old of [...this.kept.keys()].slice(0, Math.max(0, this.kept.size - KEPT))) this.drop(old);
    return picture;
  }

  private drop(frame: number): void {
    const loading = this.kept.get(frame);
    this.kept.delete(frame);
    loading?.stop.abort();
    loading?.picture.then((bitmap) => bitmap.close()).catch(() => undefined);
  }
}

export function framePath(item: string, frame: number, of: "output" | "input", width: number): string {
  return `/api/items/${item}/frames/${frame}?of=${of}&width=${width}`;
}
