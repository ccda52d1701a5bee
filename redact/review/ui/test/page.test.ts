import assert from "node:assert/strict";
import { test } from "node:test";
import { endsHold, nameOf, SHORTCUTS } from "../src/keys.ts";
import { address, holdBack, isHeld, leave, parse } from "../src/router.ts";
import { clock, covered, found } from "../src/words.ts";

const press = (key: string, held: Partial<{ code: string; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean }> = {}) =>
  nameOf({ key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, ...held });

test("no key does two things", () => {
  const keys = SHORTCUTS.flatMap((shortcut) => shortcut.keys);
  assert.deepEqual(keys.length, new Set(keys).size);
});

test("a key is named with the modifiers that matter", () => {
  assert.equal(press("?", { shiftKey: true }), "?");
  assert.equal(press("Z", { ctrlKey: true, shiftKey: true }), "ctrl+shift+z");
  assert.equal(press("z", { metaKey: true }), "ctrl+z");
  assert.equal(press("ArrowUp", { shiftKey: true }), "shift+ArrowUp");
});

test("on a Cyrillic or Armenian layout a key does what a Latin one does in its place", () => {
  assert.equal(press("щ", { code: "KeyO" }), "o");
  assert.equal(press("я", { code: "KeyZ", ctrlKey: true }), "ctrl+z");
  assert.equal(press("Я", { code: "KeyZ", ctrlKey: true, shiftKey: true }), "ctrl+shift+z");
  assert.equal(press("Ф", { code: "KeyA", shiftKey: true }), "A");
  assert.deepEqual([press("х", { code: "BracketLeft" }), press("ъ", { code: "BracketRight" })], ["[", "]"]);
  assert.deepEqual([press("б", { code: "Comma" }), press("ю", { code: "Period" })], [",", "."]);
  assert.deepEqual([press("ա", { code: "KeyA" }), press("է", { code: "Digit1" })], ["a", "1"]);
});

test("on Latin layouts it is the letter that counts, not its place", () => {
  assert.equal(press("z", { code: "KeyY", ctrlKey: true }), "ctrl+z");
  assert.equal(press("ü", { code: "BracketLeft" }), "ü");
  assert.equal(press("µ", { code: "KeyM" }), "µ");
});

test("the original is hidden whatever the layout makes of the key that held it", () => {
  assert.equal(endsHold("KeyO", { key: "щ", code: "KeyO" }), true);
  assert.equal(endsHold("KeyO", { key: "ø", code: "KeyO" }), true);
  for (const key of ["Alt", "Meta", "Shift", "CapsLock"]) assert.equal(endsHold("KeyO", { key, code: `${key}Left` }), true);
  assert.equal(endsHold("", { key: "x", code: "KeyX" }), true);
  assert.equal(endsHold("KeyO", { key: ".", code: "Period" }), false);
});

test("whatever leaves a page with unsaved edits asks first", () => {
  const gone: string[] = [];
  leave(() => gone.push("free"));
  let held = (): void => undefined;
  holdBack((go) => {
    held = go;
    return true;
  });
  leave(() => gone.push("asked"));
  assert.deepEqual([gone, isHeld()], [["free"], true]);
  held();
  assert.deepEqual(gone, ["free", "asked"]);
  holdBack(null);
});

test("addresses are read as they are written, and anything else leads to the list", () => {
  for (const route of [{ room: "review", item: "" }, { room: "published", item: "abcd1234" }] as const) {
    assert.deepEqual(parse(address(route)), route);
  }
  for (const hash of ["", "#tOkEn", "#/review/../x", "#/review/AB", "#/other/abcd"]) {
    assert.deepEqual(parse(hash), { room: "review", item: "" });
  }
});

test("numbers read as a person says them", () => {
  assert.equal(clock(4.321), "0:04.32");
  assert.equal(clock(59.999), "1:00.00");
  assert.equal(clock(3723.5), "1:02:03.50");
  assert.equal(covered({ face: 1, text: 3 }), "1 face, 3 texts");
  assert.equal(covered({}), "nothing");
  assert.equal(found({ face: 2, note: 1 }), "A face still seen (2), a person must look");
  assert.equal(found({ face: 1, note: 2 }, ["no face was found"]), "A face still seen, no face was found");
});
