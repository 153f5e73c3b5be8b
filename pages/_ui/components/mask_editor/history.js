// Undo and redo by whole strokes. Each step is the code of the whole mask (a few kilobytes), so no step can go wrong
// because of another.

import { sameBytes } from "./codec.js";

const MIN_STEPS = 200;
const MAX_STEPS = 500;
const MAX_BYTES = 48 * 1024 * 1024;

export class History {
  /** @param {Uint8Array} code */
  constructor(code) {
    this.codes = [code];
    this.index = 0;
    this.bytes = code.length;
  }

  get current() {
    return this.codes[this.index];
  }

  get canUndo() {
    return this.index > 0;
  }

  get canRedo() {
    return this.index < this.codes.length - 1;
  }

  /**
   * A stroke that changed nothing is no step.
   * @param {Uint8Array} code
   * @returns {boolean} Whether the mask differs from the step before.
   */
  push(code) {
    if (sameBytes(code, this.current)) return false;
    for (const dropped of this.codes.splice(this.index + 1)) this.bytes -= dropped.length;
    this.codes.push(code);
    this.bytes += code.length;
    while (this.codes.length > MAX_STEPS || (this.bytes > MAX_BYTES && this.codes.length > MIN_STEPS + 1)) {
      this.bytes -= this.codes.shift()?.length ?? 0;
    }
    this.index = this.codes.length - 1;
    return true;
  }

  undo() {
    if (this.canUndo) this.index -= 1;
    return this.current;
  }

  redo() {
    if (this.canRedo) this.index += 1;
    return this.current;
  }
}
