// What is known of each target in the frame that is shown, and what is drawn of it.

import { check, h, replace } from "../base/dom.js";
import { short, STATE_NAMES } from "../base/format.js";
import { colorOf, DEFAULT_LAYERS } from "../track/draw.js";

const LAYERS = { boxes: "Boxes", quads: "Quads", trails: "Trails", points: "Points", labels: "Names" };

export class Inspector {
  #rows = new Map();

  constructor(ids, changed) {
    this.options = { layers: { ...DEFAULT_LAYERS }, hidden: new Set(), ids };
    this.list = h("ul", { class: "inspected" }, ids.map((id, index) => this.#row(id, index, changed)));
    const layers = Object.entries(LAYERS).map(([name, label]) => check(label, true, (value) => {
      this.options.layers[name] = value;
      changed();
    }));
    this.element = h("section", { class: "panel", "aria-label": "Targets in this frame" },
      h("h2", {}, "Targets"), this.list,
      h("fieldset", { class: "layers" }, h("legend", {}, "Show"), layers));
  }

  update(track, row) {
    for (const [id, { state, numbers, meter }] of this.#rows) {
      const found = track.at(row, id);
      state.dataset.state = found?.state ?? "none";
      state.textContent = found ? `${STATE_NAMES[found.state]}${found.isKeyframe ? ", given" : ""}` : "not yet";
      meter.style.setProperty("--value", String(found ? Math.max(0, found.confidence || 0) : 0));
      replace(numbers, found ? `${found.box.map((value) => short(Math.round(value * 10) / 10)).join(", ")} · ${Math.round(100 * found.confidence)} % sure` : "");
    }
  }

  #row(id, index, changed) {
    const state = h("span", { class: "state" });
    const numbers = h("p", { class: "numbers muted" });
    const meter = h("span", { class: "meter", "aria-hidden": "true" });
    this.#rows.set(id, { state, numbers, meter });
    return h("li", { style: { "--color": colorOf(index) } },
      h("div", { class: "row spread" },
        check(id, true, (isShown) => {
          if (isShown) this.options.hidden.delete(id);
          else this.options.hidden.add(id);
          changed();
        }), state),
      numbers, meter);
  }
}
