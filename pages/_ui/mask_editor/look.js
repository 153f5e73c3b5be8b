// How the person looks at the image and the masks: none of it changes a pixel that is saved.
//
// Brightness, contrast and the green filter are a CSS filter of the <img> alone, never of a mask. Opacity, hiding and
// the outline-only view hold for the canvases of class "mask" in the plane. What was set stays from one image to the
// next: the editor calls showLook(editor) whenever it has opened a document, and listenToLook(editor) once.

const PLAIN_LOOK = { brightness: 100, contrast: 100, isGreen: false };
const LOOK = { ...PLAIN_LOOK, isOutlineOnly: false, opacity: 70 };

// `change` names any of: brightness and contrast (percent, 100 is as it is), isGreen.
function setLook(editor, change) {
  Object.assign(LOOK, change);
  showLook(editor);
}

function resetLook(editor) {
  setLook(editor, PLAIN_LOOK);
}

function setOutlineOnly(editor, isOn) {
  LOOK.isOutlineOnly = isOn;
  showLook(editor);
}

function setOpacity(editor, percent) {
  LOOK.opacity = percent;
  showLook(editor);
}

function hideMasks(editor, isHidden) {
  editor.plane.classList.toggle("masks-hidden", isHidden);
}

function showLook(editor) {
  editor.plane.style.setProperty("--mask-opacity", String(LOOK.opacity / 100));
}

function listenToLook(editor) {
  const opacity = editor.root.querySelector('[data-input="opacity"]');
  opacity.oninput = () => setOpacity(editor, Number(opacity.value));
}
