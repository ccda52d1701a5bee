import assert from "node:assert/strict";
import { test } from "node:test";
import { endsOf, framesOf, stretchOf, timeInWords } from "../src/stretch.ts";

const TIMES = [0.5, 1, 1.5, 1.5, 4];

test("the sound of frames lasts until the next frame begins", () => {
  assert.deepEqual(stretchOf(TIMES, 1, 2), { start: 1, end: 4 });
  assert.deepEqual(stretchOf(TIMES, 2, 1), { start: 1, end: 4 });
  assert.deepEqual(stretchOf(TIMES, 1, 1), { start: 1, end: 1.5 });
});

test("frames of one moment have sound all the same", () => {
  assert.deepEqual(stretchOf(TIMES, 2, 2), { start: 1.5, end: 4 });
});

test("no sound before the first picture or after the last is left out", () => {
  const [before, after] = endsOf(TIMES);
  assert.deepEqual(stretchOf(TIMES, 0, 4), { start: before, end: after });
  assert.ok(before < -3600 && after > 3600);
  assert.deepEqual(endsOf([100_000, 100_001]), [13_600, 186_401]);
});

test("a stretch lies on every frame that it reaches", () => {
  assert.deepEqual(framesOf(TIMES, stretchOf(TIMES, 1, 2)), [1, 4]);
  assert.deepEqual(framesOf(TIMES, stretchOf(TIMES, 0, 4)), [0, 5]);
  assert.deepEqual(framesOf(TIMES, { start: 1.1, end: 1.2 }), [1, 2]);
});

test("the ends of all sound are called so", () => {
  const ends = endsOf(TIMES);
  assert.deepEqual([ends[0], 1.234, ends[1]].map((time) => timeInWords(ends, time)), ["the start", "1.23 s", "the end"]);
});
