// What to do with an empty mask: gone with the first stroke.

import { part } from "../shared/dom.js";

/** @import { MaskEditor } from "./editor.js" */

/** @param {MaskEditor} editor */
export function showStart(editor) {
  const { activeLayer: layer, strokes } = editor;
  const hint = part(editor.root, ".start");
  const isIdle = !strokes.stroke && !strokes.corners.length && !strokes.wand.press;
  const isBeginning = layer !== null && editor.isReady && layer.isEmpty && isIdle;
  hint.hidden = !isBeginning || editor.tool === "ruler";
  if (isBeginning) hint.textContent = `Paint the ${layer.title.toLowerCase()}. Press ? for all keys.`;
}
