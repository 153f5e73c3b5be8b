// What the page's Python gives to the editor, and how it is told something.

/** @import { LayerData } from "./layer.js" */
/** @import { ReferenceData } from "./layer_panel.js" */
/**
 * What the page gives; see `mask_editor` in editor.py.
 * @typedef {object} EditorData
 * @property {LayerData[]} layers
 * @property {string} image_url
 * @property {number} width_px
 * @property {number} height_px
 * @property {string} active
 * @property {boolean} tells_active
 * @property {ReferenceData[]} references
 * @property {number} load
 * @property {number} answer
 * @property {number} around_px
 * @property {string} submit_text
 */
/**
 * How the page is told something: once, or until it is told otherwise.
 * @typedef {object} Tell
 * @property {(name: string, value: unknown) => void} trigger
 * @property {(name: string, value: unknown) => void} state
 */

export {};
