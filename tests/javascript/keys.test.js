import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOfKey } from "../../pages/_ui/components/mask_editor/keys.js";

/** What a key press asks for; `held` names Control, Meta, Alt, Shift or AltGraph. */
function action(key, held = "", code = "") {
  const holds = (name) => held.split("+").includes(name);
  return actionOfKey({
    key,
    code,
    ctrlKey: holds("Control") || holds("AltGraph"),
    altKey: holds("Alt") || holds("AltGraph"),
    metaKey: holds("Meta"),
    shiftKey: holds("Shift"),
    getModifierState: holds,
  });
}

test("a letter asks for a tool, with or without Caps Lock", () => {
  assert.equal(action("b"), "brush");
  assert.equal(action("B"), "brush");
  assert.equal(action("z"), "undo");
  assert.equal(action("Escape"), "escape");
});

test("Shift makes another key of some letters, and none of the others", () => {
  assert.equal(action("Z", "Shift"), "redo");
  assert.equal(action("D", "Shift"), "speckSize");
  for (const letter of "BNEK") assert.equal(action(letter, "Shift"), null);
});

test("the page's own keys, and the browser's, are left to them", () => {
  for (const key of ["n", "k", "F5", "Tab"]) assert.equal(action(key), null);
  assert.equal(action("b", "Control"), null);
  assert.equal(action("b", "Alt"), null);
  assert.equal(action("z", "Control+Alt"), null);
});

test("Control and Command do the same", () => {
  for (const held of ["Control", "Meta"]) {
    assert.equal(action("z", held), "undo");
    assert.equal(action("z", `${held}+Shift`), "redo");
    assert.equal(action("y", held), "redo");
    assert.equal(action("Enter", held), "submit");
  }
});

test("a digit key counts whatever it writes", () => {
  assert.equal(action("1", "", "Digit1"), "pick1");
  assert.equal(action("&", "", "Digit1"), "pick1", "a French keyboard");
  assert.equal(action('"', "Shift", "Digit2"), "hide2");
  assert.equal(action("6", "Alt", "Digit6"), "lock6");
  assert.equal(action("7", "", "Digit7"), null);
});

test("signs count as the keyboard writes them, with AltGr too", () => {
  assert.equal(action("[", "AltGraph", "Digit8"), "smaller");
  assert.equal(action("{", "AltGraph", "Digit7"), "fainter");
  assert.equal(action(">", "Shift"), "crisper");
  assert.equal(action(":", "Shift"), "crisper");
  assert.equal(action("?", "Shift"), "help");
});
