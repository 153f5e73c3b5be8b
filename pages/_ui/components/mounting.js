// What a component made stays until its element has left the page.

const MOUNTED = new WeakMap();

// Calls `update` with what `make` made for this element the first time.
//
// Streamlit also asks an update that a newer one has overtaken to clean up, while the element lives on: closing then
// would take the component from under its user's hands.
function mounted(parentElement, make, update) {
  if (!MOUNTED.has(parentElement)) MOUNTED.set(parentElement, make(parentElement));
  update(MOUNTED.get(parentElement));
  return () => {
    if (parentElement.isConnected) return;
    MOUNTED.get(parentElement)?.close();
    MOUNTED.delete(parentElement);
  };
}
