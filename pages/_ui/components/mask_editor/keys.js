// Keys of the editor. Those it handles go no further: Streamlit and the browser have uses of their own for some. The
// page's own keys (next, previous, skip) are none of them.

import { targetOf } from "../shared/dom.js";

/** @import { Actions } from "./actions.js" */
/** @typedef {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "getModifierState">} KeyPress */

/** @type {Record<string, string>} */
const KEYS = {
  b: "brush",
  e: "eraser",
  l: "outline",
  p: "polygon",
  x: "cut",
  w: "wand",
  m: "ruler",
  f: "fillHoles",
  d: "removeSpecks",
  g: "grow",
  s: "shrink",
  t: "warp",
  h: "hide",
  o: "outlineOnly",
  v: "green",
  a: "resetLook",
  j: "note",
  z: "undo",
  "[": "smaller",
  "]": "larger",
  "{": "fainter",
  "}": "stronger",
  ",": "darker",
  ".": "brighter",
  // Shift with "," and "." of two keyboards.
  "<": "flatter",
  ">": "crisper",
  ";": "flatter",
  ":": "crisper",
  0: "fit",
  "+": "zoomIn",
  "=": "zoomIn",
  "-": "zoomOut",
  "?": "help",
  " ": "pan",
  Enter: "close",
  Escape: "escape",
  Backspace: "cornerBack",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};
/** @type {Record<string, string>} */
const SHIFTED_LETTERS = { z: "redo", d: "speckSize" };
/** @type {Record<string, string>} */
const WITH_CONTROL = { z: "undo", y: "redo", Enter: "submit" };
// Keys that buttons, sliders and the page need too: only while the stage has the focus, or a handle on it.
const OF_THE_STAGE = new Set(["pan", "close", "cornerBack", "left", "right", "up", "down"]);

export class Keys {
  /**
   * @param {HTMLElement} frame
   * @param {Actions} actions
   */
  constructor(frame, actions) {
    this.frame = frame;
    this.actions = actions;
    this.down = (/** @type {KeyboardEvent} */ event) => this.onDown(event);
    this.up = (/** @type {KeyboardEvent} */ event) => this.onUp(event);
    this.release = (/** @type {Event} */ event) => {
      actions.panEnd(event);
      actions.show(event);
    };
    addEventListener("keydown", this.down, true);
    addEventListener("keyup", this.up, true);
    addEventListener("blur", this.release);
  }

  close() {
    removeEventListener("keydown", this.down, true);
    removeEventListener("keyup", this.up, true);
    removeEventListener("blur", this.release);
  }

  /** @param {KeyboardEvent} event */
  onDown(event) {
    const action = actionOfKey(event);
    if (!action || !this.mayTake(event, action)) return;
    if (this.actions[action](event) === false) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  onUp(event) {
    if (event.key === " ") this.actions.panEnd(event);
    if (event.key.toLowerCase() === "h") this.actions.show(event);
    // Alt alone would open the browser's menu after a stroke with it.
    if (event.key === "Alt" && event.composedPath().includes(this.frame)) event.preventDefault();
  }

  /**
   * Never while somebody writes (but for what says that the writing is done), nor where a dialog is open.
   * @param {KeyboardEvent} event
   * @param {string} action
   */
  mayTake(event, action) {
    const target = targetOf(event);
    const isInside = event.composedPath().includes(this.frame);
    if (
      target.isContentEditable ||
      target.matches?.("textarea, select, input:not([type=range]):not([type=checkbox])")
    ) {
      return isInside && (action === "submit" || action === "escape");
    }
    if (!isInside && document.querySelector('[role="dialog"]')) return false;
    const stage = this.frame.querySelector(".stage");
    if (action === "submit" || action === "escape") return isInside || target === document.body;
    if (!OF_THE_STAGE.has(action)) return true;
    return target === stage || target === document.body || target.classList.contains("handle");
  }
}

/**
 * The action that a key asks for. Letters count without Shift, signs as the keyboard writes them; the digit keys count
 * whatever they write.
 * @param {KeyPress} event
 * @returns {string | null}
 */
export function actionOfKey(event) {
  const isWritten = event.getModifierState("AltGraph");
  const hasControl = (event.ctrlKey || event.metaKey) && !isWritten;
  const hasAlt = event.altKey && !isWritten;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (hasControl) return hasAlt ? null : key === "z" && event.shiftKey ? "redo" : (WITH_CONTROL[key] ?? null);
  const digit = /^Digit([1-6])$/.exec(event.code)?.[1];
  if (digit && !isWritten) return `${hasAlt ? "lock" : event.shiftKey ? "hide" : "pick"}${digit}`;
  if (hasAlt) return null;
  return (event.shiftKey && /^[a-z]$/.test(key) ? SHIFTED_LETTERS[key] : KEYS[key]) ?? null;
}
