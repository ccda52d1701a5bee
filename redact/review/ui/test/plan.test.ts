import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../src/changes.ts";
import * as draft from "../src/draft.ts";
import { frameAt, lanes, stretches } from "../src/lanes.ts";
import { bare, between, firstOf, fromKeys, inside, lastOf, reaching, without } from "../src/spans.ts";
import type { Box, Item, Span } from "../src/types.ts";

const span = (first: number, last: number, box: Box = [100, 100, 50, 50]): Span => ({ first, last, box, origin: "detected" });

function item(changed: Partial<Item> = {}): Item {
  return {
    item: "abcd", sha256: "", plan: "", kind: "video", standing: "REVIEW", room: "review", width: 640, height: 360, frames: 100,
    seconds: 4, has_sound: true, findings: [], looked_for: [], audio: [], audio_mode: "keep", shots: [[0, 59], [60, 99]],
    tracks: [
      { id: 3, kind: "face", score: 0.9, keep: false, spans: [span(10, 19), span(20, 29, [120, 100, 50, 50]), span(30, 40)] },
      { id: 7, kind: "text", score: 0.9, keep: false, spans: [span(0, 99, [0, 300, 640, 60])] },
    ],
    approvals: { needed: 1, given: [] }, has_original: true, can_edit: true, why_not: "", history: [],
    ...changed,
  };
}

const words = (before: draft.Draft, after: draft.Draft): string[] => changes(before, after).map((change) => change.words);
const covered = (spans: readonly Span[], frame: number): boolean => spans.some((s) => s.first <= frame && s.last >= frame);

test("what is cut away is gone and the rest stays", () => {
  assert.deepEqual(without([span(0, 9)], 3, 5).map((s) => [s.first, s.last]), [[0, 2], [6, 9]]);
  assert.deepEqual(without([span(0, 9)], 0, 9), []);
});

test("a region between key frames is covered on every frame, exactly where it was set", () => {
  const keys = [{ frame: 10, box: [0, 0, 20, 20] as Box }, { frame: 35, box: [100, 50, 30, 30] as Box }];
  const spans = fromKeys(keys, 5, 50);
  for (let frame = 5; frame <= 50; frame++) {
    const here = spans.filter((s) => s.first <= frame && s.last >= frame).map((s) => s.box);
    assert.ok(bare(between(keys, frame), here) < 1e-9, `frame ${frame}`);
  }
  assert.deepEqual([firstOf(spans), lastOf(spans)], [5, 50]);
});

test("a track that is held longer covers the new frames and a shorter one none beyond", () => {
  const longer = reaching([span(10, 19), span(20, 29)], 5, 33);
  for (let frame = 5; frame <= 33; frame++) assert.ok(covered(longer, frame));
  const shorter = reaching([span(10, 19), span(20, 29)], 12, 22);
  assert.ok(!covered(shorter, 11) && covered(shorter, 12) && covered(shorter, 22) && !covered(shorter, 23));
});

test("a box never leaves the picture and never vanishes", () => {
  for (const box of [[-50, -50, 20, 20], [700, 400, 5, 5], [0, 0, 9999, 9999], [10, 10, 0, 0]] as Box[]) {
    const [x, y, w, h] = inside(box, 640, 360);
    assert.ok(x >= 0 && y >= 0 && x + w <= 640 && y + h <= 360 && w >= 4 && h >= 4, box.join());
  }
});

test("the bare part of a box is what none of several covers lies on", () => {
  assert.equal(bare([0, 0, 10, 10], []), 1);
  assert.equal(bare([0, 0, 10, 10], [[0, 0, 5, 10], [5, 0, 5, 10]]), 0);
  assert.equal(bare([0, 0, 10, 10], [[0, 0, 5, 10], [0, 0, 10, 5]]), 0.25);
});

test("moving a detected box moves it from that frame on and keeps its movement", () => {
  const before = draft.draftOf(item());
  const after = draft.place(before, "t3", 15, [100, 100, 50, 50], [90, 90, 70, 70]);
  const [was, is] = [before.tracks[0], after.tracks[0]] as [draft.DraftTrack, draft.DraftTrack];
  assert.deepEqual(draft.spansAt(is, 14).map((s) => s.box), draft.spansAt(was, 14).map((s) => s.box));
  assert.deepEqual(draft.spansAt(is, 15)[0]?.box, [90, 90, 70, 70]);
  assert.deepEqual(draft.spansAt(is, 25)[0]?.box, [110, 90, 70, 70]);
  assert.deepEqual(words(before, after), ["Face 3: moved at frame 15"]);
});

test("a box that was set on a later frame stays where it was set", () => {
  const [added, key] = draft.add(draft.draftOf(item()), "face", [0, 0, 40, 40], 10, 59);
  const set = draft.place(added, key, 40, [0, 0, 40, 40], [200, 0, 40, 40]);
  const followed = draft.follow(set, key, [span(10, 39, [0, 0, 40, 40]), span(40, 59, [200, 0, 40, 40])]);
  const track = draft.trackOf(draft.place(followed, key, 25, [0, 0, 40, 40], [5, 5, 40, 40]), key)!;
  const at = (frame: number): Box[] => draft.spansAt(track, frame).map(({ box }) => box);
  assert.deepEqual([24, 25, 39, 40, 59].map(at), [[0, 0], [5, 5], [5, 5], [200, 0], [200, 0]].map(([x, y]) => [[x, y, 40, 40]]));
  assert.deepEqual(stretches(track.spans), [[10, 59]]);
});

test("what is shown on purpose is not shown longer, elsewhere or as something else", () => {
  const [face] = item().tracks;
  const before = draft.draftOf(item({ tracks: [{ ...face!, keep: true }] }));
  for (const after of [
    draft.reach(before, "t3", 0, 99), draft.place(before, "t3", 15, [100, 100, 50, 50], [0, 0, 640, 360]),
    draft.follow(before, "t3", [span(0, 99)]), draft.uncover(before, "t3", 10, 20), draft.rekind(before, "t3", "text"),
    draft.remove(before, "t3"),
  ]) assert.equal(after, before);
});

test("what the gate found stays a cover of the gate's, moved and extended", () => {
  const gate = [{ ...span(0, 9), origin: "gate" as const }];
  const before = draft.draftOf(item({ tracks: [{ id: 3, kind: "face", score: 0.9, keep: false, spans: gate }] }));
  const moved = draft.place(before, "t3", 5, [100, 100, 50, 50], [90, 100, 50, 50]);
  const [added] = draft.add(draft.reach(moved, "t3", 0, 20), "face", [0, 0, 40, 40], 0, 0);
  const { tracks } = draft.payload(added) as { tracks: { spans: Span[] }[] };
  assert.deepEqual(tracks.map(({ spans }) => [...new Set(spans.map(({ origin }) => origin))]), [["gate"], ["reviewer"]]);
  assert.equal(draft.isEdited(draft.push(draft.begin(before), draft.place(moved, "t3", 5, [90, 100, 50, 50], [100, 100, 50, 50]))), true);
});

test("nothing loses its cover unsaid", () => {
  const before = draft.draftOf(item());
  assert.deepEqual(words(before, draft.remove(before, "t3")), ["Face 3: uncovered on frames 10–40"]);
  assert.deepEqual(words(before, draft.uncover(before, "t3", 20, 24)), ["Face 3: uncovered on frames 20–24"]);
  assert.deepEqual(words(before, draft.reach(before, "t3", 10, 30)), ["Face 3: uncovered on frames 31–40"]);
  const small = draft.place(before, "t3", 15, [100, 100, 50, 50], [100, 100, 50, 40]);
  assert.deepEqual(words(before, small)[0], "Face 3: partly uncovered on frames 15–40");
  const away = draft.place(before, "t3", 15, [100, 100, 50, 50], [300, 200, 50, 50]);
  assert.deepEqual(words(before, away)[0], "Face 3: uncovered on frames 15–40");
});

test("what another cover lies on is not told as uncovered", () => {
  const before = draft.draftOf(item());
  const [added] = draft.add(before, "face", [90, 90, 100, 80], 0, 99);
  assert.deepEqual(words(before, draft.remove(added, "t3")), ["New face 1: added on frames 0–99"]);
});

/** Numbers that look like chance and are the same each time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

test("the losses are those that are found frame by frame", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = chance(seed);
    const some = (): Span => {
      const first = random(36);
      return span(first, first + random(40 - first), [random(80), random(60), 20 + random(60), 20 + random(60)]);
    };
    const made = (id: number) => ({ id, kind: "face" as const, score: 1, keep: id === 4, spans: Array.from({ length: 1 + random(6) }, some) });
    const before = draft.draftOf(item({ frames: 40, tracks: [1, 2, 3, 4].map(made) }));
    const was = before.tracks[0]!;
    const after = seed % 2 ? draft.remove(before, "t1") : draft.uncover(before, "t1", random(20), 20 + random(20));
    const over = (frame: number): Box[] => after.tracks.flatMap((one) => (one.keep ? [] : draft.spansAt(one, frame).map(({ box }) => box)));
    const told: string[] = [];
    for (let frame = 0, start = 0, how = ""; frame <= 40; frame++) {
      const open = Math.max(0, ...draft.spansAt(was, frame).map(({ box }) => bare(box, over(frame))));
      const now = open > 0.01 ? (open >= 0.5 ? "uncovered" : "partly uncovered") : "";
      if (now === how) continue;
      if (how) told.push(`Face 1: ${how} on ${start === frame - 1 ? `frame ${start}` : `frames ${start}–${frame - 1}`}`);
      [start, how] = [frame, now];
    }
    assert.deepEqual(changes(before, after).filter(({ loss }) => loss).map((change) => change.words), told, `seed ${seed}`);
  }
});

test("a long film is gone through once, not once for each of its spans", () => {
  const count = 2000;
  let looks = 0;
  const watched = (first: number): Span => ({ ...span(first, first), get first() { looks++; return first; }, get last() { looks++; return first; } });
  const tracks = [1, 2].map((id) => ({
    id, kind: "face" as const, score: 1, keep: false, spans: Array.from({ length: count }, (_, first) => watched(first)),
  }));
  const before = draft.draftOf(item({ frames: count, tracks, shots: [[0, count - 1]] }));
  const after = draft.place(before, "t1", 0, [100, 100, 50, 50], [400, 100, 50, 50]);
  looks = 0;
  assert.deepEqual(changes(before, after).map((change) => change.words), ["Face 1: moved at frame 0"]);
  assert.ok(looks < 100 * count, `${looks / count} looks at each`);
});

test("a track that is kept on purpose covers nothing", () => {
  const [face, text] = item().tracks;
  const kept = { ...item(), tracks: [face!, { ...text!, spans: [span(0, 99, [0, 0, 640, 360])], keep: true, kind: "face" as const }] };
  const before = draft.draftOf(kept);
  assert.deepEqual(words(before, draft.remove(before, "t3")), ["Face 3: uncovered on frames 10–40"]);
});

test("sound that is heard again is told", () => {
  const before = draft.draftOf(item({ audio: [{ kind: "mute", start: 1, end: 2 }] }));
  assert.deepEqual(words(before, draft.withSound(before, [])), ["Sound: heard again from 1 s to 2 s"]);
  const more = draft.withSound(before, [...before.audio, { kind: "mute", start: 0.5, end: 0.75 }]);
  assert.deepEqual(words(before, more), ["Sound: silenced from 0.5 s to 0.75 s"]);
});

test("a drawn region gets new key frames without losing its ends, and asks to be followed again", () => {
  const [added, key] = draft.add(draft.draftOf(item()), "face", [0, 0, 40, 40], 10, 59);
  const placed = draft.place(added, key, 30, [0, 0, 40, 40], [200, 100, 40, 40]);
  const track = draft.trackOf(placed, key)!;
  assert.deepEqual([firstOf(track.spans), lastOf(track.spans)], [10, 59]);
  assert.deepEqual(draft.spansAt(track, 30).map((s) => s.box).at(-1), [200, 100, 40, 40]);
  assert.equal(track.followed, false);
  const followed = draft.follow(placed, key, [span(10, 59)]);
  assert.equal(draft.trackOf(followed, key)!.followed, true);
});

test("a drawn region that was cut moves on as before the cut", () => {
  const [added, key] = draft.add(draft.draftOf(item()), "face", [0, 0, 40, 40], 10, 59);
  const moving = draft.place(added, key, 50, [0, 0, 40, 40], [400, 0, 40, 40]);
  const cut = draft.reach(moving, key, 20, 59);
  const again = draft.trackOf(draft.place(cut, key, 55, [400, 0, 40, 40], [450, 0, 40, 40]), key)!;
  assert.ok(bare([100, 0, 40, 40], draft.spansAt(again, 20).map((s) => s.box)) < 1e-9);
});

test("a followed region keeps its movement when it is moved", () => {
  const [added, key] = draft.add(draft.draftOf(item()), "face", [0, 0, 40, 40], 10, 59);
  const followed = draft.follow(added, key, [span(10, 29, [0, 0, 40, 40]), span(30, 59, [300, 0, 40, 40])]);
  const track = draft.trackOf(draft.place(followed, key, 20, [0, 0, 40, 40], [5, 5, 40, 40]), key)!;
  assert.deepEqual(draft.spansAt(track, 40).map((s) => s.box), [[305, 5, 40, 40]]);
});

test("following a detected track leaves the frames before its first key frame alone", () => {
  const moved = draft.place(draft.draftOf(item()), "t3", 20, [120, 100, 50, 50], [130, 100, 50, 50]);
  assert.deepEqual(draft.followRange(draft.trackOf(moved, "t3")!), [20, 40]);
  const after = draft.trackOf(draft.follow(moved, "t3", [span(20, 40)]), "t3")!;
  assert.deepEqual(stretches(after.spans), [[10, 40]]);
  assert.equal(draft.spansAt(after, 12)[0]?.origin, "detected");
});

test("every edit is undone and done again, and pushes with arrows are one step", () => {
  const start = draft.begin(draft.draftOf(item()));
  let history = draft.push(start, draft.remove(start.now, "t3"));
  const nudge = (by: number): draft.Draft => draft.place(history.now, "t7", 5, [0, 300, 640, 60], [0, 300 - by, 640, 60]);
  history = draft.push(history, nudge(1), "nudge");
  history = draft.push(history, nudge(2), "nudge");
  assert.equal(draft.isEdited(history), true);
  const back = draft.undo(draft.undo(history));
  assert.equal(back.now, start.now);
  assert.equal(draft.isEdited(back), false);
  assert.deepEqual(draft.redo(draft.redo(back)).now, history.now);
});

test("an edit after undo forgets what was undone", () => {
  const start = draft.begin(draft.draftOf(item()));
  const undone = draft.undo(draft.push(start, draft.remove(start.now, "t3")));
  const other = draft.push(undone, draft.remove(undone.now, "t7"));
  assert.equal(draft.redo(other), other);
});

test("what is sent to be drawn holds the plan's own ids, and null for what was added", () => {
  const [added] = draft.add(draft.draftOf(item()), "code", [1, 2, 30, 40], 0, 9);
  const { tracks } = draft.payload(added) as { tracks: { id: number | null; kind: string }[] };
  assert.deepEqual(tracks.map(({ id, kind }) => [id, kind]), [[3, "face"], [7, "text"], [null, "code"]]);
});

test("bars of a row never overlap", () => {
  const { bars, rows } = lanes(draft.draftOf(item()).tracks);
  assert.equal(rows, 2);
  assert.equal(new Set(bars.map(({ lane }) => lane)).size, 2);
});

test("a time belongs to the frame that is on the screen then", () => {
  const times = [0, 0.04, 0.1, 0.5];
  const at = (time: number): number => frameAt(times, time);
  assert.deepEqual([0, 0.039, 0.04, 0.0999, 0.3, 0.5, 9].map(at), [0, 0, 1, 2, 2, 3, 3]);
});
