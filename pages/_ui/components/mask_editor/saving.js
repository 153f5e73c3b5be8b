// Saving strokes: one request at a time for each document, the newest mask next, each sent again until the server has
// answered.
//
// What is on its way stays the same until there is an answer: if only the answer was lost, the server knows the
// content again and acknowledges it. A saver belongs to a document, not to an editor, and goes on when the page
// shows something else. What is not acknowledged also lies in the browser's database (kept.js): a reload finds it,
// and so does the next tab after this one was closed.

const SAVERS = new Map();
const KEEPALIVE_BYTES = 60000;
const ANSWER_WITHIN_MS = 20000;
const LONGEST_WAIT_MS = 10000;
const SIGN_IN_WAIT_MS = 3000;
const SWEEP_EVERY_MS = 30000;
const MAX_STROKES = 10000;
const MAX_ACTIVE_MS = 3600000;
const LISTENERS = new Set();
let keepaliveBytes = 0;
let sweptFor = null;

class Saver {
  static of(documentId) {
    if (!SAVERS.has(documentId)) SAVERS.set(documentId, new Saver(documentId));
    return SAVERS.get(documentId);
  }

  constructor(documentId) {
    this.documentId = documentId;
    this.url = `/colpo/annotations/${documentId}`;
    this.seq = null;
    // Each of the two: { code, strokes, steps, activeMs }, and `base` once it is on its way.
    this.sending = null;
    this.next = null;
    this.inherited = [];
    this.isBusy = false;
    this.failures = 0;
    this.timer = 0;
    this.problem = "";
    this.sentence = "";
    // What the server holds where that is not what this tab painted upon.
    this.stored = null;
    this.layer = null;
    this.waiters = [];
  }

  get newest() {
    return this.next?.code ?? this.sending?.code ?? null;
  }

  get isDirty() {
    return this.newest !== null;
  }

  // Strokes and time that the server has not counted.
  get unsaved() {
    const sum = (name) => (this.sending?.[name] ?? 0) + (this.next?.[name] ?? 0);
    return { strokes: sum("strokes"), activeMs: sum("activeMs") };
  }

  // Strokes and steps back and forth that the server has not confirmed.
  get stepsKept() {
    const inherited = this.inherited.flatMap(({ record }) => [record.sending, record.next]);
    return [this.sending, this.next, ...inherited].reduce((sum, part) => sum + (part?.steps ?? 0), 0);
  }

  // saved, saving, offline, sign-in, conflict or refused
  get state() {
    return this.problem || (this.isDirty || this.inherited.length ? "saving" : "saved");
  }

  // What the server holds, and what this tab or one that is gone still has to save upon it:
  // { code, mine or null, changed, versionNumber }. A conflict is found here and told by `problem`.
  async load() {
    if (this.isDirty && this.problem !== "conflict") return { code: this.newest, mine: null, changed: true };
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

  async fetchStored() {
    let answer;
    try {
      answer = await fetch(this.url, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    } catch (error) {
      throw { kind: "offline", sentence: String(error) };
    }
    if (!answer.ok) throw await refusalOf(answer);
    const said = await answer.json();
    return {
      seq: said.seq,
      code: bytesFromBase64(said.rle),
      changed: said.changed,
      versionNumber: said.version_number,
    };
  }

  // Begin anew upon what the server holds; what was not saved is no longer sent.
  start(seq) {
    clearTimeout(this.timer);
    const wasDirty = this.isDirty;
    Object.assign(this, { seq, sending: null, next: null, failures: 0, problem: "", sentence: "", stored: null });
    if (wasDirty) this.forget();
    this.tell();
  }

  // One more step of the person: `strokes` is 1 for a stroke, 0 for one back or forth.
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
    if (!this.sending) {
      this.sending = { ...this.next, base: this.seq };
      this.next = null;
      this.remember();
    }
    this.isBusy = true;
    const sent = this.sending;
    const outcome = await this.put(sent);
    if (outcome.kind === "conflict" && this.sending === sent) await this.lookAtStored(outcome);
    this.isBusy = false;
    if (outcome.kind === "settled") this.again("offline");
    else if (this.sending !== sent) this.pump();
    else this.settle(outcome);
    this.tell();
  }

  async put({ code, base, strokes, activeMs }) {
    const isKeptAlive = keepaliveBytes + code.length <= KEEPALIVE_BYTES;
    if (isKeptAlive) keepaliveBytes += code.length;
    try {
      const answer = await fetch(`${this.url}?base_seq=${base}&strokes=${strokes}&active_ms=${activeMs}`, {
        method: "PUT",
        body: code,
        headers: { "content-type": "application/octet-stream" },
        keepalive: isKeptAlive,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (answer.ok) return { kind: "saved", seq: (await answer.json()).seq };
      return await refusalOf(answer);
    } catch (error) {
      return { kind: "offline", sentence: String(error) };
    } finally {
      if (isKeptAlive) keepaliveBytes -= code.length;
    }
  }

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

  // The server has another sequence. Perhaps only answers were lost, of this tab or of the one that it inherited from.
  async lookAtStored(outcome) {
    try {
      const stored = await this.fetchStored();
      outcome.kind = "settled";
      if (this.isDirty) this.compare(stored);
    } catch (problem) {
      Object.assign(outcome, problem);
    }
  }

  // Whether what is not saved yet was painted upon what the server holds. If not, the person has to decide.
  compare(stored) {
    const base = this.sending?.base ?? this.seq;
    const isOnItsWay = this.sending && stored.seq === base + 1 && sameBytes(this.sending.code, stored.code);
    if (sameBytes(this.newest, stored.code)) {
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

  inherit(key, record) {
    this.inherited.push({ key, record });
    this.pump();
    this.tell();
  }

  // The server has some of it after all: only the answer was lost with the tab.
  dropSaved(stored) {
    const isSaved = ({ record }) => sameBytes((record.next ?? record.sending).code, stored.code);
    for (const { key } of this.inherited.filter(isSaved)) KEPT.drop(key);
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

  // Only where nothing of this tab's own waits and the person is not in the middle of a stroke.
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
    } catch (problem) {
      Object.assign(this, { problem: problem.kind, sentence: problem.sentence });
      if (problem.kind !== "refused") this.again(problem.kind);
    }
    this.isBusy = false;
    if (stored && mayTake()) {
      this.problem = "";
      this.dropSaved(stored);
      this.takeUp();
      const mine = this.newest;
      if (mine) this.compare(stored);
      if (mine && this.problem !== "conflict") this.layer?.taken(stored.code, mine);
    } else if (stored) this.pump();
    this.tell();
  }

  // ---- waiting and telling

  again(kind) {
    clearTimeout(this.timer);
    const wait = kind === "sign-in" ? SIGN_IN_WAIT_MS : Math.min(LONGEST_WAIT_MS, 400 * 2 ** this.failures++);
    this.timer = setTimeout(() => this.pump(), wait * (0.8 + 0.4 * Math.random()));
  }

  tell() {
    for (const listener of LISTENERS) listener();
    if (this.isDirty && !this.problem) return;
    for (const done of this.waiters.splice(0)) done(!this.isDirty);
  }

  // Resolves to true once all is saved, to false where that has to wait or needs the person.
  whenSaved() {
    if (!this.isDirty) return Promise.resolve(true);
    return new Promise((done) => {
      this.waiters.push(done);
      this.pump();
    });
  }

  // The page goes away: what waits behind the request on its way is sent along, upon what that one will leave.
  leave() {
    if (this.problem === "conflict" || !this.isDirty) return;
    if (!this.isBusy) this.pump();
    if (this.next && this.sending) this.put({ ...this.next, base: this.sending.base + 1 });
  }

  remember(replaced = null) {
    const { documentId, sending, next } = this;
    const base = sending?.base ?? this.seq;
    KEPT.put({ documentId, base, sending, next }, { replaced, isUrgent: this.problem !== "" });
  }

  forget() {
    KEPT.drop(KEPT.keyOf(this.documentId));
  }
}

async function refusalOf(answer) {
  if (answer.status === 401) return { kind: "sign-in", sentence: "" };
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return { kind: "offline", sentence: "" };
  const said = await answer.json().catch(() => null);
  const sentence = said?.error ?? `The server refused the mask (${answer.status}).`;
  return { kind: answer.status === 409 ? "conflict" : "refused", sentence };
}

// Look for strokes that closed tabs have left of a person's masks, now and every half minute from now on.
async function sweep(personId) {
  sweptFor = personId;
  try {
    await KEPT.sweep(personId, (key, record) => Saver.of(record.documentId).inherit(key, record));
  } catch (error) {
    KEPT.failed(error);
  }
}

setInterval(() => sweptFor && sweep(sweptFor), SWEEP_EVERY_MS);

function pumpAll() {
  for (const saver of SAVERS.values()) if (saver.isDirty || saver.inherited.length) saver.pump();
}

addEventListener("online", pumpAll);
addEventListener("focus", pumpAll);
addEventListener("visibilitychange", pumpAll);
addEventListener("pagehide", () => {
  for (const saver of SAVERS.values()) saver.leave();
});
// Strokes outlive the tab; a person who leaves while some still wait is asked all the same.
addEventListener("beforeunload", (event) => {
  const waiting = [...SAVERS.values()].filter((saver) => saver.isDirty);
  // A sign-in that is over leads to the sign-in page, and the strokes that are kept here are sent after it.
  const isInDoubt = (saver) => saver.problem && saver.problem !== "sign-in";
  if (waiting.some((saver) => isInDoubt(saver) || KEPT.isBroken)) event.preventDefault();
});
