// The ten classes of Fashion-MNIST as plain silhouettes of our own, light on dark, as that set has
// them: for those who have no picture at hand.

const CLOTH = 205; // of 255
const SEAM = 120;

/** Of each class, in the order of the classes: [shade, points in a square of 100], one upon another. */
export const CLOTHES = [
  [[CLOTH, [[34, 4], [42, 8], [58, 8], [66, 4], [92, 18], [86, 36], [74, 31], [74, 98], [26, 98],
    [26, 31], [14, 36], [8, 18]]]],
  [[CLOTH, [[32, 2], [68, 2], [73, 98], [56, 98], [50, 30], [44, 98], [27, 98]]]],
  [[CLOTH, [[36, 4], [64, 4], [78, 12], [94, 92], [80, 96], [72, 46], [72, 96], [28, 96], [28, 46],
    [20, 96], [6, 92], [22, 12]]]],
  [[CLOTH, [[38, 2], [44, 10], [56, 10], [62, 2], [66, 4], [61, 38], [74, 98], [26, 98], [39, 38],
    [34, 4]]]],
  [[CLOTH, [[36, 2], [64, 2], [79, 10], [92, 90], [78, 93], [73, 50], [75, 98], [25, 98], [27, 50],
    [22, 93], [8, 90], [21, 10]]],
  [SEAM, [[48, 4], [52, 4], [52, 98], [48, 98]]]],
  [[CLOTH, [[2, 66], [40, 68], [98, 60], [98, 68], [40, 76], [2, 74]]],
  [CLOTH, [[22, 68], [40, 48], [50, 46], [36, 70]]], [CLOTH, [[58, 67], [66, 46], [76, 44], [72, 65]]],
  [CLOTH, [[40, 48], [76, 42], [78, 47], [42, 54]]]],
  [[CLOTH, [[36, 4], [46, 14], [54, 14], [64, 4], [80, 12], [92, 58], [78, 62], [71, 40], [72, 98],
    [28, 98], [29, 40], [22, 62], [8, 58], [20, 12]]],
  [SEAM, [[49, 14], [51, 14], [51, 98], [49, 98]]]],
  [[CLOTH, [[2, 62], [6, 48], [24, 50], [44, 40], [60, 32], [70, 40], [96, 40], [98, 64]]],
  [SEAM, [[2, 64], [98, 65], [98, 71], [4, 71]]]],
  [[CLOTH, [[8, 36], [92, 36], [96, 92], [4, 92]]],
  [CLOTH, [[28, 38], [32, 16], [68, 16], [72, 38], [66, 38], [63, 22], [37, 22], [34, 38]]]],
  [[CLOTH, [[56, 8], [94, 8], [92, 46], [98, 74], [98, 90], [74, 90], [70, 84], [58, 90], [4, 90],
    [6, 74], [34, 62], [54, 44]]]],
];

/** Draws one of them into a square context. */
export function clothing(context, place, side) {
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  for (const [shade, points] of CLOTHES[place]) {
    context.fillStyle = `rgb(${shade} ${shade} ${shade})`;
    context.beginPath();
    for (const [x, y] of points) context.lineTo((x * side) / 100, (y * side) / 100);
    context.fill();
  }
}
