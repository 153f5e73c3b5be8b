// Saving strokes: one request at a time, the newest mask next, each sent again until the server has answered.
//
// What is on its way stays the same until there is an answer: if only the answer was lost, the server knows the
// content again and acknowledges it. A saver belongs to a document, not to an editor, and goes on when the page
// shows something else. What is not acknowledged also lies in the tab's own storage, so that a reload finds it.

const SAVERS = new Map();
const KEEPALIVE_BYTES = 60000;
const ANSWER_WITHIN_MS = 20000;
const LONGEST_WAIT_MS = 10000;
const SIGN_IN_WAIT_MS = 3000;

class Saver {
  static of(documentId, url) {
    if (!SAVERS.has(documentId)) SAVERS.set(documentId, new Saver(documentId, url));
    return SAVERS.get(documentId);
  }

  constructor(documentId, url) {
    this.storageKey = `colpo-mask:${documentId}`;
    this.url = url;
    this.seq = null;
    this.sending = null;
    this.next = null;
    this.isBusy = false;
    this.failures = 0;
    this.timer = 0;
    this.problem = "";
    this.sentence = "";
    this.listener = () => {};
    this.waiters = [];
  }

  get newest() {
    return this.next?.code ?? this.sending?.code ?? null;
  }

  get isDirty() {
    return this.newest !== null;
  }

  get strokesKept() {
    return (this.sending?.strokes ?? 0) + (this.next?.strokes ?? 0);
  }

  // saved, saving, offline, sign-in, conflict or refused
  get state() {
    return this.problem || (this.isDirty ? "saving" : "saved");
  }

  // What the server holds, or what this tab still has to save upon it. Returns { code, isConflict }.
  async load() {
    if (this.isDirty && this.problem !== "conflict") return { code: this.newest, isConflict: false };
    const stored = await this.fetchStored();
    const kept = this.recall();
    this.start(stored.seq);
    if (!kept || sameBytes(kept.newest, stored.code)) {
      this.forget();
      return { code: stored.code, isConflict: false };
    }
    const isOurs = kept.sending !== null && kept.base + 1 === stored.seq && sameBytes(kept.sending, stored.code);
    if (!isOurs && kept.base !== stored.seq) {
      this.forget();
      return { code: stored.code, isConflict: true, mine: kept.newest };
    }
    this.stroke(kept.newest);
    return { code: stored.code, isConflict: false, mine: kept.newest };
  }

  async fetchStored() {
    const answer = await fetch(this.url, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) throw await refusalOf(answer);
    const stored = await answer.json();
    return { seq: stored.seq, code: bytesFromBase64(stored.rle) };
  }

  // Begin anew upon what the server holds; what was not saved is no longer sent.
  start(seq) {
    clearTimeout(this.timer);
    Object.assign(this, { seq, sending: null, next: null, failures: 0, problem: "", sentence: "" });
    this.tell();
  }

  stroke(code) {
    this.next = { code, strokes: (this.next?.strokes ?? 0) + 1 };
    if (this.problem === "refused") Object.assign(this, { problem: "", sending: null });
    this.remember();
    this.pump();
    this.tell();
  }

  async pump() {
    if (this.isBusy || this.problem === "conflict" || this.problem === "refused") return;
    clearTimeout(this.timer);
    if (!this.sending) {
      if (!this.next) return;
      this.sending = { ...this.next, base: this.seq };
      this.next = null;
      this.remember();
    }
    this.isBusy = true;
    const sent = this.sending;
    const outcome = await this.put(sent);
    this.isBusy = false;
    if (this.sending !== sent) this.pump();
    else this.settle(outcome);
    this.tell();
  }

  async put({ code, base }) {
    try {
      const answer = await fetch(`${this.url}?base_seq=${base}`, {
        method: "PUT",
        body: code,
        headers: { "content-type": "application/octet-stream" },
        keepalive: code.length <= KEEPALIVE_BYTES,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (answer.ok) return { kind: "saved", seq: (await answer.json()).seq };
      return await refusalOf(answer);
    } catch (error) {
      return { kind: "offline", sentence: String(error) };
    }
  }

  settle(outcome) {
    if (outcome.kind === "saved") {
      Object.assign(this, { seq: outcome.seq, sending: null, failures: 0, problem: "", sentence: "" });
      if (this.isDirty) {
        this.remember();
        this.pump();
      } else this.forget();
      return;
    }
    this.problem = outcome.kind;
    this.sentence = outcome.sentence;
    if (outcome.kind === "offline") this.again(Math.min(LONGEST_WAIT_MS, 400 * 2 ** this.failures++));
    if (outcome.kind === "sign-in") this.again(SIGN_IN_WAIT_MS);
    if (outcome.kind === "refused" && this.next) {
      Object.assign(this, { problem: "", sending: null });
      this.pump();
    }
  }

  again(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), milliseconds * (0.8 + 0.4 * Math.random()));
  }

  tell() {
    this.listener();
    if (this.isDirty && !["conflict", "refused"].includes(this.problem)) return;
    for (const done of this.waiters.splice(0)) done(!this.isDirty);
  }

  // Resolves to true once all is saved, to false where that needs the person.
  whenSaved() {
    if (!this.isDirty) return Promise.resolve(true);
    this.pump();
    return new Promise((done) => this.waiters.push(done));
  }

  // The page goes away: what waits behind the request on its way is sent along, upon what that one will leave.
  leave() {
    if (this.problem === "conflict") return;
    if (!this.isBusy) this.pump();
    if (this.next && this.sending && this.next.code.length <= KEEPALIVE_BYTES) {
      this.put({ code: this.next.code, base: this.sending.base + 1 });
    }
  }

  remember() {
    const kept = {
      base: this.sending?.base ?? this.seq,
      sending: this.sending && base64FromBytes(this.sending.code),
      newest: base64FromBytes(this.newest),
    };
    try {
      sessionStorage.setItem(this.storageKey, JSON.stringify(kept));
    } catch (error) {
      console.warn("This tab cannot keep unsaved strokes over a reload.", error);
    }
  }

  recall() {
    const text = sessionStorage.getItem(this.storageKey);
    if (!text) return null;
    const kept = JSON.parse(text);
    return {
      base: kept.base,
      sending: kept.sending && bytesFromBase64(kept.sending),
      newest: bytesFromBase64(kept.newest),
    };
  }

  forget() {
    sessionStorage.removeItem(this.storageKey);
  }
}

async function refusalOf(answer) {
  if (answer.status === 401) return { kind: "sign-in", sentence: "" };
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return { kind: "offline", sentence: "" };
  const said = await answer.json().catch(() => null);
  const sentence = said?.error ?? `The server refused the mask (${answer.status}).`;
  return { kind: answer.status === 409 ? "conflict" : "refused", sentence };
}

function pumpAll() {
  for (const saver of SAVERS.values()) if (saver.isDirty) saver.pump();
}

addEventListener("online", pumpAll);
addEventListener("focus", pumpAll);
addEventListener("visibilitychange", pumpAll);
addEventListener("pagehide", () => {
  for (const saver of SAVERS.values()) if (saver.isDirty) saver.leave();
});
addEventListener("beforeunload", (event) => {
  if ([...SAVERS.values()].some((saver) => saver.isDirty)) event.preventDefault();
});
