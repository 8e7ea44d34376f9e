// Elements are made here and nowhere else: text is always a text node, so nothing that came from elsewhere is ever
// read as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `properties` may have `class`, `dataset`, `on` (listeners by event), `style` (custom properties or
 * properties, set one by one because the policy forbids style attributes); `aria-*`, `role` and the like become
 * attributes, everything else is assigned.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name in element && !name.includes("-") && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) element.append(child);
  }
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** One of the page's own symbols; decoration, so it has no name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button; with an icon alone it is named by `label`. */
export function button(label, { symbol, iconOnly = false, kind = "", ...properties } = {}) {
  const named = iconOnly ? { "aria-label": label, title: properties.title ?? label } : {};
  return h("button", { type: "button", class: `button ${kind} ${iconOnly ? "icon-only" : ""}`.trim(), ...properties, ...named },
    symbol && icon(symbol), !iconOnly && h("span", {}, label));
}

let fields = 0;

/** A control with its label, and what it means. */
export function field(label, control, hint) {
  control.id ||= `field-${++fields}`;
  const note = hint && h("p", { class: "hint", id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { htmlFor: control.id }, label), control, note);
}

export function select(options, value, properties = {}) {
  const element = h("select", properties,
    options.map(([key, text]) => h("option", { value: key }, text)));
  element.value = value;
  return element;
}

export function check(label, checked, onChange) {
  const box = h("input", { type: "checkbox", checked, on: { change: () => onChange(box.checked) } });
  return h("label", { class: "check" }, box, h("span", {}, label));
}

/** Says something to screen readers without moving the focus. */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

// Drawn on 24 × 24, as strokes.
const ICONS = {
  play: "M7 5v14l12-7z",
  pause: "M8 5v14M16 5v14",
  back: "M15 6l-7 6 7 6M18 6v12",
  forward: "M9 6l7 6-7 6M6 6v12",
  lost: "M12 4l9 16H3zM12 10v4M12 17v.5",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 16v4h16v-4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  edit: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  compare: "M4 5h7v14H4zM13 5h7v14h-7z",
  stop: "M6 6h12v12H6z",
  key: "M14 10a4 4 0 1 0-3 4l2 2h2v2h2v2h3v-3z",
  check: "M5 12l5 5L20 7",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 10h4M4 15h4M16 10h4M16 15h4",
};
