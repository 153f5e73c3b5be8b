// The gallery as Streamlit's component.

import { mount } from "../shared/mounting.js";
import { CaseGallery } from "./gallery.js";

/** @import { StreamlitComponent } from "../shared/mounting.js" */
/** @import { GalleryData } from "./gallery.js" */

/** @param {StreamlitComponent<GalleryData>} component */
export default function show({ data, parentElement, setStateValue, setTriggerValue }) {
  return mount(
    parentElement,
    (parent) => new CaseGallery(parent),
    (gallery) => gallery.update(data, setTriggerValue, setStateValue),
  );
}
