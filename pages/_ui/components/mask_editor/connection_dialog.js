// When the server is away, Streamlit lays a dialog over the page. It would take the next stroke, and the editor says
// the same in its foot and lets the person paint on: so the dialog is closed as soon as it comes.

export class ConnectionDialog {
  constructor() {
    this.observer = new MutationObserver(() => this.shut());
    this.observer.observe(document.body, { childList: true, subtree: true });
    this.shut();
  }

  shut() {
    for (const dialog of document.querySelectorAll('[data-testid="stDialog"]')) {
      if (dialog.querySelector("h2")?.textContent !== "Connection error") continue;
      /** @type {HTMLElement | null} */
      const button = dialog.querySelector('button[aria-label="Close"]');
      button?.click();
    }
  }

  close() {
    this.observer.disconnect();
  }
}
