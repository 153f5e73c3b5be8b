// The image viewer as Streamlit's component.

import { mount } from "../shared/mounting.js";
import { Viewer } from "./viewer.js";

/** @import { StreamlitComponent } from "../shared/mounting.js" */
/** @import { ViewerData } from "./frames.js" */

/**
 * @param {StreamlitComponent<ViewerData>} component
 * @param {string} template
 */
export default function show({ data, parentElement, setTriggerValue }, template) {
  return mount(
    parentElement,
    (parent) => new Viewer(parent, template),
    (viewer) => viewer.update(data, setTriggerValue),
  );
}
