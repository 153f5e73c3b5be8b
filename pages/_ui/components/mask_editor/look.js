// How the person looks at the image and the masks: none of it changes a pixel that is saved.
//
// Brightness, contrast and the green filter are a CSS filter of the <img> alone, never of a mask. Opacity, hiding and
// the outline-only view hold for the masks in the plane. What was set stays from one image to the next.

import { part } from "../shared/dom.js";
import { clamp } from "../shared/geometry.js";

/** @import { MaskEditor } from "./editor.js" */
/** @typedef {"brightness" | "contrast" | "opacity"} Setting In percent. */

const PLAIN_LOOK = { brightness: 100, contrast: 100, isGreen: false };
const look = { ...PLAIN_LOOK, isOutlineOnly: false, opacity: 70 };
const STEP = 10;
/** @type {Record<Setting, [least: number, most: number]>} */
const LIMITS = { brightness: [40, 250], contrast: [40, 250], opacity: [0, 100] };
const SETTINGS = /** @type {Setting[]} */ (Object.keys(LIMITS));

/**
 * @param {MaskEditor} editor
 * @param {Partial<typeof look>} change Brightness and contrast are 100 where the image is shown as it is.
 */
function setLook(editor, change) {
  Object.assign(look, change);
  showLook(editor);
}

/** @param {MaskEditor} editor */
export function resetLook(editor) {
  setLook(editor, PLAIN_LOOK);
}

/** @param {MaskEditor} editor */
export function toggleOutlineOnly(editor) {
  setLook(editor, { isOutlineOnly: !look.isOutlineOnly });
}

/** @param {MaskEditor} editor */
export function toggleGreen(editor) {
  setLook(editor, { isGreen: !look.isGreen });
}

/**
 * While a key is held.
 * @param {MaskEditor} editor
 * @param {boolean} isHidden
 */
export function hideMasks(editor, isHidden) {
  editor.plane.classList.toggle("masks-hidden", isHidden);
}

/**
 * @param {MaskEditor} editor
 * @param {Setting} setting
 * @param {number} direction Up (1) or down (-1).
 */
export function stepLook(editor, setting, direction) {
  setLook(editor, { [setting]: clamp(look[setting] + direction * STEP, ...LIMITS[setting]) });
}

/** @param {MaskEditor} editor */
export function showLook(editor) {
  const filters = [];
  for (const setting of /** @type {const} */ (["brightness", "contrast"])) {
    if (look[setting] !== 100) filters.push(`${setting}(${look[setting]}%)`);
  }
  if (look.isGreen) filters.push("url(#green-filter)");
  editor.image.style.filter = filters.join(" ");
  editor.canvas.outlineOnly = look.isOutlineOnly;
  editor.plane.style.setProperty("--mask-opacity", String(look.opacity / 100));
  for (const setting of SETTINGS) {
    const { slider, output } = sliderOf(editor, setting);
    slider.value = String(look[setting]);
    output.textContent = `${look[setting]} %`;
  }
  const isPressed = { outlineOnly: look.isOutlineOnly, green: look.isGreen };
  for (const [act, isOn] of Object.entries(isPressed)) {
    editor.button(act).setAttribute("aria-pressed", String(isOn));
  }
  const isChanged = filters.length > 0 || look.isOutlineOnly;
  part(editor.root, '[data-menu="look"]').classList.toggle("differs", isChanged);
}

/** @param {MaskEditor} editor */
export function listenToLook(editor) {
  for (const setting of SETTINGS) {
    const { slider } = sliderOf(editor, setting);
    slider.oninput = () => setLook(editor, { [setting]: Number(slider.value) });
  }
}

/**
 * @param {MaskEditor} editor
 * @param {Setting} setting
 */
function sliderOf(editor, setting) {
  const selector = `[data-input="${setting}"]`;
  const slider = part(editor.root, selector, HTMLInputElement);
  return { slider, output: part(editor.root, `${selector} + output`) };
}
