// Saving strokes: one request at a time for each document, the newest mask next, each sent again until the server has
// answered.
//
// What is on its way stays the same until there is an answer: if only the answer was lost, the server knows the content
// again and acknowledges it. A saver belongs to a document, not to an editor, and goes on when the page shows something
// else. What is not acknowledged also lies in the browser's database (unsent_strokes.js): a reload finds it, and so does
// the next tab after this one was closed.

import { sameBytes } from "./codec.js";
import { fetchStored, putMask, ServerProblem } from "./mask_server.js";

/** @import { Outcome, Part, Problem, Sending, Stored } from "./mask_server.js" */
/** @import { UnsentRecord } from "./unsent_strokes.js" */
/**
 * What an editor begins with: what the server holds, and in `mine` what is still to be saved upon it.
 * @typedef {{ code: Uint8Array, mine: Uint8Array | null, changed: boolean, versionNumber?: number | null }} Loaded
 */
/**
 * The layer that shows a saver's document: whether it may take in what a closed tab has left, and what it does then.
 * @typedef {{ mayTake(): boolean, taken(stored: Uint8Array, mine: Uint8Array): void }} Heir
 */
/**
 * Where what is not confirmed is kept; see `UnsentStrokes`.
 * @typedef {object} UnsentStore
 * @property {(documentId: string) => string} keyOf
 * @property {(record: UnsentRecord, options?: { replaced?: string | null, isUrgent?: boolean }) => void} put
 * @property {(key: string) => void} drop
 */

const LONGEST_WAIT_MS = 10000;
const SIGN_IN_WAIT_MS = 3000;
const MAX_STROKES = 10000;
const MAX_ACTIVE_MS = 3600000;

export class Saver {
  /**
   * @param {string} documentId
   * @param {UnsentStore} unsent
   * @param {() => void} changed Called whenever something of this saver has changed.
   */
  constructor(documentId, unsent, changed) {
    this.documentId = documentId;
    this.unsent = unsent;
    this.changed = changed;
    /** The sequence that is painted upon; no number before it is known. */
    this.seq = Number.NaN;
    /** @type {Sending | null} */
    this.sending = null;
    /** @type {Part | null} */
    this.next = null;
    /** @type {{ key: string, record: UnsentRecord }[]} What tabs that are gone have left, the next one first. */
    this.inherited = [];
    this.isBusy = false;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Problem | ""} */
    this.problem = "";
    this.sentence = "";
    /** @type {Stored | null} What the server holds where that is not what this tab painted upon. */
    this.stored = null;
    /** @type {Heir | null} */
    this.layer = null;
    /** @type {((isSaved: boolean) => void)[]} */
    this.waiters = [];
  }

  get newest() {
    return this.next?.code ?? this.sending?.code ?? null;
  }

  get isDirty() {
    return this.newest !== null;
  }

  /** Strokes and time that the server has not counted. */
  get unsaved() {
    /** @type {(name: "strokes" | "activeMs") => number} */
    const sum = (name) => (this.sending?.[name] ?? 0) + (this.next?.[name] ?? 0);
    return { strokes: sum("strokes"), activeMs: sum("activeMs") };
  }

  /** Strokes and steps back and forth that the server has not confirmed. */
  get stepsKept() {
    const inherited = this.inherited.flatMap(({ record }) => [record.sending, record.next]);
    return [this.sending, this.next, ...inherited].reduce((sum, part) => sum + (part?.steps ?? 0), 0);
  }

  /** @returns {"saved" | "saving" | Problem} */
  get state() {
    return this.problem || (this.isDirty || this.inherited.length ? "saving" : "saved");
  }

  /**
   * What the server holds, and what this tab or one that is gone still has to save upon it. A conflict is found here and
   * told by `problem`.
   * @returns {Promise<Loaded>}
   * @throws {ServerProblem}
   */
  async load() {
    const unsaved = this.newest;
    if (unsaved && this.problem !== "conflict") return { code: unsaved, mine: null, changed: true };
    const stored = await this.fetchStored();
    if (!this.isDirty) {
      this.start(stored.seq);
      this.dropSaved(stored);
      this.takeUp();
    }
    const mine = this.newest;
    if (mine) this.compare(stored);
    return { ...stored, mine };
  }

  /**
   * @returns {Promise<Stored>}
   * @throws {ServerProblem}
   */
  fetchStored() {
    return fetchStored(this.documentId);
  }

  /**
   * Begin anew upon what the server holds; what was not saved is no longer sent.
   * @param {number} seq
   */
  start(seq) {
    clearTimeout(this.timer);
    const wasDirty = this.isDirty;
    Object.assign(this, { seq, sending: null, next: null, failures: 0, problem: "", sentence: "", stored: null });
    if (wasDirty) this.forget();
    this.tell();
  }

  /**
   * One more step of the person.
   * @param {Uint8Array} code
   * @param {{ strokes: number, activeMs: number }} spent `strokes` is 1 for a stroke, 0 for a step back or forth.
   */
  step(code, { strokes, activeMs }) {
    this.next = {
      code,
      strokes: Math.min(MAX_STROKES, (this.next?.strokes ?? 0) + strokes),
      steps: (this.next?.steps ?? 0) + 1,
      activeMs: Math.min(MAX_ACTIVE_MS, (this.next?.activeMs ?? 0) + activeMs),
    };
    if (this.problem === "refused") Object.assign(this, { problem: "", sending: null });
    // Sending it keeps it too, in this same task.
    if (this.isBusy || this.sending || this.problem) this.remember();
    this.pump();
    this.tell();
  }

  async pump() {
    if (this.isBusy || this.problem === "conflict" || this.problem === "refused") return;
    clearTimeout(this.timer);
    if (!this.isDirty) {
      await this.lookAtInherited();
      return;
    }
    const sent = this.sending ?? this.sendNext();
    this.isBusy = true;
    let outcome = await putMask(this.documentId, sent);
    if (outcome.kind === "conflict" && this.sending === sent) outcome = await this.lookAtStored();
    this.isBusy = false;
    if (outcome.kind === "settled") this.again("offline");
    else if (this.sending !== sent) this.pump();
    else this.settle(outcome);
    this.tell();
  }

  /** What waits goes on its way, upon what the server has. */
  sendNext() {
    const sending = { .../** @type {Part} */ (this.next), base: this.seq };
    Object.assign(this, { sending, next: null });
    this.remember();
    return sending;
  }

  /** @param {Exclude<Outcome, { kind: "settled" }>} outcome */
  settle(outcome) {
    if (outcome.kind === "saved") {
      Object.assign(this, { seq: outcome.seq, sending: null, failures: 0, problem: "", sentence: "" });
      if (this.isDirty) this.remember();
      else this.forget();
      if (this.isDirty || this.inherited.length) this.pump();
      return;
    }
    this.problem = outcome.kind;
    this.sentence = outcome.sentence;
    if (outcome.kind === "offline" || outcome.kind === "sign-in") {
      this.remember();
      this.again(outcome.kind);
    }
    if (outcome.kind === "refused" && this.next) {
      Object.assign(this, { problem: "", sending: null });
      this.pump();
    }
  }

  /**
   * The server has another sequence. Perhaps only answers were lost, of this tab or of the one that it inherited from.
   * @returns {Promise<Outcome>}
   */
  async lookAtStored() {
    try {
      const stored = await this.fetchStored();
      if (this.isDirty) this.compare(stored);
      return { kind: "settled" };
    } catch (error) {
      return ServerProblem.of(error);
    }
  }

  /**
   * Whether what is not saved yet was painted upon what the server holds. If not, the person has to decide.
   * @param {Stored} stored
   */
  compare(stored) {
    const base = this.sending?.base ?? this.seq;
    const isOnItsWay = this.sending && stored.seq === base + 1 && sameBytes(this.sending.code, stored.code);
    if (this.newest && sameBytes(this.newest, stored.code)) {
      this.start(stored.seq);
      return;
    }
    if (isOnItsWay) {
      Object.assign(this, { seq: stored.seq, sending: null, problem: "" });
      this.remember();
    } else if (stored.seq === base) {
      Object.assign(this, { seq: base, problem: "" });
    } else {
      Object.assign(this, { problem: "conflict", stored, sentence: "" });
      this.remember();
      this.tell();
      return;
    }
    if (!this.isBusy) this.pump();
  }

  // ---- what tabs that are gone have left

  /**
   * @param {string} key
   * @param {UnsentRecord} record
   */
  inherit(key, record) {
    this.inherited.push({ key, record });
    this.pump();
    this.tell();
  }

  /**
   * The server has some of it after all: only the answer was lost with the tab.
   * @param {Stored} stored
   */
  dropSaved(stored) {
    /** @type {(heir: { record: UnsentRecord }) => boolean} */
    const isSaved = ({ record: { sending, next } }) => {
      const newest = next ?? sending;
      return newest !== null && sameBytes(newest.code, stored.code);
    };
    for (const { key } of this.inherited.filter(isSaved)) this.unsent.drop(key);
    this.inherited = this.inherited.filter((heir) => !isSaved(heir));
  }

  takeUp() {
    const heir = this.inherited.shift();
    if (!heir) return;
    const { base, sending, next } = heir.record;
    Object.assign(this, { sending, next });
    if (!sending) this.seq = base;
    this.remember(heir.key);
  }

  /** Only where nothing of this tab's own waits and the person is not in the middle of a stroke. */
  async lookAtInherited() {
    const mayTake = () => this.inherited.length && !this.isDirty && !this.isBusy && (this.layer?.mayTake() ?? true);
    if (!mayTake()) {
      if (this.inherited.length) this.again("offline");
      return;
    }
    this.isBusy = true;
    let stored = null;
    try {
      stored = await this.fetchStored();
    } catch (error) {
      const { kind, sentence } = ServerProblem.of(error);
      Object.assign(this, { problem: kind, sentence });
      if (kind !== "refused") this.again(kind);
    }
    this.isBusy = false;
    if (stored && mayTake()) {
      this.problem = "";
      this.dropSaved(stored);
      this.takeUp();
      const mine = this.newest;
      if (mine) this.compare(stored);
      if (mine && this.state !== "conflict") this.layer?.taken(stored.code, mine);
    } else if (stored) this.pump();
    this.tell();
  }

  // ---- waiting and telling

  /** @param {Problem} kind */
  again(kind) {
    clearTimeout(this.timer);
    const wait = kind === "sign-in" ? SIGN_IN_WAIT_MS : Math.min(LONGEST_WAIT_MS, 400 * 2 ** this.failures++);
    this.timer = setTimeout(() => this.pump(), wait * (0.8 + 0.4 * Math.random()));
  }

  tell() {
    this.changed();
    if (this.isDirty && !this.problem) return;
    for (const done of this.waiters.splice(0)) done(!this.isDirty);
  }

  /**
   * @returns {Promise<boolean>} True once all is saved, false where that has to wait or needs the person.
   */
  whenSaved() {
    if (!this.isDirty) return Promise.resolve(true);
    if (this.problem === "conflict" || this.problem === "refused") return Promise.resolve(false);
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      this.pump();
    });
  }

  /** The page goes away: what waits behind the request on its way is sent along, upon what that one will leave. */
  leave() {
    if (this.problem === "conflict" || !this.isDirty) return;
    if (!this.isBusy) this.pump();
    if (this.next && this.sending) putMask(this.documentId, { ...this.next, base: this.sending.base + 1 });
  }

  /** @param {string | null} replaced Key of a record that is now this saver's. */
  remember(replaced = null) {
    const { documentId, sending, next } = this;
    const base = sending?.base ?? this.seq;
    this.unsent.put({ documentId, base, sending, next }, { replaced, isUrgent: this.problem !== "" });
  }

  forget() {
    this.unsent.drop(this.unsent.keyOf(this.documentId));
  }
}
