// The images and layers of a viewer by their addresses: each is asked for once while one of the frames needs it.

import { ScaledImage } from "./scaled_image.js";

export class ImageCache {
  /** @param {() => void} changed Called when one has come, or could not be loaded. */
  constructor(changed) {
    this.changed = changed;
    /** @type {Map<string, ScaledImage>} */
    this.images = new Map();
  }

  get all() {
    return [...this.images.values()];
  }

  /**
   * What could not be loaded is tried again when it is next asked for: the server may be back.
   * @param {string} url
   */
  get(url) {
    const known = this.images.get(url);
    if (known && known.state !== "failed") return known;
    const image = new ScaledImage(url, this.changed);
    this.images.set(url, image);
    return image;
  }

  /** @param {string[]} urls */
  keepOnly(urls) {
    const wanted = new Set(urls);
    for (const [url, image] of this.images) {
      if (wanted.has(url)) continue;
      image.close();
      this.images.delete(url);
    }
  }

  /**
   * What is seen comes first; then the rest, one after the other, so that a change never waits for the server.
   * @param {ScaledImage[]} seen
   * @param {ScaledImage[]} rest
   */
  async load(seen, rest) {
    await Promise.all(seen.map((image) => image.load()));
    for (const image of rest) {
      if (this.images.get(image.url) === image) await image.load();
    }
  }

  close() {
    for (const image of this.all) image.close();
  }
}
