// Runs bodies of functions with the mask editor's modules, for tests that hold them against numpy, SciPy and OpenCV: one
// JSON object { body, given } a line comes in, and one { result } or { error } a line goes out.

import { createInterface } from "node:readline";
import * as codec from "../../pages/_ui/components/mask_editor/codec.js";
import * as colourRegion from "../../pages/_ui/components/mask_editor/colour_region.js";
import * as homography from "../../pages/_ui/components/mask_editor/homography.js";
import * as mask from "../../pages/_ui/components/mask_editor/mask.js";
import * as measure from "../../pages/_ui/components/mask_editor/measure.js";
import * as rasterize from "../../pages/_ui/components/mask_editor/rasterize.js";
import * as region from "../../pages/_ui/components/mask_editor/region.js";
import * as slices from "../../pages/_ui/components/mask_editor/slices.js";
import * as geometry from "../../pages/_ui/components/shared/geometry.js";

const modules = { ...geometry, ...codec, ...colourRegion, ...homography, ...mask };
const known = { ...modules, ...measure, ...rasterize, ...region, ...slices };

for await (const line of createInterface({ input: process.stdin })) {
  const { body, given } = JSON.parse(line);
  let answer;
  try {
    const run = new Function(...Object.keys(known), "given", body);
    answer = { result: run(...Object.values(known), given) };
  } catch (error) {
    answer = { error: error.stack };
  }
  console.log(JSON.stringify(answer));
}
