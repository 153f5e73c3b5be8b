// What a component made stays until its element has left the page.

/**
 * What Streamlit gives to a component.
 * @template Data
 * @typedef {object} StreamlitComponent
 * @property {Data} data What the page's Python gives.
 * @property {ParentNode & Node} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @type {WeakMap<Node, { close(): void }>} */
const mounted = new WeakMap();

/**
 * Call `update` with what `make` made for this element the first time.
 *
 * Streamlit also asks an update that a newer one has overtaken to clean up, while the element lives on: closing then
 * would take the component from under its user's hands.
 * @template {{ close(): void }} Made
 * @param {ParentNode & Node} parentElement
 * @param {(parentElement: ParentNode & Node) => Made} make
 * @param {(made: Made) => void} update
 * @returns {() => void} What Streamlit calls to clean up.
 */
export function mount(parentElement, make, update) {
  let made = /** @type {Made | undefined} */ (mounted.get(parentElement));
  if (!made) {
    made = make(parentElement);
    mounted.set(parentElement, made);
  }
  update(made);
  return () => {
    if (parentElement.isConnected) return;
    mounted.get(parentElement)?.close();
    mounted.delete(parentElement);
  };
}
