// What keys and buttons can do, by name. An action that returns false did not want the key.

function actionsOf(editor) {
  const tool = (name) => () => editor.setTool(name);
  const zoom = (factor) => () => {
    editor.view.zoomMiddle(factor);
    editor.moved();
  };
  return {
    brush: tool("brush"), eraser: tool("eraser"), polygon: tool("polygon"), cut: tool("cut"),
    undo: () => editor.undo(),
    redo: () => editor.redo(),
    clear: () => editor.clear(),
    smaller: () => editor.resizeBrush(-1),
    larger: () => editor.resizeBrush(1),
    zoomIn: zoom(1.25),
    zoomOut: zoom(0.8),
    fit: () => {
      editor.view.fit();
      editor.moved();
    },
    hide: () => hideMasks(editor, true),
    show: () => hideMasks(editor, false),
    help: () => toggleHelp(editor),
    pan: () => editor.strokes.pan(true),
    panEnd: () => editor.strokes.pan(false),
    close: () => (editor.strokes.corners.length ? editor.strokes.closePolygon() : false),
    cornerBack: () => editor.strokes.takeCornerBack(),
    escape: () => escapeFrom(editor),
    submit: () => editor.submit(),
  };
}

function toggleHelp(editor, isShown) {
  const card = editor.root.querySelector(".help");
  card.hidden = !(isShown ?? card.hidden);
  editor.root.querySelector('[data-act="help"]').setAttribute("aria-expanded", String(!card.hidden));
}

function escapeFrom(editor) {
  if (editor.strokes.corners.length) editor.strokes.dropPolygon();
  else if (!editor.root.querySelector(".help").hidden) toggleHelp(editor, false);
  else return false;
  return true;
}

// Buttons with data-tool and data-act. The stage keeps the keys: a button that was clicked would otherwise take the
// space bar. The editor calls it once, after `actions` are made, and again never: buttons that are made later wire
// themselves.
function listenToButtons(editor, actions) {
  for (const button of editor.root.querySelectorAll("button[data-tool], button[data-act]")) {
    if (!button.dataset.tool && !actions[button.dataset.act]) continue;
    button.addEventListener("click", (event) => {
      if (button.dataset.tool) editor.setTool(button.dataset.tool);
      else actions[button.dataset.act](event);
      if (event.detail > 0) editor.stage.focus({ preventScroll: true });
    });
  }
}
