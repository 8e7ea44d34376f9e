// Boxes that are drawn, moved and resized on a stage: with a mouse, a finger or the keyboard. All numbers are pixels of
// the picture.

import { announce, h } from "../base/dom.js";
import { short } from "../base/format.js";

/** The least side that the server takes. */
const LEAST = 4;
/** A box on the screen that is too small for eight handles and a middle. */
const SMALL = 64;
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const BOX_HELP = "Arrow keys move the box, with Alt they resize it, with Shift by ten pixels. Delete removes it.";

export class BoxEditor {
  #elements = new Map();
  #stage;

  /**
   * @param on {change: (item), create: (box) => item | null, remove: (item), focus: (item)}
   *   Items are {id, box, color}; they are the caller's.
   */
  constructor(stage, on) {
    this.#stage = stage;
    this.on = on;
    this.items = [];
    this.help = h("p", { class: "sr-only", id: "box-help" }, BOX_HELP);
    stage.layer.append(this.help);
    stage.layer.classList.add("editing");
    stage.layer.addEventListener("pointerdown", this.#draw);
    stage.onLayout = () => this.update();
  }

  close() {
    this.#stage.layer.removeEventListener("pointerdown", this.#draw);
    this.#stage.layer.classList.remove("editing");
    this.#stage.layer.replaceChildren();
    this.#stage.onLayout = () => {};
  }

  show(items) {
    this.items = items;
    for (const [item, element] of this.#elements) {
      if (items.includes(item)) continue;
      element.remove();
      this.#elements.delete(item);
    }
    items.forEach((item) => {
      if (this.#elements.has(item)) return;
      const element = this.#element(item);
      this.#elements.set(item, element);
      this.#stage.layer.append(element);
    });
    this.update();
  }

  focus(item) { this.#elements.get(item)?.focus(); }

  /** Puts the elements where the boxes are. */
  update() {
    const { scale } = this.#stage;
    for (const [item, element] of this.#elements) {
      const [x, y, width, height] = item.box;
      for (const [name, value] of Object.entries({ left: x, top: y, width, height })) {
        element.style.setProperty(name, `${value * scale}px`);
      }
      element.style.setProperty("--color", item.color);
      element.classList.toggle("small", Math.min(width, height) * scale < SMALL);
      element.setAttribute("aria-label",
        `Box ${item.id}: left ${short(x)}, top ${short(y)}, ${short(width)} by ${short(height)} pixels`);
      element.querySelector(".box-name").textContent = item.id;
    }
  }

  #element(item) {
    return h("div", {
      class: "box", tabIndex: 0, role: "group", "aria-roledescription": "box", "aria-describedby": this.help.id,
      on: {
        keydown: (event) => this.#key(event, item),
        pointerdown: (event) => this.#grab(event, item),
        focus: () => this.on.focus?.(item),
      },
    }, h("span", { class: "box-name" }), HANDLES.map((name) => h("i", { class: `handle ${name}`, dataset: { handle: name } })));
  }

  // With a pointer

  #point(event) {
    const { left, top } = this.#stage.layer.getBoundingClientRect();
    return [(event.clientX - left) / this.#stage.scale, (event.clientY - top) / this.#stage.scale];
  }

  #draw = (event) => {
    if (event.target !== this.#stage.layer || event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    const from = this.#point(event);
    let item = null;
    this.#drag(event, (to) => {
      const box = this.#within(between(from, to));
      if (!item && Math.min(box[2], box[3]) < LEAST) return;
      item ??= this.on.create(box);
      if (item) this.#set(item, box);
    }, (isCanceled) => {
      if (item && isCanceled) this.on.remove(item);
      else if (item) this.focus(item);
    });
  };

  #grab(event, item) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.stopPropagation();
    event.preventDefault();
    this.focus(item);
    const handle = event.target.dataset.handle ?? "move";
    const from = this.#point(event);
    const start = [...item.box];
    this.#drag(event, (to) => this.#set(item, this.#moved(start, handle, to[0] - from[0], to[1] - from[1])),
      (isCanceled) => { if (isCanceled) this.#set(item, start); });
  }

  /** Follows one pointer. It is canceled where the browser takes it for something else: two fingers zoom the page. */
  #drag({ pointerId }, moved, ended) {
    const { layer } = this.#stage;
    const move = (next) => { if (next.pointerId === pointerId) moved(this.#point(next)); };
    const end = (last) => {
      if (last.pointerId !== pointerId) return;
      layer.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) layer.removeEventListener(name, end);
      ended(last.type === "pointercancel");
    };
    layer.setPointerCapture(pointerId);
    layer.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) layer.addEventListener(name, end);
  }

  // With the keyboard

  #key(event, item) {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      event.stopPropagation();
      this.on.remove?.(item);
      return;
    }
    const direction = KEYS[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    const by = event.shiftKey ? 10 : 1;
    this.#set(item, this.#moved(item.box, event.altKey ? "se" : "move", by * direction[0], by * direction[1]));
    const [x, y, width, height] = item.box.map(short);
    announce(event.altKey ? `${width} by ${height}` : `left ${x}, top ${y}`);
  }

  // Boxes

  #set(item, box) {
    item.box = box.map((value) => Math.round(value * 10) / 10);
    this.on.change(item);
    this.update();
  }

  #moved([x, y, width, height], handle, dx, dy) {
    let [left, top, right, bottom] = [x, y, x + width, y + height];
    // The picture's edges stop a box; one that reaches over them already (a tracked one may) stays where it is.
    const [L, T] = [Math.min(0, left), Math.min(0, top)];
    const [R, B] = [Math.max(this.#stage.width, right), Math.max(this.#stage.height, bottom)];
    if (handle === "move") {
      return [Math.min(Math.max(L, x + dx), R - width), Math.min(Math.max(T, y + dy), B - height), width, height];
    }
    if (handle.includes("w")) left = Math.min(Math.max(L, left + dx), right - LEAST);
    if (handle.includes("e")) right = Math.max(Math.min(R, right + dx), left + LEAST);
    if (handle.includes("n")) top = Math.min(Math.max(T, top + dy), bottom - LEAST);
    if (handle.includes("s")) bottom = Math.max(Math.min(B, bottom + dy), top + LEAST);
    return [left, top, right - left, bottom - top];
  }

  #within([x, y, width, height]) {
    const { width: W, height: H } = this.#stage;
    const [left, top] = [Math.max(0, x), Math.max(0, y)];
    return [left, top, Math.min(W, x + width) - left, Math.min(H, y + height) - top];
  }
}

const between = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.abs(bx - ax), Math.abs(by - ay)];
