// Plays a film so that the outlines keep up: the hidden <video> tells which frame it presents, and that frame is drawn
// on the stage's canvas. What cannot be played by the browser (animations, some containers) is stepped frame by frame.

import type { Api } from "./api.ts";
import { frameAt } from "./lanes.ts";
import type { Item } from "./types.ts";

export interface PlayerEvents {
  /** A frame is presented; draw `source`, or fetch the exact frame if it is null. */
  shown: (frame: number, source: HTMLVideoElement | null) => void | Promise<void>;
  stopped: () => void;
}

export class Player {
  private video: HTMLVideoElement | null = null;
  private playable: boolean;
  /** Counts plays, so that what belongs to an earlier one is told apart. */
  private turn = 0;
  private until = Infinity;

  constructor(
    private readonly api: Api,
    private readonly item: Item,
    private readonly events: PlayerEvents,
  ) {
    this.playable = item.kind === "video";
  }

  private get times(): readonly number[] {
    return this.item.frame_times ?? [];
  }

  /** Plays from a frame, to `until` (seconds) if that is given. */
  async play(frame: number, until = Infinity): Promise<void> {
    const turn = ++this.turn;
    this.until = until;
    const from = frame >= this.item.frames - 1 && until === Infinity ? 0 : frame;
    if (this.playable && (await this.started(turn, from))) return;
    if (turn === this.turn) await this.stepped(turn, from);
  }

  pause(): void {
    this.turn++;
    this.video?.pause();
    this.events.stopped();
  }

  close(): void {
    this.turn++;
    const { video } = this;
    this.video = null;
    if (!video) return;
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }

  private async started(turn: number, frame: number): Promise<boolean> {
    try {
      const video = (this.video ??= await this.load());
      video.currentTime = (this.times[frame] ?? 0) + 0.001;
      if (turn !== this.turn) return true;
      this.watch(video, turn);
      await video.play();
      return true;
    } catch (error) {
      // A press of pause while it starts is no failure to play.
      if (turn !== this.turn) return true;
      if (error instanceof DOMException && error.name === "AbortError") return true;
      this.playable = false;
      this.video = null;
      return false;
    }
  }

  private async load(): Promise<HTMLVideoElement> {
    const { url } = await this.api.post<{ url: string }>(`/api/items/${this.item.item}/ticket`);
    const video = document.createElement("video");
    video.playsInline = true;
    video.preload = "auto";
    video.muted = !this.item.has_sound;
    video.disablePictureInPicture = true;
    video.src = url;
    await new Promise<void>((resolve, reject) => {
      video.addEventListener("loadeddata", () => resolve(), { once: true });
      video.addEventListener("error", () => reject(new Error("not playable")), { once: true });
    });
    return video;
  }

  private watch(video: HTMLVideoElement, turn: number): void {
    const show = (time: number): void => {
      if (turn !== this.turn) return;
      void this.events.shown(frameAt(this.times, time), video);
      if (video.ended || time >= this.until) this.pause();
      else next();
    };
    const next = (): void => {
      if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback((_, { mediaTime }) => show(mediaTime));
      else requestAnimationFrame(() => show((video as HTMLVideoElement).currentTime));
    };
    video.onended = (): void => {
      if (turn === this.turn) this.pause();
    };
    next();
  }

  private async stepped(turn: number, start: number): Promise<void> {
    const { times } = this;
    const even = this.item.frames > 1 ? this.item.seconds / this.item.frames : 0.1;
    for (let frame = start; turn === this.turn; frame++) {
      if (frame >= this.item.frames || (times[frame] ?? 0) >= this.until) return this.pause();
      const began = performance.now();
      await this.events.shown(frame, null);
      const long = ((times[frame + 1] ?? NaN) - (times[frame] ?? NaN)) * 1000;
      const rest = (Number.isNaN(long) ? even * 1000 : long) - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(10, rest)));
    }
  }
}
