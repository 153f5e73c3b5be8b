// What keys and buttons can do, by name. An action that returns false did not want the key.

import { part, parts, targetOf } from "../shared/dom.js";
import { hideMasks, resetLook, stepLook, toggleGreen, toggleOutlineOnly } from "./look.js";
import { grown, holesFilled, shrunk, specksRemoved } from "./region.js";
import { TOOLS } from "./strokes.js";

/** @import { MaskEditor } from "./editor.js" */
/** @import { Setting } from "./look.js" */
/** @import { StepsOf } from "./strokes.js" */
/** @import { Tool } from "./strokes.js" */
/** @typedef {(event: Event) => unknown} Action Returns false where it did not want the key. */
/** @typedef {Record<string, Action>} Actions By name. */

// What a person sets stays from one image to the next.
const habit = { specksUnder: 50 };
const PAN_STEP_PX = 40;
const NUDGE_PX = { plain: 1, shifted: 10 };

/**
 * @param {MaskEditor} editor
 * @returns {Actions}
 */
export function actionsOf(editor) {
  const { strokes } = editor;
  const tools = /** @type {Tool[]} */ (Object.keys(TOOLS));
  /** @type {(setting: Setting, direction: number) => Action} */
  const look = (setting, direction) => () => stepLook(editor, setting, direction);
  /**
   * What is being drawn is dropped first, and a mask that is just being changed is left alone.
   * @type {(stepsOf: StepsOf) => Action}
   */
  const mend = (stepsOf) => () => {
    strokes.drop();
    strokes.reshape(stepsOf);
  };
  /** @type {(act: () => void) => Action} */
  const whenIdle = (act) => () => {
    if (!strokes.isBusy) act();
  };
  return {
    ...Object.fromEntries(tools.map((tool) => [tool, () => editor.setTool(tool)])),
    ...layerActions(editor),
    ...viewActions(editor),
    undo: whenIdle(() => {
      if (!strokes.warp.isOn) editor.undo();
      strokes.warp.drop();
      strokes.showGuides();
    }),
    redo: whenIdle(() => {
      editor.redo();
      strokes.showGuides();
    }),
    clear: whenIdle(() => editor.clear()),
    submit: whenIdle(() => editor.submission.submit()),
    smaller: () => strokes.resize(-1),
    larger: () => strokes.resize(1),
    fillHoles: mend(holesFilled),
    removeSpecks: mend((mask) => specksRemoved(mask, habit.specksUnder)),
    grow: mend(grown),
    shrink: mend(shrunk),
    warp: () => (strokes.warp.isOn ? strokes.drop() : strokes.startWarp()),
    speckSize: () => {
      openMenu(editor, "mend");
      part(editor.root, '[data-input="specks"]', HTMLInputElement).select();
    },
    hide: () => hideMasks(editor, true),
    show: () => hideMasks(editor, false),
    outlineOnly: () => toggleOutlineOnly(editor),
    green: () => toggleGreen(editor),
    resetLook: () => resetLook(editor),
    fainter: look("opacity", -1),
    stronger: look("opacity", 1),
    darker: look("brightness", -1),
    brighter: look("brightness", 1),
    flatter: look("contrast", -1),
    crisper: look("contrast", 1),
    help: () => toggleHelp(editor),
    note: () => editor.note.focus(),
    close: () => {
      if (strokes.warp.isOn) strokes.applyWarp();
      else if (strokes.corners.length) strokes.closePolygon();
      else return false;
      return true;
    },
    cornerBack: () => strokes.takeCornerBack(),
    escape: (event) => escapeFrom(editor, event),
  };
}

/**
 * Keys 1 to 6 and their likes; an image may have fewer layers.
 * @param {MaskEditor} editor
 */
function layerActions(editor) {
  /** @type {Actions} */
  const actions = {};
  for (let digit = 1; digit <= 6; digit++) {
    /** @type {(act: (index: number) => void) => Action} */
    const onLayer = (act) => () => {
      if (digit > editor.layers.length) return false;
      act(digit - 1);
      editor.strokes.showGuides();
      return true;
    };
    actions[`pick${digit}`] = onLayer((index) => !editor.strokes.isBusy && editor.selectLayer(index));
    actions[`hide${digit}`] = onLayer((index) => editor.toggleHidden(index));
    actions[`lock${digit}`] = onLayer((index) => editor.toggleLocked(index));
  }
  return actions;
}

/**
 * @param {MaskEditor} editor
 * @returns {Actions}
 */
function viewActions(editor) {
  const { view } = editor;
  /** @type {(change: () => void) => () => void} */
  const moved = (change) => () => {
    change();
    editor.moved();
  };
  /**
   * Arrow keys move what is being warped, or else the view.
   * @type {(x: number, y: number) => Action}
   */
  const arrow = (x, y) => (event) => {
    const { warp } = editor.strokes;
    const step = /** @type {KeyboardEvent} */ (event).shiftKey ? NUDGE_PX.shifted : NUDGE_PX.plain;
    if (warp.isOn) warp.nudge(targetOf(event), x * step, y * step);
    else if (targetOf(event) !== editor.stage) return false;
    else moved(() => view.panBy(-x * PAN_STEP_PX, -y * PAN_STEP_PX))();
    return true;
  };
  return {
    zoomIn: moved(() => view.zoomMiddle(1.25)),
    zoomOut: moved(() => view.zoomMiddle(0.8)),
    fit: moved(() => view.fit()),
    pan: () => editor.strokes.pan(true),
    panEnd: () => editor.strokes.pan(false),
    left: arrow(-1, 0),
    right: arrow(1, 0),
    up: arrow(0, -1),
    down: arrow(0, 1),
  };
}

/**
 * @param {MaskEditor} editor
 * @param {boolean} [isShown] The other way than it is, if not given.
 */
export function toggleHelp(editor, isShown) {
  const card = part(editor.root, ".help");
  card.hidden = !(isShown ?? card.hidden);
  part(editor.root, '.bar [data-act="help"]').setAttribute("aria-expanded", String(!card.hidden));
}

/**
 * One menu at a time, or none.
 * @param {MaskEditor} editor
 * @param {string | undefined} name
 */
function openMenu(editor, name) {
  for (const button of parts(editor.root, "[data-menu]", HTMLElement)) {
    const isOpen = button.dataset.menu === name;
    button.setAttribute("aria-expanded", String(isOpen));
    part(editor.root, `[data-panel="${button.dataset.menu}"]`).hidden = !isOpen;
  }
}

/**
 * One thing at a time, the foremost first.
 * @param {MaskEditor} editor
 * @param {Event} event
 */
function escapeFrom(editor, event) {
  const target = targetOf(event);
  /** @param {string} selector */
  const isOpen = (selector) => editor.root.querySelector(selector) !== null;
  if (isOpen('[data-menu][aria-expanded="true"]')) openMenu(editor, undefined);
  else if (isOpen(".help:not([hidden])")) toggleHelp(editor, false);
  else if (target !== editor.note && !editor.strokes.drop()) return false;
  editor.stage.focus({ preventScroll: true });
  return true;
}

/**
 * Buttons with data-tool and data-act, and the menus. The stage keeps the keys: a button that was clicked would
 * otherwise take the space bar.
 * @param {MaskEditor} editor
 * @param {Actions} actions
 */
export function listenToButtons(editor, actions) {
  for (const button of parts(editor.root, "button[data-tool], button[data-act]", HTMLButtonElement)) {
    button.addEventListener("click", (event) => {
      actions[button.dataset.tool ?? button.dataset.act ?? ""](event);
      if (event.detail > 0) editor.stage.focus({ preventScroll: true });
    });
  }
  for (const button of parts(editor.root, "[data-menu]", HTMLElement)) {
    button.addEventListener("click", () => {
      const isOpen = button.getAttribute("aria-expanded") === "true";
      openMenu(editor, isOpen ? undefined : button.dataset.menu);
    });
  }
  editor.stage.addEventListener("pointerdown", () => openMenu(editor, undefined), true);
  part(editor.root, ".warp-bar").addEventListener("pointerdown", (event) => event.stopPropagation());
  const specks = part(editor.root, '[data-input="specks"]', HTMLInputElement);
  specks.value = String(habit.specksUnder);
  specks.oninput = () => {
    if (specks.validity.valid && specks.value) habit.specksUnder = Number(specks.value);
  };
  specks.onkeydown = (event) => {
    if (event.key === "Enter") actions.removeSpecks(event);
  };
}
