// Loading an image and the masks of its layers; what cannot be reached is tried again until it comes.

import { ServerProblem } from "./mask_server.js";
import { sweep } from "./savers.js";

/** @import { MaskEditor } from "./editor.js" */
/** @import { Layer } from "./layer.js" */
/** @import { Heir } from "./saver.js" */

const AGAIN_AFTER_MS = 2500;

export class DocumentLoading {
  /** @param {MaskEditor} editor */
  constructor(editor) {
    this.editor = editor;
    /** @type {ServerProblem | null} Why something has not come yet. */
    this.problem = null;
  }

  /**
   * The image, what closed tabs have left of the person's masks, the active layer, and then the others at once.
   * @param {string} key Of the documents; nothing comes into the editor once it shows others.
   */
  async open(key) {
    const { editor } = this;
    this.loadImage(key);
    await sweep(/-p(\d+)-/.exec(key)?.[1] ?? "");
    if (key !== editor.documentKey) return;
    const { activeLayer, layers } = editor;
    if (activeLayer) await this.load(activeLayer, key);
    for (const layer of layers) if (layer !== activeLayer) this.load(layer, key);
  }

  /**
   * The mask that closed tabs have left of a layer's document comes in as a step of its own.
   * @param {Layer} layer
   * @returns {Heir}
   */
  heirOf(layer) {
    const { editor } = this;
    return {
      mayTake: () =>
        layer.isLoaded && editor.layers.includes(layer) && !editor.strokes.stroke && !editor.submission.isUnderWay,
      taken: (stored, mine) => {
        layer.history?.push(stored);
        layer.history?.push(mine);
        editor.touched(layer.show());
        editor.showState();
      },
    };
  }

  /** @param {string} key */
  async loadImage(key) {
    const { editor } = this;
    const { image, data } = editor;
    if (image.getAttribute("src") !== data.image_url) image.src = data.image_url;
    try {
      await image.decode();
    } catch {
      if (key === editor.documentKey) {
        editor.say("The image could not be loaded. Reload the page, or sign in again.");
      }
      return;
    }
    if (key !== editor.documentKey) return;
    editor.plane.hidden = false;
    editor.resize();
    editor.showState();
  }

  /**
   * @param {Layer} layer
   * @param {string} key
   */
  async load(layer, key) {
    const { editor } = this;
    await this.untilLoaded(layer, key, async () => {
      const loaded = await layer.saver.load();
      if (key === editor.documentKey) editor.touched(layer.begin(loaded));
    });
  }

  /**
   * The server has changed masks of this image: each comes in as one more step, and Undo goes back to what was here.
   * @param {string} key
   */
  async loadAgain(key) {
    const { editor } = this;
    for (const layer of editor.layers) {
      await this.untilLoaded(layer, key, async () => {
        if (!(await layer.saver.whenSaved())) return;
        const stored = await layer.saver.fetchStored();
        if (key !== editor.documentKey || layer.saver.isDirty || stored.seq === layer.saver.seq) return;
        layer.saver.start(stored.seq);
        editor.touched(layer.goOn(stored));
      });
    }
  }

  /**
   * @param {Layer} layer
   * @param {string} key
   * @param {() => Promise<void>} load
   */
  async untilLoaded(layer, key, load) {
    const { editor } = this;
    layer.isWaiting = true;
    while (key === editor.documentKey) {
      try {
        await load();
        break;
      } catch (error) {
        if (!(error instanceof ServerProblem)) throw error;
        if (key !== editor.documentKey) return;
        this.problem = error;
        editor.showState();
        if (error.kind === "refused") {
          if (layer === editor.activeLayer) editor.say(error.sentence);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
      }
    }
    layer.isWaiting = false;
    this.problem = null;
    if (key === editor.documentKey) editor.showState();
  }
}
