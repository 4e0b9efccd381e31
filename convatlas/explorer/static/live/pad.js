// A field to draw in, by mouse, pen or finger; white on black.

import { blank } from "./digit.js";

/** Makes a canvas a drawing pad; `changed()` is called when a stroke goes on. `pen` is the width of
 * the line, a share of the side. Answers {clear, context}. */
export function drawingPad(canvas, pen, changed) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let last = null;
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = point(event);
    line(context, last, last);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = point(event);
    line(context, last, next);
    last = next;
    changed();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => (last = null));
  const clear = () => blank(context, canvas.width, pen);
  clear();
  return { clear, context };
}

function line(context, [x, y], [toX, toY]) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX + 0.01, toY); // a point is a line, too
  context.stroke();
}
