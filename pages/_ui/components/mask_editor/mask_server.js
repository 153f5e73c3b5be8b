// Masks to and from the server, by their documents.

import { bytesFromBase64 } from "./codec.js";

/**
 * A mask that the server has not confirmed, with what led to it: strokes, steps (strokes, and those back and forth), and
 * the time of painting.
 * @typedef {{ code: Uint8Array, strokes: number, steps: number, activeMs: number }} Part
 */
/** @typedef {Part & { base: number }} Sending A part on its way, with the sequence that it was painted upon. */
/**
 * What the server holds of a document.
 * @typedef {{ seq: number, code: Uint8Array, changed: boolean, versionNumber: number | null }} Stored
 */
/** @typedef {"offline" | "sign-in" | "conflict" | "refused"} Problem */
/** @typedef {{ kind: "saved", seq: number } | { kind: "settled" } | ServerProblem} Outcome */

const KEEPALIVE_BYTES = 60000;
const ANSWER_WITHIN_MS = 20000;
let keepaliveBytes = 0;

/** Why the server did not take or give a mask; `sentence` is its own, and empty where none came. */
export class ServerProblem extends Error {
  /**
   * @param {Problem} kind
   * @param {string} sentence
   */
  constructor(kind, sentence) {
    super(sentence || kind);
    this.kind = kind;
    this.sentence = sentence;
  }

  /**
   * @param {unknown} error
   * @returns {ServerProblem} Anything unforeseen counts as a server that cannot be reached: it is tried again.
   */
  static of(error) {
    return error instanceof ServerProblem ? error : new ServerProblem("offline", "");
  }
}

/** @param {string} documentId */
function urlOf(documentId) {
  return `/colpo/annotations/${documentId}`;
}

/**
 * What the server holds of a document.
 * @param {string} documentId
 * @returns {Promise<Stored>}
 * @throws {ServerProblem}
 */
export async function fetchStored(documentId) {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(urlOf(documentId), { cache: "no-store", signal });
    if (!answer.ok) throw await refusalOf(answer);
    const { seq, rle, changed, version_number: versionNumber } = await answer.json();
    return { seq, code: bytesFromBase64(rle), changed, versionNumber };
  } catch (error) {
    throw ServerProblem.of(error);
  }
}

/**
 * Save a mask. As far as the browser allows, the request outlives the page.
 * @param {string} documentId
 * @param {Sending} sent
 * @returns {Promise<Outcome>}
 */
export async function putMask(documentId, { code, base, strokes, activeMs }) {
  const isKeptAlive = keepaliveBytes + code.length <= KEEPALIVE_BYTES;
  if (isKeptAlive) keepaliveBytes += code.length;
  try {
    const answer = await fetch(`${urlOf(documentId)}?base_seq=${base}&strokes=${strokes}&active_ms=${activeMs}`, {
      method: "PUT",
      body: /** @type {Uint8Array<ArrayBuffer>} */ (code),
      headers: { "content-type": "application/octet-stream" },
      keepalive: isKeptAlive,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (answer.ok) return { kind: "saved", seq: (await answer.json()).seq };
    return await refusalOf(answer);
  } catch (error) {
    return ServerProblem.of(error);
  } finally {
    if (isKeptAlive) keepaliveBytes -= code.length;
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<ServerProblem>}
 */
async function refusalOf(answer) {
  if (answer.status === 401) return new ServerProblem("sign-in", "");
  const said = await answer.json().catch(() => null);
  // The server lives but cannot keep it, such as on a full disk: tried again, and said.
  if (answer.status === 503 || answer.status === 507) return new ServerProblem("offline", said?.error ?? "");
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return new ServerProblem("offline", "");
  const sentence = said?.error ?? `The server refused the mask (${answer.status}).`;
  return new ServerProblem(answer.status === 409 ? "conflict" : "refused", sentence);
}
