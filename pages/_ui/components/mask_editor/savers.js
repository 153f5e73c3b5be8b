// The savers of all documents of this page, and when they look again: when the page comes back to the front or goes away,
// and when the network is back.

import { Saver } from "./saver.js";
import { UnsentStrokes } from "./unsent_strokes.js";

const SWEEP_EVERY_MS = 30000;

export const unsentStrokes = new UnsentStrokes();
/** @type {Map<string, Saver>} */
const savers = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {string | null} */
let sweptFor = null;

/**
 * The one saver of a document.
 * @param {string} documentId
 */
export function saverOf(documentId) {
  let saver = savers.get(documentId);
  if (!saver) {
    saver = new Saver(documentId, unsentStrokes, () => {
      for (const listener of listeners) listener();
    });
    savers.set(documentId, saver);
  }
  return saver;
}

export function allSavers() {
  return [...savers.values()];
}

/**
 * Be told whenever something of a saver has changed.
 * @param {() => void} listener
 * @returns {() => void} Ends it.
 */
export function listenToSavers(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Look for strokes that closed tabs have left of a person's masks, now and every half minute from now on.
 * @param {string} personId
 */
export async function sweep(personId) {
  sweptFor = personId;
  try {
    await unsentStrokes.sweep(personId, (key, record) => saverOf(record.documentId).inherit(key, record));
  } catch (error) {
    unsentStrokes.failed(error);
  }
}

setInterval(() => sweptFor && sweep(sweptFor), SWEEP_EVERY_MS);

function pumpAll() {
  for (const saver of savers.values()) if (saver.isDirty || saver.inherited.length) saver.pump();
}

addEventListener("online", pumpAll);
addEventListener("focus", pumpAll);
addEventListener("visibilitychange", pumpAll);
addEventListener("pagehide", () => {
  for (const saver of savers.values()) saver.leave();
});
// Strokes outlive the tab; a person who leaves while some still wait is asked all the same.
addEventListener("beforeunload", (event) => {
  const waiting = allSavers().filter((saver) => saver.isDirty);
  // A sign-in that is over leads to the sign-in page, and the strokes that are kept here are sent after it.
  const isInDoubt = (/** @type {Saver} */ saver) => saver.problem && saver.problem !== "sign-in";
  if (waiting.some((saver) => isInDoubt(saver) || unsentStrokes.isBroken)) event.preventDefault();
});
