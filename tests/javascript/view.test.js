import assert from "node:assert/strict";
import { test } from "node:test";
import { Pinch, View, wheelFactor } from "../../pages/_ui/components/shared/view.js";
import { seeded } from "./random.js";

function viewOn(stageWidth, stageHeight, imageWidth = 3000, imageHeight = 2000) {
  const view = new View(imageWidth, imageHeight);
  view.resize(stageWidth, stageHeight);
  return view;
}

function near(a, b, within = 1e-9) {
  assert.ok(Math.hypot(a.x - b.x, a.y - b.y) < within, `${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
}

test("a fitted image fills the stage one way and stands in its middle the other", () => {
  const view = viewOn(600, 800);
  assert.equal(view.scale, 0.2);
  near(view.toScreen(0, 0), { x: 0, y: 200 });
  near(view.toScreen(3000, 2000), { x: 600, y: 600 });
});

test("to the screen and back leads to the same place", () => {
  const random = seeded(3);
  const view = viewOn(600, 800);
  for (let i = 0; i < 200; i++) {
    view.zoomAt(600 * random(), 800 * random(), 0.5 + random());
    view.panBy(50 * random() - 25, 50 * random() - 25);
    const point = { x: 3000 * random(), y: 2000 * random() };
    const there = view.toScreen(point.x, point.y);
    near(view.toImage(there.x, there.y), point, 1e-6);
  }
});

test("what lies under the pointer stays there when one zooms", () => {
  const view = viewOn(600, 800);
  const under = view.toImage(200, 400);
  view.zoomAt(200, 400, 3);
  near(view.toImage(200, 400), under);
  assert.ok(!view.isFitted);
});

test("zooming has its limits", () => {
  const view = viewOn(600, 800);
  for (let i = 0; i < 100; i++) view.zoomMiddle(2);
  assert.equal(view.scale, 32);
  for (let i = 0; i < 100; i++) view.zoomMiddle(0.5);
  assert.equal(view.scale, 0.1, "half of the fitted size");
});

test("no pan loses the image out of sight", () => {
  const view = viewOn(600, 800);
  view.zoomMiddle(4);
  for (const [dx, dy] of [
    [1e6, 1e6],
    [-1e6, -1e6],
  ]) {
    view.panBy(dx, dy);
    const [a, b] = [view.toScreen(0, 0), view.toScreen(3000, 2000)];
    assert.ok(a.x <= 600 - 60 && a.y <= 800 - 60 && b.x >= 60 && b.y >= 60);
  }
});

test("a stage that changes its size keeps the image fitted, or else what was in the middle", () => {
  const view = viewOn(600, 800);
  view.resize(300, 800);
  assert.equal(view.scale, 0.1);
  view.zoomMiddle(5);
  view.panBy(30, 20);
  const middle = view.toImage(150, 400);
  view.resize(500, 600);
  near(view.toImage(250, 300), middle);
  assert.equal(view.scale, 0.5);
});

test("two fingers move and zoom, and a single one does neither", () => {
  const view = viewOn(600, 800);
  const pinch = new Pinch(view);
  const finger = (pointerId) => ({ pointerId, pointerType: "touch" });
  pinch.down({ pointerId: 9, pointerType: "mouse" }, { x: 0, y: 0 });
  pinch.down(finger(1), { x: 200, y: 400 });
  assert.equal(pinch.move(finger(1), { x: 210, y: 400 }), false);
  pinch.down(finger(2), { x: 310, y: 400 });
  assert.ok(pinch.isActive);
  const under = view.toImage(260, 400);
  assert.equal(pinch.move(finger(2), { x: 410, y: 400 }), true);
  near(view.toImage(310, 400), under, 1e-6);
  assert.equal(view.scale, 0.4);
  pinch.up(finger(2));
  assert.ok(!pinch.isActive);
});

test("the wheel zooms alike in pixels and lines, and never by leaps", () => {
  assert.equal(wheelFactor({ deltaMode: 0, deltaY: -16, ctrlKey: false }), Math.exp(0.032));
  assert.equal(wheelFactor({ deltaMode: 1, deltaY: -1, ctrlKey: false }), Math.exp(0.032));
  assert.equal(wheelFactor({ deltaMode: 2, deltaY: 5, ctrlKey: false }), Math.exp(-0.24));
  assert.ok(wheelFactor({ deltaMode: 0, deltaY: 10, ctrlKey: true }) < 1);
});
