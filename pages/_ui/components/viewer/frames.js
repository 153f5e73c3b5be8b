// What the page's Python gives to the viewer.

/** @import { LayerData, Overlay } from "./overlay.js" */
/** @import { ScaledImage } from "./scaled_image.js" */
/** @typedef {"one" | "swipe" | "two" | "all"} Layout One image, a divider over it, two side by side, or all of them. */
/**
 * A point on an image; see `Mark` in viewer.py.
 * @typedef {{ label: string, title: string, x_px: number, y_px: number, colour: string }} PointData
 */
/**
 * An image; see `Frame` in viewer.py.
 * @typedef {object} FrameData
 * @property {string} id
 * @property {string} url
 * @property {string} title
 * @property {string} alt
 * @property {string} thumbnail_url
 * @property {LayerData[]} layers
 * @property {PointData[]} points
 */
/** @typedef {FrameData & { image: ScaledImage, overlays: Overlay[] }} Frame An image with what is drawn of it. */
/**
 * @typedef {object} ViewerData
 * @property {FrameData[]} frames
 * @property {string} current Which image is shown at first.
 * @property {Layout[]} views
 * @property {string} height Of the stage, as CSS writes it.
 * @property {boolean} has_tools
 * @property {string} file_name
 * @property {string} asks_for
 */

export {};
