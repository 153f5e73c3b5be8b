// How the editor stands, on the screen: the size of the stage, where the image lies on it, and what can be pressed.

import { part } from "../shared/dom.js";
import { clamp } from "../shared/geometry.js";
import { showSaving } from "./saving_state.js";

/** @import { MaskEditor } from "./editor.js" */

const PIXELS_SHOW_FROM = 4;
const LAYERS_BESIDE_PX = 184;
const STAGE_HEIGHT_PX = { least: 320, most: 1200 };

/**
 * The layers stand beside the image where that makes it no smaller, and above it otherwise.
 * @param {MaskEditor} editor
 */
export function fitStage({ data, frame, stage, view }) {
  if (data) {
    const height = clamp(innerHeight - data.around_px, STAGE_HEIGHT_PX.least, STAGE_HEIGHT_PX.most);
    const isWide = frame.clientWidth - LAYERS_BESIDE_PX >= (height * data.width_px) / data.height_px;
    frame.classList.toggle("beside", isWide);
  }
  view.resize(stage.clientWidth, stage.clientHeight);
}

/** @param {MaskEditor} editor */
export function placeImage({ canvas, plane, root, strokes, view }) {
  plane.style.width = `${view.imageWidth}px`;
  plane.style.height = `${view.imageHeight}px`;
  plane.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  plane.classList.toggle("pixels", view.scale >= PIXELS_SHOW_FROM);
  plane.classList.toggle("enlarged", view.scale >= 1);
  canvas.scaleTo(view.scale);
  part(root, ".percent").textContent = `${Math.round(view.scale * 100)} %`;
  strokes.showGuides();
}

/** @param {MaskEditor} editor */
export function showState(editor) {
  if (!editor.activeLayer) return;
  editor.conflict.update(editor.layers);
  editor.panel.update();
  showSaving(editor);
  const { history, isReady } = editor;
  if (editor.activeLayer.isLoaded && !editor.plane.hidden) editor.say("");
  editor.button("undo").disabled = !isReady || !history?.canUndo;
  editor.button("redo").disabled = !isReady || !history?.canRedo;
  editor.button("clear").disabled = !isReady;
  const submit = editor.button("submit");
  submit.disabled = !isReady || !editor.isAllLoaded;
  const changed = editor.layers.filter((layer) => layer.isChanged);
  submit.title = changed.map((layer) => layer.title).join(", ");
  editor.stage.classList.toggle("waits", !editor.isOpen && !editor.isAsking);
  editor.strokes.showGuides();
}
