// A cross on the other images, where the pointer is on one.

/** @import { Point } from "../shared/geometry.js" */
/** @import { Pane } from "./pane.js" */
/** @import { Viewer } from "./viewer.js" */

/**
 * @param {Viewer} viewer
 * @param {Pane} from Where the pointer is.
 * @param {Point} position On the screen.
 */
export function showCrosses(viewer, from, position) {
  const at = from.view.toImage(position.x, position.y);
  const here = viewer.shiftOf(from.sheet);
  for (const pane of viewer.panes) {
    pane.twin.hidden = pane === from || !pane.isLoaded;
    if (pane.twin.hidden) continue;
    const there = viewer.shiftOf(pane.sheet);
    const x = at.x / from.view.imageWidth - here.x + there.x;
    const y = at.y / from.view.imageHeight - here.y + there.y;
    pane.move(pane.twin, pane.view.toScreen(x * pane.view.imageWidth, y * pane.view.imageHeight));
  }
}

/** @param {Viewer} viewer */
export function hideCrosses(viewer) {
  for (const pane of viewer.panes) pane.twin.hidden = true;
}
