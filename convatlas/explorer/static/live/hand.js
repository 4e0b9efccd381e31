// A hand by strokes that shows the digits 0 to 9 as the sign language of the photographs does: for
// those who have no photograph at hand. Skin on a light ground, edges darker.

const GROUND = ["#d8d6d5", "#b4b0ae"]; // lit from above
const SKIN = "#b98468";
const EDGE = "#83523f";
const WIDTH = 8; // of a finger, in a square of 100
const EDGED = 1.5;

const FINGERS = { // [knuckle, tip]; folded, the tip is the last
  thumb: [[40, 68], [14, 50], [52, 64]],
  index: [[41, 52], [29, 14], [43, 60]],
  middle: [[48, 49], [46, 6], [49, 58]],
  ring: [[56, 51], [64, 10], [56, 60]],
  little: [[63, 56], [80, 25], [62, 64]],
};
const STRETCHED = [
  [],
  ["index"],
  ["index", "middle"],
  ["thumb", "index", "middle"],
  ["index", "middle", "ring", "little"],
  ["thumb", "index", "middle", "ring", "little"],
  ["index", "middle", "ring"],
  ["index", "middle", "little"],
  ["index", "ring", "little"],
  ["middle", "ring", "little"],
];

/** Draws the hand that shows a digit into a square context. */
export function hand(context, digit, side) {
  const light = context.createLinearGradient(0, 0, 0, side);
  GROUND.forEach((colour, end) => light.addColorStop(end, colour));
  context.fillStyle = light;
  context.fillRect(0, 0, side, side);
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  const arm = [[53, 74], [56, 108]];
  if (digit === 0) return both(context, side, [[arm, 20], [ring(), 12]]);
  const shown = (finger) => STRETCHED[digit].includes(finger);
  const names = Object.keys(FINGERS);
  const stretched = names.filter(shown).map((name) => [FINGERS[name].slice(0, 2), WIDTH]);
  const palm = [[[47, 60], [58, 60], [54, 72], [49, 68]], 20];
  both(context, side, [[arm, 20], ...stretched, palm]);
  for (const name of names.filter((name) => !shown(name)).reverse())
    both(context, side, [[[FINGERS[name][0], FINGERS[name][2]], WIDTH]]);
}

/** Fingers and thumb that meet. */
function ring() {
  return Array.from({ length: 25 }, (_, step) => {
    const angle = (step * Math.PI) / 12;
    return [50 + 13 * Math.cos(angle), 48 + 19 * Math.sin(angle)];
  });
}

/** Lines as one shape: all edges first, then the skin over them. */
function both(context, side, lines) {
  const share = side / 100;
  for (const [colour, more] of [[EDGE, EDGED], [SKIN, 0]])
    for (const [points, width] of lines) {
      context.strokeStyle = colour;
      context.lineWidth = (width + more) * share;
      context.beginPath();
      for (const [x, y] of points) context.lineTo(x * share, y * share);
      context.stroke();
    }
}
