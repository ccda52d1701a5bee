// The keys: one table that both the help dialog and the listener read. They can be switched off, for people whose
// speech or switch software types letters by accident.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Shortcut {
  readonly action: string;
  /** As `KeyboardEvent.key`, with `ctrl+`, `shift+` before it. */
  readonly keys: readonly string[];
  readonly shown: string;
  readonly words: string;
  readonly group: "Go" | "Look" | "Cover" | "Decide";
  readonly film?: boolean;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { action: "nextFinding", keys: ["n"], shown: "n", words: "Next finding", group: "Go" },
  { action: "previousFinding", keys: ["p"], shown: "p", words: "Previous finding", group: "Go" },
  { action: "nextItem", keys: ["j"], shown: "j", words: "Next item", group: "Go" },
  { action: "previousItem", keys: ["k"], shown: "k", words: "Previous item", group: "Go" },
  { action: "nextFrame", keys: [".", "ArrowRight"], shown: ". →", words: "Next frame", group: "Go", film: true },
  { action: "previousFrame", keys: [",", "ArrowLeft"], shown: ", ←", words: "Frame before", group: "Go", film: true },
  { action: "play", keys: [" "], shown: "Space", words: "Play, pause", group: "Go", film: true },
  { action: "queue", keys: ["q"], shown: "q", words: "Back to the list", group: "Go" },
  { action: "help", keys: ["?"], shown: "?", words: "This help", group: "Go" },
  { action: "original", keys: ["o"], shown: "hold o", words: "Show the original while held", group: "Look" },
  { action: "outlines", keys: ["h"], shown: "h", words: "Outlines on, off", group: "Look" },
  { action: "zoomIn", keys: ["+", "="], shown: "+", words: "Larger", group: "Look" },
  { action: "zoomOut", keys: ["-"], shown: "−", words: "Smaller", group: "Look" },
  { action: "fit", keys: ["0"], shown: "0", words: "Fit the picture", group: "Look" },
  { action: "full", keys: ["1"], shown: "1", words: "100 %", group: "Look" },
  { action: "pan", keys: ["ctrl+ArrowUp", "ctrl+ArrowDown", "ctrl+ArrowLeft", "ctrl+ArrowRight"], shown: "Ctrl arrows", words: "Move about an enlarged picture", group: "Look" },
  { action: "add", keys: ["b"], shown: "b", words: "Add a box: drag it, or press b again for one in the middle", group: "Cover" },
  { action: "cycle", keys: ["c"], shown: "c", words: "Select the next cover of the frame", group: "Cover" },
  { action: "move", keys: ["ArrowUp", "ArrowDown"], shown: "arrows", words: "Move the selected box", group: "Cover" },
  { action: "resize", keys: ["shift+ArrowUp", "shift+ArrowDown", "shift+ArrowLeft", "shift+ArrowRight"], shown: "Shift arrows", words: "Change its size", group: "Cover" },
  { action: "remove", keys: ["Delete", "Backspace"], shown: "Delete", words: "Take the selected cover away", group: "Cover" },
  { action: "follow", keys: ["f"], shown: "f", words: "Follow the selected region", group: "Cover", film: true },
  { action: "startHere", keys: ["["], shown: "[", words: "Cover starts at this frame", group: "Cover", film: true },
  { action: "endHere", keys: ["]"], shown: "]", words: "Cover ends at this frame", group: "Cover", film: true },
  { action: "mute", keys: ["m"], shown: "m", words: "Start, then end, a stretch to silence", group: "Cover", film: true },
  { action: "undo", keys: ["ctrl+z"], shown: "Ctrl z", words: "Undo", group: "Cover" },
  { action: "redo", keys: ["ctrl+shift+z", "ctrl+y"], shown: "Ctrl Shift z", words: "Do it again", group: "Cover" },
  { action: "deselect", keys: ["Escape"], shown: "Esc", words: "Select nothing; drop what was begun", group: "Cover" },
  { action: "approve", keys: ["a"], shown: "a", words: "Approve", group: "Decide" },
  { action: "reject", keys: ["x"], shown: "x", words: "Reject", group: "Decide" },
];

const OFF = "redact-keys-off";

export function keysOff(): boolean {
  return sessionStorage.getItem(OFF) === "1";
}

export function setKeysOff(off: boolean): void {
  if (off) sessionStorage.setItem(OFF, "1");
  else sessionStorage.removeItem(OFF);
}

/** The signs on a Latin keyboard, by the place of their key. */
const SIGNS: Record<string, string> = { Period: ".", Comma: ",", BracketLeft: "[", BracketRight: "]", Minus: "-", Equal: "=" };
const SHIFTED: Record<string, string> = { Equal: "+", Slash: "?" };

/** The character of a key. On layouts of other scripts, such as Cyrillic or Armenian, the one a Latin layout has there. */
function latin({ key, code, shiftKey }: Pick<KeyboardEvent, "key" | "code" | "shiftKey">): string {
  if (!/^[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]$/u.test(key)) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shiftKey ? letter : letter.toLowerCase();
  if (shiftKey) return SHIFTED[code] ?? key;
  return SIGNS[code] ?? /^Digit(\d)$/.exec(code)?.[1] ?? key;
}

/** `ctrl+shift+z`: the key with its modifiers; shift is left out where it is part of the character. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey">): string {
  const key = latin(event);
  const letter = key.length === 1;
  const command = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (!letter || command) ? "shift+" : "";
  return (command ? "ctrl+" : "") + shift + (letter && command ? key.toLowerCase() : key);
}

const BY_KEY = new Map(SHORTCUTS.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const)));

/** The action of a key press, or "" if it is none, or belongs to a dialog or what has the focus. */
export function actionOf(event: KeyboardEvent): string {
  if (event.altKey || event.isComposing) return "";
  // The focus may lie on nothing while a dialog is open: nothing behind it hears a key.
  if (document.querySelector("dialog[open]")) return "";
  const name = nameOf(event);
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("input, textarea, select")) return "";
  if (name === " " && target?.closest("button, a, summary")) return "";
  if (name.startsWith("Arrow") && target?.closest("[role=slider]")) return "";
  const single = [...name].length === 1 && name !== "?";
  return single && keysOff() ? "" : (BY_KEY.get(name) ?? "");
}

export type Actions = Partial<Record<string, (event: KeyboardEvent) => void>>;

/** Calls the action of every key press while the component is there. Before the page's other listeners. */
export function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const act = latest.current[actionOf(event)];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act(event);
    };
    addEventListener("keydown", pressed, true);
    return () => removeEventListener("keydown", pressed, true);
  }, []);
}

/** Keys that change the layout or the meaning of others: what comes after them may have lost its own key. */
const CHANGING = new Set(["Alt", "AltGraph", "CapsLock", "Control", "Meta", "Shift"]);

/** Whether a key that comes up ends the hold by the key `code`; any does if that is not known. */
export function endsHold(code: string, up: Pick<KeyboardEvent, "key" | "code">): boolean {
  return code === "" || up.code === "" || up.code === code || CHANGING.has(up.key);
}

export interface Hold {
  held: boolean;
  /** By which key: empty for a pointer. */
  press: (code?: string) => void;
}

/** True while `o` or the button is held: whatever else happens in the window ends it. */
export function useHold(allowed: boolean): Hold {
  const [held, setHeld] = useState(false);
  const by = useRef<string | null>(null);
  const hold = (code: string | null): void => {
    by.current = code;
    setHeld(code !== null);
  };
  // Always on: a key that is let go before the page has drawn its press must be heard too.
  useLayoutEffect(() => {
    const release = (): void => hold(null);
    const up = (event: KeyboardEvent): void => {
      if (by.current !== null && endsHold(by.current, event)) release();
    };
    // A menu swallows what comes after it. A long press asks for one too: the button says no, and none opens.
    const menu = (event: Event): void => {
      if (!event.defaultPrevented) release();
    };
    const ends = ["pointerup", "pointercancel", "pagehide"] as const;
    ends.forEach((name) => addEventListener(name, release, true));
    // The window's own, not that of an element in it: the press of a button moves the focus.
    addEventListener("blur", release);
    addEventListener("contextmenu", menu);
    addEventListener("keyup", up, true);
    document.addEventListener("visibilitychange", release);
    return () => {
      ends.forEach((name) => removeEventListener(name, release, true));
      removeEventListener("blur", release);
      removeEventListener("contextmenu", menu);
      removeEventListener("keyup", up, true);
      document.removeEventListener("visibilitychange", release);
    };
  }, []);
  return { held: held && allowed, press: (code = "") => allowed && hold(code) };
}
