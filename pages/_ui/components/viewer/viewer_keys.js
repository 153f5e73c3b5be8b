// The viewer's keys.

import { clamp } from "../shared/geometry.js";

/** @import { Viewer } from "./viewer.js" */
/** @typedef {Record<string, (() => void) | undefined>} KeyActions What each key does now. */

const KEY_STEP_PX = 40;
const AIM_STEP_PX = { plain: 8, shifted: 1 };
const DIVIDER_STEP = 0.05;
export const KEY_HELP = [
  ["+ − 0", "zoom in, out, fit"],
  ["arrows", "move"],
  ["W", "next view"],
  ["Shift ← →", "move the divider"],
  ["PgUp PgDn", "image before, after"],
  ["1 to 9", "layer on or off"],
  ["[ ]", "opacity of the chosen layer"],
  [", .", "its threshold"],
  ["C", "its outline or colour"],
  ["H", "hide all layers, show them again"],
  ["L", "link, unlink"],
  ["E", "save view"],
  ["F", "full screen"],
  ["?", "these keys"],
];

/**
 * What a key does now; nothing where it is not the viewer's.
 * @param {Viewer} viewer
 * @param {KeyboardEvent} event
 */
export function actionOfKey(viewer, event) {
  const { key, shiftKey, target } = event;
  const { actions } = viewer;
  /** @type {(x: number, y: number) => () => void} */
  const pan = (x, y) => () => viewer.onActive((view) => view.panBy(x * KEY_STEP_PX, y * KEY_STEP_PX));
  /** @type {KeyActions} */
  const keys = {
    "+": actions.in,
    "=": actions.in,
    "-": actions.out,
    0: actions.fit,
    ArrowLeft: pan(1, 0),
    ArrowRight: pan(-1, 0),
    ArrowUp: pan(0, 1),
    ArrowDown: pan(0, -1),
  };
  if (viewer.data.has_tools) Object.assign(keys, toolKeys(viewer, shiftKey), layerKeys(viewer));
  if (viewer.question.asked) Object.assign(keys, questionKeys(viewer, shiftKey, target));
  return keys[key.length === 1 ? key.toLowerCase() : key];
}

/**
 * @param {Viewer} viewer
 * @param {boolean} isShift
 * @returns {KeyActions}
 */
function toolKeys(viewer, isShift) {
  const { actions, views, layout, frames, panes } = viewer;
  /** @type {KeyActions} */
  const keys = { e: actions.export, f: actions.full, "?": actions.keys };
  if (views.length > 1) keys.w = () => viewer.look(views[(views.indexOf(layout) + 1) % views.length]);
  if (layout !== "one") keys.l = actions.link;
  if (frames.length > 1) Object.assign(keys, { PageUp: () => viewer.turn(-1), PageDown: () => viewer.turn(1) });
  if (layout === "swipe" && isShift) {
    const [pane] = panes;
    keys.ArrowLeft = () => pane.splitAt(pane.split - DIVIDER_STEP);
    keys.ArrowRight = () => pane.splitAt(pane.split + DIVIDER_STEP);
  }
  return keys;
}

/**
 * @param {Viewer} viewer
 * @returns {KeyActions}
 */
function layerKeys({ layers }) {
  if (layers.settings.size === 0) return {};
  /** @type {KeyActions} */
  const keys = {};
  for (let number = 1; number <= layers.settings.size; number++) {
    const toggle = layers.toggleOf(number);
    if (toggle) keys[number] = toggle;
  }
  const inHundredths = (/** @type {number} */ value) => Math.round(clamp(value, 0, 1) * 100) / 100;
  /** @type {(step: number) => () => void} */
  const opacity = (step) => () =>
    layers.setChosen((chosen) => ({ opacity: inHundredths(chosen.opacity + step), isShown: true }));
  /** @type {(step: number) => () => void} */
  const threshold = (step) => () =>
    layers.setChosen((chosen) => ({ threshold: Math.min(0.99, inHundredths(chosen.threshold + step)) }));
  return Object.assign(keys, {
    "[": opacity(-0.1),
    "]": opacity(0.1),
    ",": threshold(-0.05),
    ".": threshold(0.05),
    c: () => layers.setChosen((chosen) => ({ isOutline: !chosen.isOutline, isShown: true })),
    h: () => layers.toggleAll(),
  });
}

/**
 * @param {Viewer} viewer
 * @param {boolean} isShift
 * @param {EventTarget | null} target
 * @returns {KeyActions}
 */
function questionKeys({ question, frame }, isShift, target) {
  const step = isShift ? AIM_STEP_PX.shifted : AIM_STEP_PX.plain;
  /** @type {KeyActions} */
  const keys = {
    ArrowLeft: () => question.moveAim(-step, 0),
    ArrowRight: () => question.moveAim(step, 0),
    ArrowUp: () => question.moveAim(0, -step),
    ArrowDown: () => question.moveAim(0, step),
    Escape: () => question.leave(),
  };
  // Enter on a button over the image presses that button.
  if (target === frame) keys.Enter = () => question.put(question.aim);
  return keys;
}
