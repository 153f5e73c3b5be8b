import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { PaintingClock } from "../../pages/_ui/components/mask_editor/painting_clock.js";

beforeEach(() => {
  globalThis.document = Object.assign(new EventTarget(), { hidden: false });
});

afterEach(() => {
  delete globalThis.document;
});

test("a long pause and a hidden tab are no painting", () => {
  const clock = new PaintingClock(new EventTarget());
  const heard = (seconds, isHidden = false) => {
    document.hidden = isHidden;
    clock.hear({ timeStamp: seconds * 1000 });
    return clock.spent / 1000;
  };
  const spent = [heard(10), heard(13), heard(100), heard(105, true), heard(300), heard(302)];
  assert.deepEqual(spent, [0, 3, 23, 28, 28, 30]);
  assert.deepEqual([clock.take(), clock.take()], [30_000, 0]);
});

test("it hears the editor, and the document until it is closed", () => {
  const frame = new EventTarget();
  const clock = new PaintingClock(frame);
  frame.dispatchEvent(new Event("pointerdown"));
  assert.notEqual(clock.last, null);
  clock.reset();
  clock.close();
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(clock.last, null);
});
