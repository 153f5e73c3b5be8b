// What the viewer's buttons and keys can do, by name.

import { part } from "../shared/dom.js";
import { saveView } from "./view_file.js";
import { KEY_HELP } from "./viewer_keys.js";

/** @import { Viewer } from "./viewer.js" */
/** @typedef {ReturnType<typeof actionsOf>} ViewerActions */

const BRIGHTNESS_STEP = 10;

/** @param {Viewer} viewer */
export function actionsOf(viewer) {
  const card = part(viewer.root, ".keys");
  card.innerHTML = KEY_HELP.map(([key, what]) => `<span><kbd>${key}</kbd> ${what}</span>`).join("");
  return {
    in: () => viewer.onActive((view) => view.zoomMiddle(1.25)),
    out: () => viewer.onActive((view) => view.zoomMiddle(0.8)),
    fit: () => viewer.fit(),
    darker: () => viewer.brighten(viewer.brightness - BRIGHTNESS_STEP),
    brighter: () => viewer.brighten(viewer.brightness + BRIGHTNESS_STEP),
    plain: () => viewer.brighten(100),
    link: () => viewer.link(!viewer.isLinked),
    export: () => saveView(viewer.panes, viewer.container, viewer.data.file_name),
    full: () => (viewer.isFull ? document.exitFullscreen() : viewer.frame.requestFullscreen()),
    keys: () => {
      card.hidden = !card.hidden;
      part(viewer.root, '[data-act="keys"]').setAttribute("aria-expanded", String(!card.hidden));
    },
  };
}
