// Two calls, a confidence and one confirmation. What is chosen stays here until it is confirmed; then it is sent once.

const MIDDLE = "50";
const KEYS = { 1: "normal", 2: "hsil" };
// Once there is a call, the digits are the confidence: 1 to 9 for 10 to 90 and 0 for 100, or 1 to 5 for the steps.
const sureness = (key, fiveSteps) => (fiveSteps ? (/^[1-5]$/.test(key) ? 25 * (key - 1) : null) : /^[0-9]$/.test(key) ? 10 * (key === "0" ? 10 : key) : null);

class AnswerPanel {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.innerHTML = TEMPLATE;
    parent.appendChild(this.root);
    this.form = this.root.querySelector("form");
    this.calls = [...this.root.querySelectorAll(".call")];
    this.slider = this.root.querySelector("input");
    this.confirm = this.root.querySelector(".confirm");
    this.call = null;
    this.isSet = false;
    this.isSent = false;
    this.time = new ActiveTime();
    this.curtain = this.root.querySelector(".curtain");
    this.root.querySelector(".pause").onclick = () => this.pause(true);
    this.root.querySelector(".go-on").onclick = () => this.pause(false);
    this.shown = "";
    this.attempt = 0;
    for (const button of this.calls) button.onclick = () => this.choose(button.dataset.call);
    // A press on the middle of an untouched slider changes no value, and is an answer all the same.
    this.slider.oninput = this.slider.onclick = () => this.setSure(this.slider.value);
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    this.onKey = this.onKey.bind(this);
    // A button that the mouse has pressed gives the focus up, so that Enter confirms and does not press it again.
    this.onClick = (event) => {
      if (event.detail) event.composedPath()[0].closest?.("button")?.blur();
    };
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("click", this.onClick);
  }

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

  choose(call) {
    if (this.isSent) return;
    this.call = call;
    this.draw();
    // A click leaves the focus on a button that Enter would press again.
    this.root.querySelectorAll(".call").forEach((button) => button.blur());
  }

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

  pause(isPaused) {
    this.time.pause(isPaused);
    this.curtain.hidden = !isPaused;
    if (isPaused) this.root.querySelector(".go-on").focus();
  }

  send() {
    if (!this.call || !this.isSet || this.isSent) return;
    this.isSent = true;
    this.draw();
    this.sendAnswer({ token: this.data.token, call: this.call, confidence: Number(this.slider.value), activeMs: this.time.take() });
  }

  draw() {
    const { number, total } = this.data;
    this.root.querySelector(".where").textContent = `${number} of ${total}`;
    this.root.querySelector(".bar").style.width = `${(100 * (number - 1)) / total}%`;
    this.root.querySelector("output").textContent = this.isSet ? this.slider.value : "not set";
    this.slider.toggleAttribute("data-unset", !this.isSet);
    this.root.querySelector(".part").textContent = this.data.part;
    for (const button of this.calls) {
      button.setAttribute("aria-checked", String(button.dataset.call === this.call));
      button.disabled = this.isSent;
    }
    this.slider.disabled = this.isSent;
    this.confirm.disabled = !this.call || !this.isSet || this.isSent;
  }

  // Keys count wherever the focus is, except where a person types, opens a menu or presses another button.
  onKey(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    const isOwn = this.root.contains(target);
    const isTyping = target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !isOwn);
    if (isTyping) return;
    const sure = sureness(event.key, this.data.fiveSteps);
    if (event.key.toLowerCase() === "p") this.pause(this.curtain.hidden);
    else if (!this.curtain.hidden) return;
    else if (!this.call && KEYS[event.key]) this.choose(KEYS[event.key]);
    else if (this.call && sure !== null) this.setSure(sure);
    else if (event.key === "Escape") this.takeBack();
    else if (event.key === "Enter" && (isOwn || !/^(A|BUTTON|SUMMARY)$/.test(target.tagName))) this.send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  close() {
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("click", this.onClick);
    this.time.close();
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const tell = (answer) => setTriggerValue("answer", answer);
  return mounted(parentElement, (parent) => new AnswerPanel(parent), (panel) => panel.update(data, tell));
}
