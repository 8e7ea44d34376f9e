// A lane for each target: its state as a strip, its confidence and its scale as plots under it.

import { button, h, replace } from "../base/dom.js";
import { integer, plural, STATE_NAMES, STATES } from "../base/format.js";
import { colorOf } from "../track/draw.js";

const STRIP = 12;
const PLOT = 22;
const GAP = 4;
const HEIGHT = STRIP + 2 * (PLOT + GAP);
/** A state is told by the height of its bar as well as by its colour. */
const BAR = [1, 0.66, 0.34, 0.2];
/** Least time between two drawings while frames come. */
const CALM = 250;

export class Timeline {
  #lanes = new Map();
  #timer = null;
  #observer;

  /** @param on {seek: (row), drawn: () => the lanes show what there is} */
  constructor(track, on) {
    this.track = track;
    this.on = on;
    this.total = null;
    this.row = -1;
    /** In the order of the spec, which colours go by; they arrive in another one. */
    this.ids = [];
    this.lanes = h("div", { class: "lanes" });
    this.cursor = h("div", { class: "cursor", "aria-hidden": "true" });
    this.element = h("div", { class: "timeline" }, h("div", { class: "lanes-frame" }, this.lanes, this.cursor), legend());
    this.lanes.addEventListener("pointerdown", (event) => {
      if (!(event.target instanceof HTMLCanvasElement)) return;
      const seek = (next) => on.seek(this.#rowAt(next.clientX));
      event.target.setPointerCapture(event.pointerId);
      event.target.addEventListener("pointermove", seek);
      event.target.addEventListener("lostpointercapture", () => event.target.removeEventListener("pointermove", seek), { once: true });
      seek(event);
    });
    this.#observer = new ResizeObserver(() => this.draw());
    this.#observer.observe(this.lanes);
  }

  close() {
    this.#observer.disconnect();
    clearTimeout(this.#timer);
  }

  /** Rows the width stands for: those that are still to come, too. */
  get span() { return Math.max(1, this.total ?? 0, this.track.count); }

  /** Draws soon. */
  update() { this.#timer ??= setTimeout(() => this.draw(), CALM); }

  move(row) {
    this.row = row;
    const canvas = this.lanes.querySelector("canvas");
    if (!canvas || row < 0) return;
    const left = canvas.offsetLeft + ((row + 0.5) / this.span) * canvas.clientWidth;
    this.cursor.style.setProperty("transform", `translateX(${left}px)`);
  }

  draw() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.ids.forEach((id, index) => {
      if (!this.track.targets.has(id)) return;
      if (!this.#lanes.has(id)) this.#lanes.set(id, this.#lane(id, index));
      this.#drawLane(id);
    });
    this.move(this.row);
    this.on.drawn();
  }

  #lane(id, index) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const summary = h("p", { class: "lane-summary numbers" });
    const lost = button("", { kind: "quiet small", symbol: "lost", hidden: true, on: { click: () => {
      const rows = this.track.losses(id);
      this.on.seek(rows.find((row) => row > this.row) ?? rows[0]);
    } } });
    const element = h("div", { class: "lane", style: { "--color": colorOf(index) } },
      h("div", { class: "lane-head" }, h("span", { class: "swatch", "aria-hidden": "true" }), h("span", { class: "lane-name" }, id), summary, lost),
      canvas);
    const later = this.ids.slice(index + 1).find((other) => this.#lanes.has(other));
    this.lanes.insertBefore(element, this.#lanes.get(later)?.element ?? null);
    return { element, canvas, summary, lost };
  }

  #drawLane(id) {
    const { canvas, summary, lost } = this.#lanes.get(id);
    const target = this.track.targets.get(id);
    const ratio = devicePixelRatio;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    [canvas.width, canvas.height] = [width, Math.round(HEIGHT * ratio)];
    const context = canvas.getContext("2d");
    context.scale(1, ratio);
    const color = (name) => {
      canvas.style.setProperty("color", `var(${name})`);
      return getComputedStyle(canvas).color;
    };
    const columns = this.#columns(target, width);
    drawStrip(context, columns, STATES.map((state) => color(`--state-${state}`)), ratio);
    drawPlot(context, columns, "confidence", STRIP + GAP, [0, 1], color("--plot"), color("--line"), width);
    const largest = Math.max(2, ...columns.map((column) => column?.scale[1] ?? 0));
    drawPlot(context, columns, "scale", STRIP + PLOT + 2 * GAP, [0, largest], color("--plot-2"), color("--line"), width);
    for (let row = 0; row < this.track.count; row += 1) {
      if (target.isKeyframe.get(row)) drawKeyframe(context, ((row + 0.5) / this.span) * width, color("--ink"), ratio);
    }
    const { length: losses } = this.track.losses(id);
    lost.hidden = losses === 0;
    lost.querySelector("span").textContent = losses === 1 ? "Where it is lost" : `Next of ${plural(losses, "loss", "losses")}`;
    lost.setAttribute("aria-label", `${lost.textContent}: ${id}`);
    const tally = this.track.tally(id);
    replace(summary, STATES.filter((state) => tally[state] > 0).map((state) => `${integer(tally[state])} ${STATE_NAMES[state]}`).join(", "));
  }

  /** For each pixel the worst state, and the least and largest confidence and scale, of the rows that it stands for. */
  #columns(target, width) {
    const perPixel = this.span / width;
    return Array.from({ length: width }, (_, x) => {
      const first = Math.floor(x * perPixel);
      const end = Math.min(this.track.count, Math.max(first + 1, Math.floor((x + 1) * perPixel)));
      let column = null;
      for (let row = first; row < end; row += 1) {
        const state = target.state.get(row);
        if (state >= STATES.length) continue;
        column ??= { state: 0, confidence: [Infinity, -Infinity], scale: [Infinity, -Infinity] };
        column.state = Math.max(column.state, state);
        spread(column.confidence, target.confidence.get(row));
        spread(column.scale, target.scale.get(row));
      }
      return column;
    });
  }

  #rowAt(clientX) {
    const { left, width } = this.lanes.querySelector("canvas").getBoundingClientRect();
    return Math.round(((clientX - left) / width) * this.span - 0.5);
  }
}

function spread(range, value) {
  if (value < range[0]) range[0] = value;
  if (value > range[1]) range[1] = value;
}

function drawStrip(context, columns, colors) {
  columns.forEach((column, x) => {
    if (!column) return;
    const height = STRIP * BAR[column.state];
    context.fillStyle = colors[column.state];
    context.fillRect(x, STRIP - height, 1, height);
  });
}

function drawPlot(context, columns, name, top, [low, high], color, line, width) {
  context.fillStyle = line;
  context.fillRect(0, top + PLOT, width, 0.5);
  context.fillStyle = color;
  const place = (value) => top + PLOT * (1 - (Math.min(high, value) - low) / (high - low));
  columns.forEach((column, x) => {
    if (!column || !Number.isFinite(column[name][0])) return;
    const from = place(column[name][1]);
    context.fillRect(x, from - 0.6, 1, Math.max(1.2, place(column[name][0]) - from));
  });
}

function drawKeyframe(context, x, color, ratio) {
  context.fillStyle = color;
  context.beginPath();
  for (const [dx, y] of [[0, 1], [5, 6], [0, 11], [-5, 6]]) context.lineTo(x + dx * ratio, y);
  context.fill();
}

function legend() {
  return h("ul", { class: "legend" },
    STATES.map((state) => h("li", { dataset: { state } }, h("span", { class: "mark", "aria-hidden": "true" }), STATE_NAMES[state])),
    h("li", { dataset: { state: "confidence" } }, h("span", { class: "mark", "aria-hidden": "true" }), "confidence, 0 to 1"),
    h("li", { dataset: { state: "scale" } }, h("span", { class: "mark", "aria-hidden": "true" }), "scale, from 0"),
    h("li", { dataset: { state: "keyframe" } }, h("span", { class: "mark", "aria-hidden": "true" }), "given by hand"));
}
