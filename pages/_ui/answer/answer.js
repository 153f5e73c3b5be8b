// Two calls, a confidence and one confirmation. What is chosen stays here until it is confirmed; then it is sent once.

const FIRST_CONFIDENCE = "50";
const KEYS = { 1: "normal", 2: "hsil" };

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
    this.isSent = false;
    this.shown = "";
    this.attempt = 0;
    for (const button of this.calls) button.onclick = () => this.choose(button.dataset.call);
    this.slider.oninput = () => this.draw();
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    this.onKey = this.onKey.bind(this);
    document.addEventListener("keydown", this.onKey, true);
  }

  update(data, sendAnswer) {
    this.sendAnswer = sendAnswer;
    this.data = data;
    if (this.shown !== data.token) {
      this.shown = data.token;
      this.call = null;
      this.slider.value = FIRST_CONFIDENCE;
      this.isSent = false;
    } else if (this.attempt !== data.attempt) this.isSent = false;
    this.attempt = data.attempt;
    this.draw();
  }

  choose(call) {
    if (this.isSent) return;
    this.call = call;
    this.draw();
    // From here Enter confirms, also where the focus was on another button.
    this.confirm.focus({ preventScroll: true });
  }

  send() {
    if (!this.call || this.isSent) return;
    this.isSent = true;
    this.draw();
    this.sendAnswer({ token: this.data.token, call: this.call, confidence: Number(this.slider.value) });
  }

  draw() {
    const { number, total } = this.data;
    this.root.querySelector(".where").textContent = `${number} of ${total}`;
    this.root.querySelector(".bar").style.width = `${(100 * (number - 1)) / total}%`;
    this.root.querySelector("output").textContent = this.slider.value;
    for (const button of this.calls) {
      button.setAttribute("aria-checked", String(button.dataset.call === this.call));
      button.disabled = this.isSent;
    }
    this.slider.disabled = this.isSent;
    this.confirm.disabled = !this.call || this.isSent;
  }

  // Keys count wherever the focus is, except where a person types, opens a menu or presses another button.
  onKey(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    const isOwn = this.root.contains(target);
    const isTyping = target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !isOwn);
    if (isTyping) return;
    if (KEYS[event.key]) this.choose(KEYS[event.key]);
    else if (event.key === "Enter" && (isOwn || !/^(A|BUTTON|SUMMARY)$/.test(target.tagName))) this.send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  close() {
    document.removeEventListener("keydown", this.onKey, true);
    this.root.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const tell = (answer) => setTriggerValue("answer", answer);
  return mounted(parentElement, (parent) => new AnswerPanel(parent), (panel) => panel.update(data, tell));
}
