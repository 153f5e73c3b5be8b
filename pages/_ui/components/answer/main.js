// The answer panel as Streamlit's component.

import { mount } from "../shared/mounting.js";
import { AnswerPanel } from "./answer.js";

/** @import { StreamlitComponent } from "../shared/mounting.js" */
/** @import { AnswerData } from "./answer.js" */

/**
 * @param {StreamlitComponent<AnswerData>} component
 * @param {string} template
 */
export default function show({ data, parentElement, setTriggerValue }, template) {
  return mount(
    parentElement,
    (parent) => new AnswerPanel(parent, template),
    (panel) => panel.update(data, (answer) => setTriggerValue("answer", answer)),
  );
}
