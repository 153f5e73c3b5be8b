// Time on a case without breaks: a pause, a hidden window and idleness do not count.

const IDLE_AFTER_MS = 60000;
const TICK_MS = 500;

export class ActiveTime {
  constructor() {
    this.token = "";
    this.isPaused = false;
    this.ms = 0;
    this.last = performance.now();
    this.lastMove = this.last;
    this.onMove = () => {
      this.count();
      this.lastMove = performance.now();
    };
    this.onHide = () => this.count();
    this.moves = ["pointermove", "pointerdown", "keydown", "wheel"];
    for (const kind of this.moves) document.addEventListener(kind, this.onMove, { capture: true, passive: true });
    document.addEventListener("visibilitychange", this.onHide);
    this.wasVisible = document.visibilityState === "visible";
    this.timer = setInterval(() => this.count(), TICK_MS);
  }

  /**
   * Begin with a case. A reload goes on counting where it was.
   * @param {string} token Of the showing; random, it tells nothing.
   */
  start(token) {
    this.token = token;
    this.ms = Number(sessionStorage.getItem(`active-${token}`)) || 0;
    this.last = performance.now();
    this.lastMove = this.last;
  }

  count() {
    const now = performance.now();
    const until = Math.min(now, this.lastMove + IDLE_AFTER_MS);
    if (this.token && this.wasVisible && !this.isPaused && until > this.last) {
      this.ms += until - this.last;
      sessionStorage.setItem(`active-${this.token}`, String(Math.round(this.ms)));
    }
    this.last = now;
    this.wasVisible = document.visibilityState === "visible";
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.count();
    this.isPaused = isPaused;
    this.lastMove = performance.now();
  }

  /** What was spent on the case, in whole milliseconds; it is counted no further. */
  take() {
    this.count();
    sessionStorage.removeItem(`active-${this.token}`);
    return Math.round(this.ms);
  }

  close() {
    clearInterval(this.timer);
    for (const kind of this.moves) document.removeEventListener(kind, this.onMove, { capture: true });
    document.removeEventListener("visibilitychange", this.onHide);
  }
}
