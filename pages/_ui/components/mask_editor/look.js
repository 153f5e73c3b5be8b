// How the person looks at the image and the masks: none of it changes a pixel that is saved.
//
// Brightness, contrast and the green filter are a CSS filter of the <img> alone, never of a mask. Opacity, hiding and
// the outline-only view hold for the masks in the plane. What was set stays from one image to the next.

const PLAIN_LOOK = { brightness: 100, contrast: 100, isGreen: false };
const LOOK = { ...PLAIN_LOOK, isOutlineOnly: false, opacity: 70 };
const LOOK_LIMITS = { brightness: [40, 250], contrast: [40, 250], opacity: [0, 100] };
const LOOK_STEPS = { brightness: 10, contrast: 10, opacity: 10 };

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

// While a key is held.
function hideMasks(editor, isHidden) {
  editor.plane.classList.toggle("masks-hidden", isHidden);
}

// One step of brightness, contrast or opacity up (1) or down (-1).
function stepLook(editor, what, direction) {
  const [least, most] = LOOK_LIMITS[what];
  setLook(editor, { [what]: Math.min(most, Math.max(least, LOOK[what] + direction * LOOK_STEPS[what])) });
}

function showLook(editor) {
  const filters = [];
  for (const what of ["brightness", "contrast"]) if (LOOK[what] !== 100) filters.push(`${what}(${LOOK[what]}%)`);
  if (LOOK.isGreen) filters.push("url(#green-filter)");
  editor.image.style.filter = filters.join(" ");
  editor.canvas.outlineOnly = LOOK.isOutlineOnly;
  editor.plane.style.setProperty("--mask-opacity", String(LOOK.opacity / 100));
  for (const what of Object.keys(LOOK_LIMITS)) {
    const slider = editor.root.querySelector(`[data-input="${what}"]`);
    slider.value = String(LOOK[what]);
    slider.nextElementSibling.textContent = `${LOOK[what]} %`;
  }
  const isPressed = { outlineOnly: LOOK.isOutlineOnly, green: LOOK.isGreen };
  for (const [act, isOn] of Object.entries(isPressed)) {
    editor.root.querySelector(`[data-act="${act}"]`).setAttribute("aria-pressed", String(isOn));
  }
  const isChanged = filters.length > 0 || LOOK.isOutlineOnly;
  editor.root.querySelector('[data-menu="look"]').classList.toggle("differs", isChanged);
}

function listenToLook(editor) {
  for (const what of Object.keys(LOOK_LIMITS)) {
    const slider = editor.root.querySelector(`[data-input="${what}"]`);
    slider.oninput = () => setLook(editor, { [what]: Number(slider.value) });
  }
}
