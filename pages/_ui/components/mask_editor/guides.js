// What is drawn over the image and is no part of the mask: the brush's outline and a polygon in the making.

import { part } from "../shared/dom.js";

/** @import { Point } from "../shared/geometry.js" */
/** @import { View } from "../shared/view.js" */

export class Guides {
  /**
   * @param {SVGElement} svg
   * @param {HTMLElement} brush
   */
  constructor(svg, brush) {
    this.brush = brush;
    this.line = part(svg, "polyline", SVGElement);
    this.first = part(svg, "circle", SVGElement);
  }

  /**
   * @param {Point | null} position On the screen; null hides it.
   * @param {number} diameter In pixels of the screen.
   * @param {boolean} isEraser
   */
  showBrush(position, diameter, isEraser) {
    this.brush.hidden = !position;
    if (!position) return;
    const size = Math.max(2, diameter);
    Object.assign(this.brush.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${position.x - size / 2}px, ${position.y - size / 2}px)`,
    });
    this.brush.classList.toggle("eraser", isEraser);
  }

  /**
   * @param {Point[]} points In pixels of the image.
   * @param {View} view
   * @param {Point | null} cursor On the screen; where the next corner would be.
   */
  showPolygon(points, view, cursor) {
    const corners = points.map((point) => view.toScreen(point.x, point.y));
    const path = cursor && corners.length ? [...corners, cursor] : corners;
    this.line.setAttribute("points", path.map((point) => `${point.x},${point.y}`).join(" "));
    this.first.setAttribute("visibility", corners.length ? "visible" : "hidden");
    if (corners.length) {
      this.first.setAttribute("cx", String(corners[0].x));
      this.first.setAttribute("cy", String(corners[0].y));
    }
  }
}
