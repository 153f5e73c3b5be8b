// Undo and redo by whole strokes. Each step is the code of the whole mask (a few kilobytes), so no step can go wrong
// because of another.

const MIN_STEPS = 100;
const MAX_STEPS = 500;
const MAX_BYTES = 48 * 1024 * 1024;

class History {
  constructor(code) {
    this.codes = [code];
    this.at = 0;
  }

  get current() {
    return this.codes[this.at];
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.codes.length - 1;
  }

  // Returns whether the mask differs from the step before; a stroke that changed nothing is none.
  push(code) {
    if (sameBytes(code, this.current)) return false;
    this.codes.length = this.at + 1;
    this.codes.push(code);
    let bytes = this.codes.reduce((sum, step) => sum + step.length, 0);
    while (this.codes.length > MAX_STEPS || (bytes > MAX_BYTES && this.codes.length > MIN_STEPS)) {
      bytes -= this.codes.shift().length;
    }
    this.at = this.codes.length - 1;
    return true;
  }

  undo() {
    if (this.canUndo) this.at -= 1;
    return this.current;
  }

  redo() {
    if (this.canRedo) this.at += 1;
    return this.current;
  }
}
