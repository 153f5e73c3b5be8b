// What keys and buttons can do, by name. An action that returns false did not want the key.

const MEND = { specksUnder: 50 };
const PAN_STEP_PX = 40;
const NUDGE_PX = { plain: 1, shifted: 10 };

function actionsOf(editor) {
  const { strokes } = editor;
  const tool = (name) => () => editor.setTool(name);
  const look = (what, direction) => () => stepLook(editor, what, direction);
  // What is being drawn is dropped first, and a mask that is just being changed is left alone.
  const mend = (stepsOf) => () => {
    strokes.drop();
    strokes.reshape(stepsOf);
  };
  const whenIdle = (deed) => () => {
    if (!strokes.isBusy) deed();
  };
  return {
    ...Object.fromEntries(Object.keys(TOOLS).map((name) => [name, tool(name)])),
    ...layerActions(editor),
    ...viewActions(editor),
    undo: whenIdle(() => {
      if (!strokes.warp.isOn) editor.undo();
      strokes.warp.drop();
      strokes.showGuides();
    }),
    redo: whenIdle(() => {
      editor.redo();
      strokes.showGuides();
    }),
    clear: whenIdle(() => editor.clear()),
    submit: whenIdle(() => editor.submit()),
    smaller: () => strokes.resize(-1),
    larger: () => strokes.resize(1),
    fillHoles: mend(holesFilled),
    removeSpecks: mend((mask) => specksRemoved(mask, MEND.specksUnder)),
    grow: mend(grown),
    shrink: mend(shrunk),
    warp: () => (strokes.warp.isOn ? strokes.drop() : strokes.startWarp()),
    speckSize: () => {
      openMenu(editor, "mend");
      editor.root.querySelector('[data-input="specks"]').select();
    },
    hide: () => hideMasks(editor, true),
    show: () => hideMasks(editor, false),
    outlineOnly: () => setOutlineOnly(editor, !LOOK.isOutlineOnly),
    green: () => setLook(editor, { isGreen: !LOOK.isGreen }),
    resetLook: () => resetLook(editor),
    fainter: look("opacity", -1),
    stronger: look("opacity", 1),
    darker: look("brightness", -1),
    brighter: look("brightness", 1),
    flatter: look("contrast", -1),
    crisper: look("contrast", 1),
    help: () => toggleHelp(editor),
    note: () => editor.note.focus(),
    close: () => {
      if (strokes.warp.isOn) strokes.applyWarp();
      else if (strokes.corners.length) strokes.closePolygon();
      else return false;
      return true;
    },
    cornerBack: () => strokes.takeCornerBack(),
    escape: (event) => escapeFrom(editor, event),
  };
}

// Keys 1 to 6 and their likes; an image may have fewer layers.
function layerActions(editor) {
  const actions = {};
  for (let digit = 1; digit <= 6; digit++) {
    const onLayer = (deed) => () => {
      if (digit > editor.layers.length) return false;
      deed(digit - 1);
      editor.strokes.showGuides();
      return true;
    };
    actions[`pick${digit}`] = onLayer((index) => !editor.strokes.isBusy && editor.selectLayer(index));
    actions[`hide${digit}`] = onLayer((index) => editor.toggleHidden(index));
    actions[`lock${digit}`] = onLayer((index) => editor.toggleLocked(index));
  }
  return actions;
}

function viewActions(editor) {
  const { view } = editor;
  const moved = (change) => () => {
    change();
    editor.moved();
  };
  // Arrow keys move what is being warped, or else the view.
  const arrow = (x, y) => (event) => {
    const { warp } = editor.strokes;
    const step = event.shiftKey ? NUDGE_PX.shifted : NUDGE_PX.plain;
    if (warp.isOn) warp.nudge(event.composedPath()[0], x * step, y * step);
    else if (event.composedPath()[0] !== editor.stage) return false;
    else moved(() => view.panBy(-x * PAN_STEP_PX, -y * PAN_STEP_PX))();
    return true;
  };
  return {
    zoomIn: moved(() => view.zoomMiddle(1.25)),
    zoomOut: moved(() => view.zoomMiddle(0.8)),
    fit: moved(() => view.fit()),
    pan: () => editor.strokes.pan(true),
    panEnd: () => editor.strokes.pan(false),
    left: arrow(-1, 0), right: arrow(1, 0), up: arrow(0, -1), down: arrow(0, 1),
  };
}

function toggleHelp(editor, isShown) {
  const card = editor.root.querySelector(".help");
  card.hidden = !(isShown ?? card.hidden);
  editor.root.querySelector('.bar [data-act="help"]').setAttribute("aria-expanded", String(!card.hidden));
}

// One menu at a time, or none.
function openMenu(editor, name) {
  for (const button of editor.root.querySelectorAll("[data-menu]")) {
    const isOpen = button.dataset.menu === name;
    button.setAttribute("aria-expanded", String(isOpen));
    editor.root.querySelector(`[data-panel="${button.dataset.menu}"]`).hidden = !isOpen;
  }
}

// One thing at a time, the foremost first.
function escapeFrom(editor, event) {
  const target = event.composedPath()[0];
  const isOpen = (selector) => editor.root.querySelector(selector) !== null;
  if (isOpen('[data-menu][aria-expanded="true"]')) openMenu(editor, null);
  else if (isOpen(".help:not([hidden])")) toggleHelp(editor, false);
  else if (target !== editor.note && !editor.strokes.drop()) return false;
  editor.stage.focus({ preventScroll: true });
  return true;
}

// What to do with an empty mask, gone with the first stroke.
function showStart(editor) {
  const { activeLayer: layer, strokes } = editor;
  const place = editor.root.querySelector(".start");
  const isBeginning = editor.isReady && layer.isEmpty && !strokes.stroke && !strokes.corners.length && !strokes.wand.press;
  place.hidden = !isBeginning || editor.tool === "ruler";
  if (isBeginning) place.textContent = `Paint the ${layer.title.toLowerCase()}. Press ? for all keys.`;
}

// Buttons with data-tool and data-act, and the menus. The stage keeps the keys: a button that was clicked would
// otherwise take the space bar.
function listenToButtons(editor, actions) {
  for (const button of editor.root.querySelectorAll("button[data-tool], button[data-act]")) {
    button.addEventListener("click", (event) => {
      if (button.dataset.tool) editor.setTool(button.dataset.tool);
      else actions[button.dataset.act](event);
      if (event.detail > 0) editor.stage.focus({ preventScroll: true });
    });
  }
  for (const button of editor.root.querySelectorAll("[data-menu]")) {
    button.addEventListener("click", () => {
      const isOpen = button.getAttribute("aria-expanded") === "true";
      openMenu(editor, isOpen ? null : button.dataset.menu);
    });
  }
  editor.stage.addEventListener("pointerdown", () => openMenu(editor, null), true);
  editor.root.querySelector(".warp-bar").addEventListener("pointerdown", (event) => event.stopPropagation());
  const specks = editor.root.querySelector('[data-input="specks"]');
  specks.value = String(MEND.specksUnder);
  specks.oninput = () => {
    if (specks.validity.valid && specks.value) MEND.specksUnder = Number(specks.value);
  };
  specks.onkeydown = (event) => {
    if (event.key === "Enter") actions.removeSpecks();
  };
}
