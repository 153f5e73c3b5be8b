// The findings of one image, each a layer with a mask, a history and a document of its own.

import { applyRle, codeOfNothing, sameBytes } from "./codec.js";
import { History } from "./history.js";
import { saverOf } from "./savers.js";

/** @import { Rectangle } from "../shared/geometry.js" */
/** @import { Mask } from "./mask.js" */
/** @import { Stored } from "./mask_server.js" */
/** @import { Loaded } from "./saver.js" */
/**
 * A layer as the page gives it.
 * @typedef {object} LayerData
 * @property {string} finding
 * @property {string} document_id
 * @property {number} next_version
 * @property {string} name
 * @property {string} title
 * @property {string} colour
 * @property {boolean} is_outline
 */

// What a person has hidden or locked stays so from one image to the next.
/** @type {Set<string>} */
const hiddenFindings = new Set();
/** @type {Set<string>} */
const lockedFindings = new Set();

export class Layer {
  /**
   * @param {LayerData} given
   * @param {number} index
   * @param {{ width: number, height: number }} size Of the image.
   */
  constructor(given, index, { width, height }) {
    const { finding } = given;
    this.finding = finding;
    this.name = given.name;
    this.title = given.title;
    this.colour = given.colour;
    this.width = width;
    this.height = height;
    this.key = String(index + 1);
    this.isOutline = given.is_outline;
    this.documentId = given.document_id;
    this.nextVersion = given.next_version;
    this.isHidden = hiddenFindings.has(finding);
    this.isLocked = lockedFindings.has(finding);
    this.nothing = codeOfNothing(width * height);
    this.saver = saverOf(given.document_id);
    /** @type {Mask | null} Null until there is something in it: six masks of a large photograph would take 35 MB. */
    this.mask = null;
    /** @type {History | null} Null until it is loaded. */
    this.history = null;
    /** Whether it waits for what the server holds. */
    this.isWaiting = false;
    /** @type {Uint8Array | null} The newest version's code (of nothing, where there is none); null where not known. */
    this.submitted = null;
  }

  get isLoaded() {
    return this.history !== null;
  }

  get isEmpty() {
    return this.history === null || sameBytes(this.history.current, this.nothing);
  }

  get isChanged() {
    if (!this.history) return false;
    return this.submitted === null || !sameBytes(this.submitted, this.history.current);
  }

  /** The mask to paint on. */
  allocate() {
    const { width, height } = this;
    this.mask ??= { pixels: new Uint8Array(width * height), width, height };
    return this.mask;
  }

  release() {
    if (this.isEmpty) this.mask = null;
  }

  /**
   * What the server holds becomes the first step, and what was not saved yet the second.
   * @param {Loaded} loaded
   */
  begin({ code, mine, changed, versionNumber }) {
    this.note(code, changed, versionNumber);
    this.history = new History(code);
    if (mine) this.history.push(mine);
    return this.show();
  }

  /**
   * What the server holds now becomes one more step.
   * @param {Stored} stored
   */
  goOn({ code, changed, versionNumber }) {
    this.note(code, changed, versionNumber);
    this.history?.push(code);
    return this.show();
  }

  /**
   * What is known of the newest version.
   * @param {Uint8Array} code What the server holds.
   * @param {boolean} changed Whether that differs from the newest version.
   * @param {number | null} [versionNumber]
   */
  note(code, changed, versionNumber) {
    if (!changed) this.submitted = code;
    else this.submitted = (versionNumber ?? this.nextVersion - 1) ? null : this.nothing;
  }

  /**
   * Make the mask what the history says.
   * @returns {Rectangle | null} What changed.
   */
  show() {
    if (!this.history || (!this.mask && this.isEmpty)) return null;
    return applyRle(this.allocate(), this.history.current);
  }

  toggleHidden() {
    this.isHidden = !this.isHidden;
    remember(hiddenFindings, this.finding, this.isHidden);
  }

  toggleLocked() {
    this.isLocked = !this.isLocked;
    remember(lockedFindings, this.finding, this.isLocked);
  }
}

/**
 * @param {Set<string>} findings
 * @param {string} finding
 * @param {boolean} isIn
 */
function remember(findings, finding, isIn) {
  if (isIn) findings.add(finding);
  else findings.delete(finding);
}
