// How saving stands, in the words that the person reads.

import { part } from "../shared/dom.js";
import { allSavers, unsentStrokes } from "./savers.js";

/** @import { MaskEditor } from "./editor.js" */
/** @import { Saver } from "./saver.js" */
/** @typedef {"loading" | "saved" | "saving" | "offline" | "sign-in" | "conflict" | "refused" | "elsewhere"} SavingState */
/**
 * All documents together; `imageId` where the person has to go to another image.
 * @typedef {{ state: SavingState, steps: number, sentence: string, imageId: string | null }} Standing
 */

/** @type {Set<SavingState>} */
const NEEDS_PERSON = new Set(["conflict", "refused"]);
/** @type {Saver["state"][]} The foremost first. */
const UNSAVED = ["conflict", "refused", "sign-in", "offline", "saving"];

/**
 * What needs the person on another image does not hide how it stands with the image that is open.
 * @param {Saver[]} savers
 * @param {Set<Saver>} shown Those of the image that is open.
 * @returns {Standing}
 */
function stateOfAll(savers, shown) {
  const steps = savers.reduce((sum, saver) => sum + saver.stepsKept, 0);
  for (const state of UNSAVED) {
    const isOfImage = NEEDS_PERSON.has(state);
    const saver = savers.find((each) => each.state === state && (shown.has(each) || !isOfImage));
    if (saver) return { state, steps, sentence: saver.sentence, imageId: null };
  }
  const waiting = savers.find((saver) => NEEDS_PERSON.has(saver.state));
  return { state: waiting ? "elsewhere" : "saved", steps, sentence: "", imageId: waiting ? imageOf(waiting) : null };
}

/**
 * No answer, or one that says why the server cannot keep it for now, such as on a full disk.
 * @param {Standing} all
 * @param {string} kept
 */
function offlineWords({ sentence, steps }, kept) {
  if (sentence) return steps ? `Not saved yet: ${kept}. ${sentence}` : sentence;
  return steps ? `Offline: ${kept}` : "Offline. Trying again…";
}

/** @param {Saver} saver */
function imageOf(saver) {
  return /^i(\d+)-/.exec(saver.documentId)?.[1] ?? null;
}

/** @param {MaskEditor} editor */
export function showSaving(editor) {
  const all = stateOfAll(allSavers(), new Set(editor.layers.map((layer) => layer.saver)));
  const isLoading = editor.layers.some((layer) => layer.isWaiting);
  const problem = editor.loading.problem;
  if (problem && all.state === "saved") Object.assign(all, { state: problem.kind, sentence: problem.sentence });
  else if (isLoading && all.state === "saved") all.state = "loading";
  const count = all.steps === 1 ? "1 stroke" : `${all.steps} strokes`;
  const kept = `${count} kept${unsentStrokes.isBroken ? " in this tab alone: leave it open" : ""}`;
  const words = {
    loading: "Loading…",
    saved: "Saved",
    saving: "Saving…",
    offline: offlineWords(all, kept),
    "sign-in": all.steps ? `Signed out: ${kept}.` : "Signed out.",
    conflict: "Changed elsewhere",
    refused: all.steps ? `Not saved. ${all.sentence}` : all.sentence,
    elsewhere: "Saved here. Strokes on another image wait for you.",
  };
  const line = part(editor.root, ".state");
  line.dataset.state = all.state;
  const [text, link] = [part(line, "span"), part(line, "a", HTMLAnchorElement)];
  if (text.textContent !== words[all.state]) text.textContent = words[all.state];
  const isSignedOut = all.state === "sign-in";
  link.hidden = !isSignedOut && !all.imageId;
  if (link.hidden) return;
  link.textContent = isSignedOut ? "Sign in again" : "Open that image";
  link.setAttribute("href", isSignedOut ? "/login" : `/annotate?image=${all.imageId}`);
  link.target = isSignedOut ? "_blank" : "";
}
