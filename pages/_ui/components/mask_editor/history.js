// Undo and redo by whole strokes. Each step is the code of the whole mask (a few kilobytes), so no step can go wrong
// because of another.

const MIN_STEPS = 200;
const MAX_STEPS = 500;
const MAX_BYTES = 48 * 1024 * 1024;

class History {
  constructor(code) {
    this.codes = [code];
    this.at = 0;
    this.bytes = code.length;
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
    for (const dropped of this.codes.splice(this.at + 1)) this.bytes -= dropped.length;
    this.codes.push(code);
    this.bytes += code.length;
    while (this.codes.length > MAX_STEPS || (this.bytes > MAX_BYTES && this.codes.length > MIN_STEPS + 1)) {
      this.bytes -= this.codes.shift().length;
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
