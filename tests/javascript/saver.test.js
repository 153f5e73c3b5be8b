import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Saver } from "../../pages/_ui/components/mask_editor/saver.js";
import { seeded } from "./random.js";

const DOCUMENT = "i7-p3-acetowhite";
const ONE_STROKE = { strokes: 1, activeMs: 10 };
const code = (...bytes) => Uint8Array.from(bytes);
/** Whatever is under way comes as far as it can without a timer. */
const settled = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

/** The server's side of one document; `faults` says what becomes of the next requests, and `held` keeps answers back. */
class Server {
  seq = 0;
  code = code(9);
  strokes = 0;
  faults = [];
  requests = [];
  held = null;

  async fetch(url, options = {}) {
    const fault = this.faults.shift();
    if (fault === "unreachable") throw new TypeError("Failed to fetch");
    if (typeof fault === "number") return answer(fault, { error: `refused with ${fault}` });
    const reply =
      options.method === "PUT" ? this.put(new URL(url, "http://clinic").searchParams, options.body) : this.get();
    if (this.held) await this.held;
    if (fault === "answer lost") throw new TypeError("Failed to fetch");
    return reply;
  }

  get() {
    const rle = Buffer.from(this.code).toString("base64");
    return answer(200, { seq: this.seq, rle, changed: true, version_number: null });
  }

  put(query, body) {
    const base = Number(query.get("base_seq"));
    this.requests.push({ base, code: [...body], strokes: Number(query.get("strokes")) });
    const isKnown = base === this.seq - 1 && Buffer.compare(body, this.code) === 0;
    if (isKnown) return answer(200, { seq: this.seq });
    if (base !== this.seq) return answer(409, { error: "changed elsewhere" });
    this.seq += 1;
    this.code = body;
    this.strokes += Number(query.get("strokes"));
    return answer(200, { seq: this.seq });
  }
}

function answer(status, said) {
  return { ok: status < 400, status, json: async () => said };
}

/** The browser's database, as a map. */
class Unsent {
  records = new Map();

  keyOf(documentId) {
    return `${documentId} this-tab`;
  }

  put(record, { replaced = null } = {}) {
    this.records.set(this.keyOf(record.documentId), record);
    if (replaced) this.records.delete(replaced);
  }

  drop(key) {
    this.records.delete(key);
  }

  get newest() {
    const record = this.records.get(this.keyOf(DOCUMENT));
    return record && [...(record.next ?? record.sending).code];
  }
}

let server;
let unsent;
let saver;
const fetchOfNode = globalThis.fetch;

beforeEach(() => {
  server = new Server();
  unsent = new Unsent();
  globalThis.fetch = (url, options) => server.fetch(url, options);
  saver = new Saver(DOCUMENT, unsent, () => {});
});

afterEach(() => {
  clearTimeout(saver.timer);
  globalThis.fetch = fetchOfNode;
});

async function loaded() {
  const begun = await saver.load();
  assert.deepEqual([...begun.code], [9]);
  return saver;
}

/** A promise, and what resolves it. */
function gate() {
  let open;
  const promise = new Promise((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

test("a stroke is kept in the same task, sent, and forgotten once it is saved", async () => {
  await loaded();
  saver.step(code(1), ONE_STROKE);
  assert.deepEqual(unsent.newest, [1]);
  assert.equal(saver.state, "saving");
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual([...server.code], [1]);
  assert.equal(unsent.records.size, 0);
  assert.equal(saver.state, "saved");
});

test("one request at a time, and then the newest mask with all strokes that led to it", async () => {
  await loaded();
  const { promise, open } = gate();
  server.held = promise;
  for (const byte of [1, 2, 3]) saver.step(code(byte), ONE_STROKE);
  saver.step(code(2), { strokes: 0, activeMs: 5 });
  await settled();
  assert.equal(server.requests.length, 1);
  assert.equal(saver.stepsKept, 4);
  assert.deepEqual(saver.unsaved, { strokes: 3, activeMs: 35 });
  assert.deepEqual(unsent.newest, [2]);
  server.held = null;
  open();
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual(server.requests, [
    { base: 0, code: [1], strokes: 1 },
    { base: 1, code: [2], strokes: 2 },
  ]);
  assert.equal(unsent.records.size, 0);
});

test("what is on its way stays the same until there is an answer", async () => {
  await loaded();
  server.faults = ["answer lost"];
  saver.step(code(1), ONE_STROKE);
  await settled();
  assert.equal(saver.state, "offline");
  saver.step(code(2), ONE_STROKE);
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual(
    server.requests.map((request) => request.code),
    [[1], [1], [2]],
  );
  assert.equal(server.seq, 2);
  assert.equal(server.strokes, 2);
});

test("a server that is away, busy or has ended the sign-in gets it later", async () => {
  await loaded();
  for (const [fault, state] of [
    ["unreachable", "offline"],
    [503, "offline"],
    [429, "offline"],
    [401, "sign-in"],
  ]) {
    server.faults = [fault];
    saver.step(code(server.seq + 1), ONE_STROKE);
    await settled();
    assert.equal(saver.state, state);
    assert.equal(await saver.whenSaved(), true);
    assert.equal(saver.state, "saved");
  }
  assert.equal(server.strokes, 4);
});

test("a full disk is told in the server's words, and the stroke is sent again once there is room", async () => {
  await loaded();
  server.faults = [507];
  saver.step(code(1), ONE_STROKE);
  await settled();
  assert.equal(saver.state, "offline");
  assert.equal(saver.sentence, "refused with 507");
  assert.deepEqual(unsent.newest, [1]);
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual([saver.state, saver.sentence], ["saved", ""]);
});

test("a refused mask is told and kept, and the next stroke is sent in its place", async () => {
  await loaded();
  server.faults = [413];
  saver.step(code(1), ONE_STROKE);
  assert.equal(await saver.whenSaved(), false);
  assert.equal(saver.state, "refused");
  assert.equal(saver.sentence, "refused with 413");
  assert.deepEqual(unsent.newest, [1]);
  assert.equal(await saver.whenSaved(), false, "also when asked again");
  saver.step(code(2), ONE_STROKE);
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual([...server.code], [2]);
});

test("a mask that was changed elsewhere is asked about, and neither side is lost", async () => {
  await loaded();
  Object.assign(server, { seq: 5, code: code(8) });
  saver.step(code(1), ONE_STROKE);
  await settled();
  assert.equal(saver.state, "conflict");
  assert.deepEqual([...saver.stored.code], [8]);
  assert.deepEqual(unsent.newest, [1]);
  await saver.pump();
  assert.equal(await saver.whenSaved(), false, "who waits for it is told at once that the person has to decide");
  assert.deepEqual([...server.code], [8], "nothing is sent before the person has decided");
  saver.start(saver.stored.seq);
  saver.step(code(1, 8), ONE_STROKE);
  assert.equal(await saver.whenSaved(), true);
  assert.deepEqual([...server.code], [1, 8]);
});

test("where the server has the very same mask, there is no conflict", async () => {
  await loaded();
  Object.assign(server, { seq: 5, code: code(1) });
  saver.step(code(1), ONE_STROKE);
  await settled();
  assert.equal(saver.state, "saved");
  assert.equal(saver.seq, 5);
});

test("a page that goes away sends what waits behind the request on its way", async () => {
  await loaded();
  const { promise, open } = gate();
  server.held = promise;
  saver.step(code(1), ONE_STROKE);
  saver.step(code(2), ONE_STROKE);
  saver.leave();
  await settled();
  assert.deepEqual(
    server.requests.map(({ base, code: sent }) => [base, ...sent]),
    [
      [0, 1],
      [1, 2],
    ],
  );
  assert.equal(server.seq, 2);
  open();
});

test("what a closed tab has left is sent, and shown as a step", async () => {
  await loaded();
  const taken = [];
  saver.layer = { mayTake: () => true, taken: (stored, mine) => taken.push([...stored], [...mine]) };
  const next = { code: code(4), strokes: 2, steps: 2, activeMs: 30 };
  unsent.records.set("left", { documentId: DOCUMENT, base: 0, sending: null, next });
  saver.inherit("left", unsent.records.get("left"));
  assert.equal(saver.stepsKept, 2);
  await settled();
  assert.deepEqual(taken, [[9], [4]]);
  assert.deepEqual([...server.code], [4]);
  assert.equal(server.strokes, 2);
  assert.equal(unsent.records.size, 0);
});

test("what a closed tab has left waits for a person who paints", async () => {
  await loaded();
  let isPainting = true;
  saver.layer = { mayTake: () => !isPainting, taken: () => {} };
  const next = { code: code(4), strokes: 1, steps: 1, activeMs: 30 };
  saver.inherit("left", { documentId: DOCUMENT, base: 0, sending: null, next });
  await settled();
  assert.equal(server.seq, 0);
  assert.equal(saver.state, "saving");
  isPainting = false;
  await saver.pump();
  await settled();
  assert.deepEqual([...server.code], [4]);
});

test("where only the answer was lost with the tab, what it left is dropped", async () => {
  Object.assign(server, { seq: 3, code: code(4) });
  const sending = { code: code(4), strokes: 1, steps: 1, activeMs: 30, base: 2 };
  unsent.records.set("left", { documentId: DOCUMENT, base: 2, sending, next: null });
  saver.inherit("left", unsent.records.get("left"));
  await settled();
  assert.equal(saver.state, "saved");
  assert.equal(server.requests.length, 0);
  assert.equal(unsent.records.size, 0);
});

test("an editor begins with what the server holds and what is still to be saved upon it", async () => {
  const next = { code: code(4), strokes: 1, steps: 1, activeMs: 30 };
  saver.inherited.push({ key: "left", record: { documentId: DOCUMENT, base: 0, sending: null, next } });
  const begun = await saver.load();
  assert.deepEqual([[...begun.code], [...begun.mine]], [[9], [4]]);
  assert.equal(await saver.whenSaved(), true);
  server.faults = ["unreachable"];
  saver.step(code(5), ONE_STROKE);
  assert.deepEqual([...(await saver.load()).code], [5], "not asked for while something is unsaved");
});

test("a server that answers with nonsense counts as one that is away", async () => {
  globalThis.fetch = async () => ({ ok: true, status: 200, json: () => Promise.reject(new SyntaxError("no JSON")) });
  await assert.rejects(saver.load(), (problem) => problem.kind === "offline");
});

test("whatever becomes of requests and answers, every stroke arrives once", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    server = new Server();
    unsent = new Unsent();
    saver = new Saver(DOCUMENT, unsent, () => {});
    await loaded();
    const random = seeded(seed);
    const kinds = ["unreachable", "answer lost", 503, 401, undefined, undefined];
    server.faults = Array.from({ length: 40 }, () => kinds[Math.floor(random() * kinds.length)]);
    for (let stroke = 1; stroke <= 12; stroke++) {
      saver.step(code(stroke), ONE_STROKE);
      assert.deepEqual(unsent.newest, [stroke]);
      if (random() < 0.6) await settled();
      if (random() < 0.5) saver.pump();
    }
    while (saver.isDirty) {
      await saver.pump();
      await settled();
    }
    clearTimeout(saver.timer);
    assert.deepEqual([...server.code], [12], `seed ${seed}`);
    assert.equal(server.strokes, 12, `seed ${seed}`);
    assert.equal(unsent.records.size, 0);
  }
});
