// The boxes of a job that is to be, as fields: names, numbers, and how well each can be tracked.

import { button, h } from "../base/dom.js";
import { short } from "../base/format.js";

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const SIDES = { left: "x", top: "y", width: "w", height: "h" };

export class TargetList {
  #rows = new Map();

  /** @param on {change: (item), remove: (item), go: (frame)} */
  constructor(on) {
    this.on = on;
    this.element = h("ul", { class: "targets", "aria-label": "Targets" });
  }

  show(items) {
    for (const [item, row] of this.#rows) {
      if (items.includes(item)) continue;
      row.element.remove();
      this.#rows.delete(item);
    }
    for (const item of items) {
      if (!this.#rows.has(item)) {
        const row = this.#row(item);
        this.#rows.set(item, row);
        this.element.append(row.element);
      }
      this.#rows.get(item).element.style.setProperty("--color", item.color);
    }
    this.update(items);
  }

  update(items) {
    for (const [item, row] of this.#rows) {
      row.numbers.forEach((input, index) => {
        if (document.activeElement !== input) input.value = short(item.box[index]);
      });
      const others = items.filter((other) => other !== item && other.id === item.id);
      const wrong = !NAME.test(item.id) ? "Letters, digits, “.”, “_” and “-” only, up to 64." : others.length > 0 ? "Another target has this name." : "";
      row.name.setCustomValidity(wrong);
      row.name.setAttribute("aria-invalid", String(wrong !== ""));
      row.wrong.textContent = wrong;
      row.wrong.hidden = !wrong;
      rating(row.rating, item.trackability);
    }
  }

  isValid(items) { return items.every((item) => NAME.test(item.id)) && new Set(items.map((item) => item.id)).size === items.length; }

  #row(item) {
    const name = h("input", { type: "text", class: "target-name", value: item.id, "aria-label": "Name", maxLength: 64, spellcheck: false, autocomplete: "off",
      on: { input: () => { item.id = name.value; this.on.change(item); } } });
    const numbers = Object.keys(SIDES).map((side, index) => {
      const input = h("input", { type: "number", step: "any", "aria-label": `${side} of ${item.id}, pixels`, title: side, on: { input: () => {
        const value = Number(input.value);
        if (input.value === "" || !Number.isFinite(value) || (index > 1 && value < 4)) return;
        item.box = item.box.with(index, value);
        this.on.change(item);
      } } });
      return input;
    });
    const sides = Object.values(SIDES).map((letter, index) => h("div", {}, h("span", { "aria-hidden": "true" }, letter), numbers[index]));
    const wrong = h("p", { class: "wrong", hidden: true });
    const mark = h("div", { class: "rating" });
    const begins = button(`From frame ${item.frame}`, { kind: "quiet small", hidden: item.frame === 0, on: { click: () => this.on.go(item.frame) } });
    const remove = button(`Remove ${item.id}`, { symbol: "close", iconOnly: true, kind: "quiet", on: { click: () => this.on.remove(item) } });
    const element = h("li", { class: "target" },
      h("div", { class: "row" }, name, remove),
      wrong, h("div", { class: "numbers-row" }, sides), mark, begins);
    return { element, name, numbers, wrong, rating: mark };
  }
}

/** A word, a bar and a reason. */
function rating(element, known) {
  element.hidden = !known;
  if (!known) return;
  element.dataset.grade = known.grade;
  element.replaceChildren(
    h("span", { class: "rating-bar", "aria-hidden": "true", style: { "--value": String(known.value) } }),
    h("strong", {}, known.text), ...(known.advice ? [h("p", { class: "muted" }, known.advice)] : []));
}
