// How saving stands, in the words that the person reads; and how long the person has painted.

const NEEDS_PERSON = new Set(["conflict", "refused"]);
const LONGEST_PAUSE_MS = 20000;
const CLOCK_EVENTS = ["pointerdown", "pointermove", "pointerup", "wheel", "keydown", "keyup"];

// All documents together: { state, steps, sentence, imageId }; `imageId` where the person has to go to another image.
// What needs the person there does not hide how it stands with the image that is open.
function stateOfAll(shown) {
  const savers = [...SAVERS.values()];
  const steps = savers.reduce((sum, saver) => sum + saver.stepsKept, 0);
  for (const state of ["conflict", "refused", "sign-in", "offline", "saving"]) {
    const isOfImage = NEEDS_PERSON.has(state);
    const saver = savers.find((one) => one.state === state && (shown.has(one) || !isOfImage));
    if (saver) return { state, steps, sentence: saver.sentence, imageId: null };
  }
  const waiting = savers.find((one) => NEEDS_PERSON.has(one.state));
  return { state: waiting ? "elsewhere" : "saved", steps, sentence: "", imageId: waiting ? imageOf(waiting) : null };
}

function imageOf(saver) {
  return /^i(\d+)-/.exec(saver.documentId)[1];
}

function showSaving(editor) {
  const all = stateOfAll(new Set(editor.layers.map((layer) => layer.saver)));
  const isLoading = editor.layers.some((layer) => layer.isWaiting);
  const problem = editor.loadProblem;
  if (problem && all.state === "saved") Object.assign(all, { state: problem.kind, sentence: problem.sentence });
  else if (isLoading && all.state === "saved") all.state = "loading";
  const count = all.steps === 1 ? "1 stroke" : `${all.steps} strokes`;
  const kept = `${count} kept${KEPT.isBroken ? " in this tab alone: leave it open" : ""}`;
  const words = {
    loading: "Loading…",
    saved: "Saved",
    saving: "Saving…",
    offline: all.steps ? `Offline: ${kept}` : "Offline. Trying again…",
    "sign-in": all.steps ? `Signed out: ${kept}.` : "Signed out.",
    conflict: "Changed elsewhere",
    refused: all.steps ? `Not saved. ${all.sentence}` : all.sentence,
    elsewhere: "Saved here. Strokes on another image wait for you.",
  };
  const place = editor.root.querySelector(".state");
  place.dataset.state = all.state;
  const [text, link] = [place.querySelector("span"), place.querySelector("a")];
  if (text.textContent !== words[all.state]) text.textContent = words[all.state];
  const isSignedOut = all.state === "sign-in";
  link.hidden = !isSignedOut && !all.imageId;
  if (link.hidden) return;
  link.textContent = isSignedOut ? "Sign in again" : "Open that image";
  link.setAttribute("href", isSignedOut ? "/login" : `/annotate?image=${all.imageId}`);
  link.target = isSignedOut ? "_blank" : "";
}

// Time of painting: from one touch of the editor to the next, a pause counted for 20 seconds at most, and nothing
// while another tab is in front.
class PaintingClock {
  constructor(frame) {
    this.spent = 0;
    this.last = null;
    this.heard = (event) => this.hear(event);
    for (const name of CLOCK_EVENTS) frame.addEventListener(name, this.heard, true);
    document.addEventListener("visibilitychange", this.heard);
  }

  hear(event) {
    if (this.last !== null) this.spent += Math.min(LONGEST_PAUSE_MS, Math.max(0, event.timeStamp - this.last));
    this.last = document.hidden ? null : event.timeStamp;
  }

  // What was spent since it was taken last, in whole milliseconds.
  take() {
    const spent = Math.round(this.spent);
    this.spent = 0;
    return spent;
  }

  reset() {
    this.spent = 0;
    this.last = null;
  }

  close() {
    document.removeEventListener("visibilitychange", this.heard);
  }
}
