// Boxes, quads, trails and points over a picture: in the page and in the player for other sites.

/** Colours that are told apart also by who sees fewer of them (after Okabe and Ito 2008), light enough for a dark edge. */
export const COLORS = ["#35b7ff", "#ff9f1c", "#3ddc97", "#ff6fb5", "#f5e663", "#b794ff", "#ff7a5c", "#7fe3e8"];

export const colorOf = (index) => COLORS[index % COLORS.length];

export const DEFAULT_LAYERS = { boxes: true, quads: true, trails: true, points: true, labels: true };

const TRAIL_ROWS = 60;

/**
 * Draws a row of a track.
 * @param scale device pixels of the canvas for each pixel of the picture.
 * @param options layers, hidden (a set of ids), ids (for their colours' order).
 */
export function draw(context, track, row, scale, { layers = DEFAULT_LAYERS, hidden = new Set(), ids, unit = 1 } = {}) {
  const order = ids ?? [...track.targets.keys()];
  order.forEach((id, index) => {
    if (hidden.has(id)) return;
    const found = track.at(row, id);
    if (!found) return;
    const pen = new Pen(context, colorOf(index), scale, unit);
    const isGone = found.state === "lost" || found.state === "out_of_frame";
    context.globalAlpha = isGone ? 0.55 : 1;
    if (layers.trails) drawTrail(pen, track, row, id);
    if (layers.quads && !isGone) pen.polygon(found.quad, 1);
    if (layers.boxes) pen.box(found.box, isGone || found.state === "coasting");
    if (layers.points && found.points) drawPoints(pen, found.points);
    if (layers.labels) pen.label(found.state === "tracked" ? id : `${id} · ${found.state.replaceAll("_", " ")}`, found.box);
    context.globalAlpha = 1;
  });
}

function drawTrail(pen, track, row, id) {
  const path = [];
  for (let at = Math.max(0, row - TRAIL_ROWS); at <= row; at += 1) {
    const box = track.targets.get(id).box.slice(at);
    if (box.length === 4 && Number.isFinite(box[0])) path.push([box[0] + box[2] / 2, box[1] + box[3] / 2]);
  }
  pen.path(path);
}

function drawPoints(pen, points) {
  for (const { x, y, state } of points) pen.dot(x, y, state === "tracked");
}

/** Strokes in a colour over a dark edge, so that they are seen on any picture. */
class Pen {
  constructor(context, color, scale, unit) {
    Object.assign(this, { context, color, scale, unit });
    context.lineJoin = "round";
  }

  /** On the grid of the canvas' pixels: the stroke's middle is within half a pixel of the box's edge. */
  box([x, y, width, height], isUncertain) {
    const { context, unit } = this;
    const left = Math.round(x * this.scale), top = Math.round(y * this.scale);
    const right = Math.round((x + width) * this.scale), bottom = Math.round((y + height) * this.scale);
    const shift = (Math.round(2 * unit) % 2) / 2;
    context.beginPath();
    context.rect(left + shift, top + shift, right - left, bottom - top);
    this.stroke(2, isUncertain ? [6, 4] : []);
  }

  polygon(corners, width) {
    const { context, scale } = this;
    context.beginPath();
    for (let corner = 0; corner < 8; corner += 2) context.lineTo(corners[corner] * scale, corners[corner + 1] * scale);
    context.closePath();
    this.stroke(width, []);
  }

  path(points) {
    const { context, scale } = this;
    if (points.length < 2) return;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x * scale, y * scale);
    this.stroke(1.5, []);
  }

  dot(x, y, isFilled) {
    const { context, scale, unit } = this;
    context.beginPath();
    context.arc(x * scale, y * scale, 2.5 * unit, 0, 2 * Math.PI);
    context.fillStyle = this.color;
    if (isFilled) context.fill();
    this.stroke(1, []);
  }

  stroke(width, dash) {
    const { context, unit } = this;
    context.setLineDash([]);
    context.lineWidth = (width + 2) * unit;
    context.strokeStyle = "rgb(0 0 0 / 55%)";
    context.stroke();
    context.setLineDash(dash.map((length) => length * unit));
    context.lineWidth = width * unit;
    context.strokeStyle = this.color;
    context.stroke();
    context.setLineDash([]);
  }

  label(text, [x, y]) {
    const { context, scale, unit } = this;
    context.font = `600 ${12 * unit}px Inter, system-ui, sans-serif`;
    const width = context.measureText(text).width + 8 * unit;
    const left = Math.min(Math.max(0, x * scale - unit), Math.max(0, context.canvas.width - width));
    const height = 17 * unit;
    const top = y * scale - height - 3 * unit < 0 ? Math.max(0, y * scale) + 3 * unit : y * scale - height - 3 * unit;
    context.fillStyle = this.color;
    context.fillRect(left, top, width, height);
    context.fillStyle = "#0b0e13";
    context.textBaseline = "middle";
    context.fillText(text, left + 4 * unit, top + height / 2 + unit / 2);
  }
}
