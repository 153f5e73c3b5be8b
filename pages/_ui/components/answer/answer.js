// Two calls, a confidence and one confirmation. What is chosen stays here until it is confirmed; then it is sent once.

import { part, parts, rootOf, targetOf } from "../shared/dom.js";
import { ActiveTime } from "./active_time.js";
import { confidenceOfKey } from "./confidence.js";

/**
 * What the page gives; see `answer_panel` in answer.py.
 * @typedef {object} AnswerData
 * @property {string} token
 * @property {number} number
 * @property {number} total
 * @property {string} part
 * @property {boolean} fiveSteps
 * @property {number} attempt
 */
/** @typedef {{ token: string, call: string, confidence: number, activeMs: number }} Answer */

const MIDDLE = "50";
/** @type {Record<string, string>} */
const CALL_OF_KEY = { 1: "normal", 2: "hsil" };

export class AnswerPanel {
  /** @type {AnswerData} Given with the first update, which follows upon the making. */
  data;
  /** @type {(answer: Answer) => void} Likewise. */
  sendAnswer;

  /**
   * @param {Node} parent
   * @param {string} template
   */
  constructor(parent, template) {
    this.root = rootOf(parent, template);
    this.form = part(this.root, "form", HTMLFormElement);
    this.calls = parts(this.root, ".call", HTMLButtonElement);
    this.slider = part(this.root, "input", HTMLInputElement);
    this.confirm = part(this.root, ".confirm", HTMLButtonElement);
    /** @type {string | null} */
    this.call = null;
    this.isSet = false;
    this.isSent = false;
    this.time = new ActiveTime();
    this.curtain = part(this.root, ".curtain");
    part(this.root, ".pause").onclick = () => this.pause(true);
    part(this.root, ".go-on").onclick = () => this.pause(false);
    this.shown = "";
    this.attempt = 0;
    for (const button of this.calls) button.onclick = () => this.choose(button.dataset.call ?? "");
    // A press on the middle of an untouched slider changes no value, and is an answer all the same.
    for (const name of ["input", "click"]) this.slider.addEventListener(name, () => this.setSure(this.slider.value));
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    this.onKeydown = (/** @type {KeyboardEvent} */ event) => this.onKey(event);
    // A button that the mouse has pressed gives the focus up, so that Enter confirms and does not press it again.
    this.onClick = (/** @type {MouseEvent} */ event) => {
      if (event.detail) targetOf(event).closest?.("button")?.blur();
    };
    document.addEventListener("keydown", this.onKeydown, true);
    document.addEventListener("click", this.onClick);
  }

  /**
   * @param {AnswerData} data
   * @param {(answer: Answer) => void} sendAnswer
   */
  update(data, sendAnswer) {
    this.sendAnswer = sendAnswer;
    this.data = data;
    if (this.shown !== data.token) {
      this.shown = data.token;
      this.call = null;
      this.slider.step = data.fiveSteps ? "25" : "5";
      this.slider.value = MIDDLE;
      this.isSet = false;
      this.time.start(data.token);
      this.isSent = false;
    } else if (this.attempt !== data.attempt) this.isSent = false;
    this.attempt = data.attempt;
    this.draw();
  }

  /** @param {string} call */
  choose(call) {
    if (this.isSent) return;
    this.call = call;
    this.draw();
    // A click leaves the focus on a button that Enter would press again.
    for (const button of this.calls) button.blur();
  }

  /** @param {string | number} value 0 to 100. */
  setSure(value) {
    if (this.isSent) return;
    this.slider.value = String(value);
    this.isSet = true;
    this.draw();
  }

  takeBack() {
    if (this.isSent) return;
    this.call = null;
    this.isSet = false;
    this.slider.value = MIDDLE;
    this.draw();
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.time.pause(isPaused);
    this.curtain.hidden = !isPaused;
    if (isPaused) part(this.root, ".go-on").focus();
  }

  send() {
    if (!this.call || !this.isSet || this.isSent) return;
    this.isSent = true;
    this.draw();
    const confidence = Number(this.slider.value);
    this.sendAnswer({ token: this.data.token, call: this.call, confidence, activeMs: this.time.take() });
  }

  draw() {
    const { number, total } = this.data;
    part(this.root, ".where").textContent = `${number} of ${total}`;
    part(this.root, ".bar").style.width = `${(100 * (number - 1)) / total}%`;
    part(this.root, "output").textContent = this.isSet ? this.slider.value : "not set";
    this.slider.toggleAttribute("data-unset", !this.isSet);
    part(this.root, ".part").textContent = this.data.part;
    for (const button of this.calls) {
      button.setAttribute("aria-checked", String(button.dataset.call === this.call));
      button.disabled = this.isSent;
    }
    this.slider.disabled = this.isSent;
    this.confirm.disabled = !this.call || !this.isSet || this.isSent;
  }

  /**
   * Keys count wherever the focus is, except where a person types, opens a menu or presses another button.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = targetOf(event);
    const isOwn = this.root.contains(target);
    const isTyping = target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !isOwn);
    if (isTyping) return;
    const confidence = confidenceOfKey(event.key, this.data.fiveSteps);
    if (event.key.toLowerCase() === "p") this.pause(this.curtain.hidden);
    else if (!this.curtain.hidden) return;
    else if (!this.call && CALL_OF_KEY[event.key]) this.choose(CALL_OF_KEY[event.key]);
    else if (this.call && confidence !== null) this.setSure(confidence);
    else if (event.key === "Escape") this.takeBack();
    else if (event.key === "Enter" && (isOwn || !/^(A|BUTTON|SUMMARY)$/.test(target.tagName))) this.send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  close() {
    document.removeEventListener("keydown", this.onKeydown, true);
    document.removeEventListener("click", this.onClick);
    this.time.close();
    this.root.remove();
  }
}
