// Words and numbers as a person reads them. The server sends the words of findings; these are the rest.

import type { Kind, QueueItem, Standing } from "./types.ts";

const COUNTED: Record<Kind, [string, string]> = {
  face: ["face", "faces"],
  head: ["head", "heads"],
  text: ["text", "texts"],
  code: ["code", "codes"],
};

const FINDINGS: Record<string, string> = {
  face: "a face still seen",
  face_expected: "a head under no cover",
  text: "text still seen",
  speech: "speech left",
  sound: "sound to listen to",
  name: "a name, or what looks like one",
  metadata: "hidden data",
  structure: "a part of the file that does not belong there",
  stream: "a stream that does not belong there",
  trailing_bytes: "bytes after the file's end",
  undecodable: "it does not decode without errors",
  unverifiable: "a format that cannot be checked",
  note: "a person must look",
};

export const STANDINGS: Record<Standing, string> = {
  BLOCK: "Must not be published: the file carries something hidden, or is broken.",
  REVIEW: "Waits for a person.",
  PUBLISH: "The checks found nothing on the finished file.",
  ACCEPTED: "A reviewer looked and let it pass.",
};

/** What a long job does now. */
export function stageInWords(stage: string): string {
  const words: Record<string, string> = {
    waiting: "Waiting for its turn",
    follow: "Following it through the film",
    analyse: "Looking",
    render: "Drawing the covers",
    sign: "Signing",
    gate: "Checking the finished file",
  };
  return words[stage] ?? "At work";
}

/** `1 face`, `3 faces`. */
export function counted(kind: Kind, count: number): string {
  return `${count} ${COUNTED[kind][count === 1 ? 0 : 1]}`;
}

/** What is covered, e.g. `3 faces, 1 text`; `nothing` if nothing is. */
export function covered(covers: QueueItem["covers"]): string {
  const parts = (Object.keys(COUNTED) as Kind[])
    .filter((kind) => (covers[kind] ?? 0) > 0)
    .map((kind) => counted(kind, covers[kind] ?? 0));
  return parts.join(", ") || "nothing";
}

/** The findings of a queue row, e.g. `a face still seen (2), no face was found`. */
export function found(findings: QueueItem["findings"], notes: readonly string[] = []): string {
  const parts = Object.entries(findings)
    .filter(([kind, count]) => count > 0 && !(kind === "note" && notes.length))
    .map(([kind, count]) => (FINDINGS[kind] ?? kind) + (count > 1 ? ` (${count})` : ""))
    .concat(notes);
  const text = parts.join(", ");
  return text ? text.charAt(0).toUpperCase() + text.slice(1) : "Nothing found";
}

/** `frame 10`, `frames 10–40`. */
export function framesInWords(first: number, last: number): string {
  return first === last ? `frame ${first}` : `frames ${first}–${last}`;
}

/** `0:04.32`, `12:05.00`, `1:02:03.50`. */
export function clock(time: number): string {
  const hundredths = Math.round(Math.max(0, time) * 100);
  const [hours, minutes] = [Math.floor(hundredths / 360_000), Math.floor(hundredths / 6000) % 60];
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** `4.3 s`. */
export function seconds(time: number): string {
  return `${(Math.round(time * 100) / 100).toString()} s`;
}

/** `video, 640×360, 4.4 s`. */
export function facts(item: QueueItem): string {
  if (item.kind === "") return "Its report is missing; run the folder again.";
  const parts = [`${item.kind}, ${item.format}`, `${item.width}×${item.height}`];
  if (item.frames > 1) parts.push(seconds(Math.round(item.seconds * 10) / 10));
  return parts.join(", ");
}

/** A moment of the record, in the reader's own clock. */
export function moment(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
