import assert from "node:assert/strict";
import { test } from "node:test";
import { gripOf, pinched } from "../src/view.ts";

test("two fingers that part make the picture larger by as much", () => {
  const [was, is] = [gripOf({ clientX: 0, clientY: 0 }, { clientX: 30, clientY: 40 }), gripOf({ clientX: 0, clientY: 0 }, { clientX: 60, clientY: 80 })];
  assert.deepEqual(was, { x: 15, y: 20, apart: 50 });
  assert.equal(pinched(1, was.apart, is.apart, 0.5), 2);
});

test("two fingers that close never make the picture smaller than it fits, nor larger than the most", () => {
  assert.equal(pinched(1, 100, 10, 0.5), "fit");
  assert.equal(pinched(0.5, 100, 50, 0.5), "fit");
  assert.equal(pinched(0.25, 100, 120, 0.5), 0.3);
  assert.equal(pinched(2, 1, 1000, 0.5), 8);
});
