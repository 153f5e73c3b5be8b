// Submitting: the page makes versions of exactly what is on the screen.

/** @import { MaskEditor } from "./editor.js" */
/** @import { Layer } from "./layer.js" */

const ANSWER_WITHIN_MS = 30000;

export class Submission {
  /** @param {MaskEditor} editor */
  constructor(editor) {
    this.editor = editor;
    /** Whether something is on its way, or waits until it is saved. */
    this.isUnderWay = false;
    /** @type {Map<Layer, Uint8Array>} The layers on their way, with their codes. */
    this.handed = new Map();
    this.timer = 0;
  }

  /** Submit every layer that differs from its newest version, or the active one where none does; all is saved first. */
  async submit() {
    const { editor } = this;
    const { activeLayer } = editor;
    if (!editor.isReady || !activeLayer || !editor.isAllLoaded) return;
    editor.strokes.drop();
    const { documentKey: key, layers } = editor;
    const changed = layers.filter((layer) => layer.isChanged);
    const handed = changed.length ? changed : [activeLayer];
    this.isUnderWay = true;
    editor.showState();
    const areSaved = await Promise.all(layers.map((layer) => layer.saver.whenSaved()));
    if (key !== editor.documentKey) return;
    if (areSaved.every(Boolean)) {
      this.handed = new Map(handed.flatMap((layer) => (layer.history ? [[layer, layer.history.current]] : [])));
      const documents = handed.map((layer) => ({ document_id: layer.documentId, seq: layer.saver.seq }));
      editor.tell.trigger("submitted", { documents, note: editor.note.value });
      this.timer = window.setTimeout(() => this.release(), ANSWER_WITHIN_MS);
    } else this.isUnderWay = false;
    editor.showState();
  }

  /** The page has answered: what has become a version. */
  answered() {
    const { editor } = this;
    const given = new Map(editor.data.layers.map((layer) => [layer.document_id, layer.next_version]));
    for (const layer of editor.layers) {
      const nextVersion = given.get(layer.documentId);
      if (nextVersion === undefined || nextVersion === layer.nextVersion) continue;
      layer.nextVersion = nextVersion;
      const code = this.handed.get(layer);
      if (code) layer.submitted = code;
      editor.note.value = "";
      // The note is done with: the next key, such as N, is not meant for it any more.
      if (editor.note.matches(":focus")) editor.stage.focus({ preventScroll: true });
    }
    this.handed.clear();
    this.release();
  }

  release() {
    clearTimeout(this.timer);
    this.isUnderWay = false;
    this.editor.showState();
  }
}
