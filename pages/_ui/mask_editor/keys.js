// Keys of the editor. Those it handles go no further: Streamlit and the browser have uses of their own for some.

class Keys {
  // `act` maps an action to a function; an action that returns false did not want the key.
  constructor(frame, act) {
    this.frame = frame;
    this.act = act;
    this.down = (event) => this.onDown(event);
    this.up = (event) => this.onUp(event);
    this.release = () => {
      act.panEnd();
      act.show();
    };
    addEventListener("keydown", this.down, true);
    addEventListener("keyup", this.up, true);
    addEventListener("blur", this.release);
  }

  close() {
    removeEventListener("keydown", this.down, true);
    removeEventListener("keyup", this.up, true);
    removeEventListener("blur", this.release);
  }

  onDown(event) {
    const action = this.actionOf(event);
    if (!action || !this.mayTake(event, action)) return;
    if (this.act[action](event) === false) return;
    event.preventDefault();
    event.stopPropagation();
  }

  onUp(event) {
    if (event.key === " ") this.act.panEnd();
    if (event.key.toLowerCase() === "h") this.act.show();
  }

  actionOf(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.altKey) return null;
    if (event.ctrlKey || event.metaKey) return { z: event.shiftKey ? "redo" : "undo", y: "redo" }[key];
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return {
      b: "brush", e: "eraser", p: "polygon", x: "cut", "[": "smaller", "]": "larger", 0: "fit", "+": "zoomIn",
      "=": "zoomIn", "-": "zoomOut", h: "hide", "?": "help", " ": "pan", Enter: "close", Escape: "escape",
      Backspace: "cornerBack",
    }[key];
  }

  // Never while somebody writes, nor where a dialog is open; keys that buttons need only over the editor itself.
  mayTake(event, action) {
    const target = event.composedPath()[0];
    if (target.isContentEditable || target.matches?.("textarea, select, input:not([type=range]):not([type=checkbox])")) {
      return false;
    }
    const isInside = event.composedPath().includes(this.frame);
    if (!isInside && document.querySelector('[role="dialog"]')) return false;
    if (!["pan", "close", "escape", "cornerBack"].includes(action)) return true;
    const stage = this.frame.querySelector(".stage");
    return target === document.body || target === stage || (action === "escape" && isInside);
  }
}
