// What the server says, as types: `docs/review.md` describes each. Boxes are x, y, w, h in pixels of the displayed
// picture; frames count from 0 in display order; spans are inclusive.

export type Box = readonly [number, number, number, number];
export type Kind = "face" | "head" | "text" | "code";
export type Origin = "detected" | "interpolated" | "extended" | "gate" | "reviewer";
export type Standing = "REVIEW" | "BLOCK" | "PUBLISH" | "ACCEPTED";
export type Room = "review" | "published";
export type MediaKind = "photo" | "animation" | "video";

export interface Approvals {
  needed: number;
  given: string[];
}

export interface QueueItem {
  item: string;
  /** Empty if the item's report is missing. */
  kind: MediaKind | "";
  format: string;
  standing: Standing;
  findings: Record<string, number>;
  covers: Partial<Record<Kind, number>>;
  width: number;
  height: number;
  frames: number;
  seconds: number;
  approvals: Approvals;
  time: string;
  /** What the note findings ask a person for. */
  notes: string[];
}

export interface Queue {
  by: string;
  can_edit: boolean;
  items: QueueItem[];
}

export interface Finding {
  index: number;
  kind: string;
  words: string;
  detail: string;
  severity: "REVIEW" | "BLOCK";
  score: number;
  first: number | null;
  last: number | null;
  box: Box | null;
  /** False if it may pass without a typed reason. */
  needs_reason?: boolean;
}

export interface Span {
  readonly first: number;
  readonly last: number;
  readonly box: Box;
  readonly origin: Origin;
}

export interface Track {
  id: number;
  kind: Kind;
  score: number;
  keep: boolean;
  spans: Span[];
}

export interface SoundRange {
  readonly kind: "mute" | "bleep";
  readonly start: number;
  readonly end: number;
}

export interface Look {
  what: string;
  by: string;
  frames: number;
  of_frames: number;
}

export interface Past {
  time: string;
  event: string;
  by: string;
  reason: string;
}

export interface Item {
  item: string;
  sha256: string;
  plan: string;
  kind: MediaKind;
  standing: Standing;
  room: Room;
  width: number;
  height: number;
  frames: number;
  seconds: number;
  frame_times?: number[];
  has_sound: boolean;
  findings: Finding[];
  looked_for: Look[];
  tracks: Track[];
  audio: SoundRange[];
  audio_mode: string;
  shots: [number, number][];
  approvals: Approvals;
  has_original: boolean;
  can_edit: boolean;
  why_not: string;
  history: Past[];
}

export interface Drawn {
  outcome: "published" | "review" | "blocked";
  findings: number;
  message: string;
}

export interface Job<Result> {
  state: "running" | "done" | "failed";
  stage: string;
  done: number;
  total: number;
  result: Result | null;
  /** Why it failed, as a word. */
  error: string;
  message: string;
}

export interface Key {
  readonly frame: number;
  readonly box: Box;
}
