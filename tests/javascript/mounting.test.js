import assert from "node:assert/strict";
import { test } from "node:test";
import { mount } from "../../pages/_ui/components/shared/mounting.js";

class Panel {
  updates = [];
  isClosed = false;

  close() {
    this.isClosed = true;
  }
}

test("one element has one component, however often the page runs", () => {
  const parent = { isConnected: true };
  const made = [];
  const make = () => {
    made.push(new Panel());
    return made.at(-1);
  };
  mount(parent, make, (panel) => panel.updates.push(1));
  mount(parent, make, (panel) => panel.updates.push(2));
  mount({ isConnected: true }, make, () => {});
  assert.equal(made.length, 2);
  assert.deepEqual(made[0].updates, [1, 2]);
});

test("a component is closed when its element has left the page, and not when an update was overtaken", () => {
  const parent = { isConnected: true };
  const panel = new Panel();
  const cleanUp = mount(
    parent,
    () => panel,
    () => {},
  );
  cleanUp();
  assert.equal(panel.isClosed, false);
  parent.isConnected = false;
  cleanUp();
  cleanUp();
  assert.equal(panel.isClosed, true);
});
