// The mask as the person sees it: a canvas of the image's own size, moved and scaled as a whole by the browser.
// Pixels at the margin are drawn stronger, so that the border shows at any opacity.

const FILL = [0, 214, 240, 130];
const MARGIN = [0, 240, 255, 255];

class MaskCanvas {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    const packed = new Uint32Array(new Uint8Array([...FILL, ...MARGIN]).buffer);
    [this.fill, this.margin] = packed;
  }

  resize(mask) {
    this.canvas.width = mask.width;
    this.canvas.height = mask.height;
  }

  // Redraw a rectangle of the mask (all of it when null) and one pixel around, whose margins may have changed.
  draw(mask, touched) {
    const x0 = Math.max(0, (touched?.x0 ?? 0) - 1);
    const y0 = Math.max(0, (touched?.y0 ?? 0) - 1);
    const x1 = Math.min(mask.width, (touched?.x1 ?? mask.width) + 1);
    const y1 = Math.min(mask.height, (touched?.y1 ?? mask.height) + 1);
    if (x0 >= x1 || y0 >= y1) return;
    const part = this.context.createImageData(x1 - x0, y1 - y0);
    const colours = new Uint32Array(part.data.buffer);
    const { pixels, width, height } = mask;
    let at = 0;
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++, at++) {
        const i = y * width + x;
        if (!pixels[i]) continue;
        const isInside =
          x > 0 && x < width - 1 && y > 0 && y < height - 1 &&
          pixels[i - 1] && pixels[i + 1] && pixels[i - width] && pixels[i + width];
        colours[at] = isInside ? this.fill : this.margin;
      }
    }
    this.context.putImageData(part, x0, y0);
  }
}

// What is drawn over the image and is no part of the mask: the brush's outline and a polygon in the making.
class Guides {
  constructor(svg, brush) {
    this.brush = brush;
    this.line = svg.querySelector("polyline");
    this.first = svg.querySelector("circle");
  }

  showBrush(place, diameter, isEraser) {
    this.brush.hidden = !place;
    if (!place) return;
    const size = Math.max(2, diameter);
    Object.assign(this.brush.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${place.x - size / 2}px, ${place.y - size / 2}px)`,
    });
    this.brush.classList.toggle("eraser", isEraser);
  }

  showPolygon(points, view, cursor) {
    const corners = points.map((point) => view.toScreen(point.x, point.y));
    const path = cursor && corners.length ? [...corners, cursor] : corners;
    this.line.setAttribute("points", path.map((point) => `${point.x},${point.y}`).join(" "));
    this.first.setAttribute("visibility", corners.length ? "visible" : "hidden");
    if (corners.length) {
      this.first.setAttribute("cx", corners[0].x);
      this.first.setAttribute("cy", corners[0].y);
    }
  }
}
