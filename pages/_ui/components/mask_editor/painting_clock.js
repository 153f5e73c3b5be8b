// Time of painting: from one touch of the editor to the next, a pause counted for 20 seconds at most, and nothing while
// another tab is in front.

const LONGEST_PAUSE_MS = 20000;
const CLOCK_EVENTS = ["pointerdown", "pointermove", "pointerup", "wheel", "keydown", "keyup"];

export class PaintingClock {
  /** @param {EventTarget} frame */
  constructor(frame) {
    this.spent = 0;
    /** @type {number | null} */
    this.last = null;
    this.heard = (/** @type {Event} */ event) => this.hear(event);
    for (const name of CLOCK_EVENTS) frame.addEventListener(name, this.heard, true);
    document.addEventListener("visibilitychange", this.heard);
  }

  /** @param {{ timeStamp: number }} event */
  hear(event) {
    if (this.last !== null) this.spent += Math.min(LONGEST_PAUSE_MS, Math.max(0, event.timeStamp - this.last));
    this.last = document.hidden ? null : event.timeStamp;
  }

  /** What was spent since it was taken last, in whole milliseconds. */
  take() {
    const spent = Math.round(this.spent);
    this.spent = 0;
    return spent;
  }

  reset() {
    this.spent = 0;
    this.last = null;
  }

  close() {
    document.removeEventListener("visibilitychange", this.heard);
  }
}
