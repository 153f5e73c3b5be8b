// What the browser draws by stylesheets, drawn on a canvas for a file.

/** @import { Point } from "../shared/geometry.js" */
/** @import { PointData } from "./frames.js" */

/**
 * The same as the stylesheet's `brightness`.
 * @param {CanvasRenderingContext2D} context
 * @param {number} factor
 */
export function brighten(context, factor) {
  const { width, height } = context.canvas;
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    for (let part = 0; part < 3; part++) data[i + part] = data[i + part] * factor;
  }
  context.putImageData(pixels, 0, 0);
}

/**
 * A point with its label.
 * @param {CanvasRenderingContext2D} context
 * @param {PointData} point
 * @param {Point} position In CSS pixels.
 * @param {number} dots Pixels of the canvas for a CSS pixel.
 */
export function drawMark(context, { label, colour }, { x, y }, dots) {
  context.setTransform(dots, 0, 0, dots, x * dots, y * dots);
  context.lineWidth = 2;
  context.strokeStyle = "#fff";
  context.fillStyle = colour;
  context.beginPath();
  context.arc(0, 0, 5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.font = "600 12px sans-serif";
  const width = context.measureText(label).width + 12;
  context.beginPath();
  context.roundRect(7, -24, width, 18, 9);
  context.fill();
  context.stroke();
  context.fillStyle = "#fff";
  context.fillText(label, 13, -11);
  context.setTransform(1, 0, 0, 1, 0, 0);
}
