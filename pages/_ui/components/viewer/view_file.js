// Saving what is seen as a PNG file.

import { element } from "../shared/dom.js";
import { canvasOf, contextOf } from "./scaled_image.js";

/** @import { Pane } from "./pane.js" */

const REVOKE_AFTER_MS = 10_000;

/**
 * Every pane as it stands, beside each other as on the screen.
 * @param {Pane[]} panes
 * @param {Element} container
 */
function drawView(panes, container) {
  const dots = window.devicePixelRatio || 1;
  const box = container.getBoundingClientRect();
  const whole = canvasOf(Math.round(box.width * dots), Math.round(box.height * dots));
  const context = contextOf(whole);
  for (const pane of panes) {
    const { left, top } = pane.root.getBoundingClientRect();
    context.drawImage(pane.snapshot(), Math.round((left - box.left) * dots), Math.round((top - box.top) * dots));
  }
  return whole;
}

/**
 * @param {Pane[]} panes
 * @param {Element} container
 * @param {string} fileName
 */
export async function saveView(panes, container, fileName) {
  /** @type {Blob | null} */
  const file = await new Promise((resolve) => drawView(panes, container).toBlob(resolve, "image/png"));
  if (!file) throw new Error("the browser cannot write this view");
  const link = element("a", { href: URL.createObjectURL(file), download: fileName });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_AFTER_MS);
}
