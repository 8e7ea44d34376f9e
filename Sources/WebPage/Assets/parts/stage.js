// A picture with boxes over it: two canvases, painted together, so that a box never stands on another frame's picture.

import { h, select } from "../base/dom.js";
import { draw } from "../track/draw.js";

export class Stage {
  #image = false;
  #observer;
  #paintBoxes = () => {};

  /** @param label what the picture is, for screen readers. */
  constructor(label) {
    this.picture = h("canvas", { class: "picture" });
    this.overlay = h("canvas", { class: "overlay" });
    this.layer = h("div", { class: "layer" });
    this.note = h("p", { class: "stage-note", hidden: true });
    this.frame = h("div", { class: "frame", role: "group", "aria-label": label }, this.picture, this.overlay, this.layer);
    this.element = h("div", { class: "stage" }, this.frame, this.note);
    this.width = 0;
    this.height = 0;
    /** `fit`, or CSS pixels for each pixel of the picture. */
    this.zoom = "fit";
    this.onLayout = () => {};
    this.#observer = new ResizeObserver(() => this.layout());
    this.#observer.observe(this.element);
  }

  /** CSS pixels for each pixel of the picture. */
  get scale() { return this.frame.clientWidth / this.width || 1; }

  /** Makes room for a picture that is to come. */
  size(width, height) {
    if (!width || !height || (this.width === width && this.height === height)) return;
    [this.width, this.height] = [width, height];
    [this.picture.width, this.picture.height] = [width, height];
    this.layout();
  }

  /** Paints a picture and its boxes. @param image what a canvas can draw; it is not kept. */
  paint(image, track, row, options) {
    this.size(image.videoWidth || image.width, image.videoHeight || image.height);
    this.note.hidden = true;
    this.picture.getContext("2d").drawImage(image, 0, 0, this.width, this.height);
    this.#image = true;
    this.boxes(track, row, options);
  }

  /** Paints the boxes anew over the picture that is there. */
  boxes(track, row, options) {
    this.#paintBoxes = () => {
      const context = this.overlay.getContext("2d");
      context.clearRect(0, 0, this.overlay.width, this.overlay.height);
      if (!track || !this.#image) return;
      // Strokes and names grow with the page's type.
      const unit = (devicePixelRatio * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 15;
      draw(context, track, row, this.overlay.width / this.width, { ...options, unit });
    };
    this.#paintBoxes();
  }

  /** Shows neither a picture nor boxes. */
  blank() {
    this.picture.getContext("2d").clearRect(0, 0, this.width, this.height);
    this.#image = false;
    this.#paintBoxes();
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }

  /** A field for how large the picture is. */
  zoomField() {
    const field = select([["fit", "Fit"], ["1", "100 %"], ["2", "200 %"]], "fit", { "aria-label": "Zoom", class: "zoom", on: {
      change: () => {
        this.zoom = field.value === "fit" ? "fit" : Number(field.value);
        this.layout();
      },
    } });
    return field;
  }

  layout() {
    if (!this.width) return;
    const room = this.element.clientWidth;
    const tallest = Math.max(160, innerHeight * 0.56);
    const fit = Math.min(room / this.width, tallest / this.height);
    const scale = this.zoom === "fit" ? fit : this.zoom;
    const [width, height] = [Math.round(this.width * scale), Math.round(this.height * scale)];
    this.frame.style.setProperty("width", `${width}px`);
    this.frame.style.setProperty("height", `${height}px`);
    this.overlay.width = Math.round(width * devicePixelRatio);
    this.overlay.height = Math.round(height * devicePixelRatio);
    this.#paintBoxes();
    this.onLayout();
  }

  close() { this.#observer.disconnect(); }
}
