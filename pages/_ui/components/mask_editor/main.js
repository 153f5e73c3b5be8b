// The mask editor as Streamlit's component.

import { mount } from "../shared/mounting.js";
import { MaskEditor } from "./editor.js";

/** @import { StreamlitComponent } from "../shared/mounting.js" */
/** @import { EditorData } from "./page_data.js" */

/**
 * @param {StreamlitComponent<EditorData>} component
 * @param {string} template
 */
export default function show({ data, parentElement, setTriggerValue, setStateValue }, template) {
  const tell = { trigger: setTriggerValue, state: setStateValue };
  return mount(
    parentElement,
    (parent) => new MaskEditor(parent, template),
    (editor) => editor.update(data, tell),
  );
}
