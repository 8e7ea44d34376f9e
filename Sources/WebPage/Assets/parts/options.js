// What a job can be told, with what it is told by default.

import { check, field, h, select } from "../base/dom.js";

export const DEFAULTS = {
  mode: "robust", motion: "affine", illumination: "gain_bias", on_lost: "search",
  gamma: 1, stop_frame: null, frame_step: 1, video: false, crops: false, labels: "",
};

const CHOICES = {
  mode: ["Tracker", [["robust", "Robust: holds on, finds again"], ["template", "Template: alignment alone"], ["points", "Points: sparse flow over the box"]]],
  motion: ["Motion", [["affine", "Affine"], ["similarity", "Similarity"], ["translation", "Translation"]]],
  illumination: ["Changes of light", [["gain_bias", "Gain and bias, each frame"], ["clahe", "CLAHE"], ["gamma", "Gamma"], ["none", "None"]]],
  on_lost: ["When it is lost", [["search", "Search around the place"], ["hold", "Hold the last box"], ["stop", "Stop looking"]]],
};

/** Fields for options, which they write into; `changed` is called after each change. */
export function optionFields(options, changed) {
  const set = (name, value) => {
    options[name] = value;
    changed();
  };
  const choices = Object.entries(CHOICES).map(([name, [label, values]]) => {
    const control = select(values, options[name], { name, on: { change: () => set(name, control.value) } });
    return field(label, control);
  });
  const number = (name, label, hint, least = 1, step = 1) => {
    const control = h("input", {
      type: "number", name, min: least, step, value: options[name] ?? "", inputMode: "decimal",
      on: { input: () => set(name, control.value === "" ? DEFAULTS[name] : Number(control.value)) },
    });
    return field(label, control, hint);
  };
  const labels = h("input", { type: "text", name: "labels", value: options.labels, placeholder: "camera=7, site=north", spellcheck: false, autocomplete: "off",
    on: { input: () => set("labels", labels.value) } });
  const gamma = number("gamma", "Gamma", "The exponent, over levels from 0 to 1", 0.1, 0.1);
  const showGamma = () => { gamma.hidden = options.illumination !== "gamma"; };
  choices[2].addEventListener("change", showGamma);
  showGamma();
  return h("div", { class: "options" },
    choices.toSpliced(3, 0, gamma),
    h("div", { class: "pair" },
      number("stop_frame", "Stop before frame", "Empty: at the end"),
      number("frame_step", "Every nth frame")),
    field("Labels", labels, "To find the job by."),
    check("Make the annotated video with it", options.video, (value) => set("video", value)),
    check("Make stabilised crops with it", options.crops, (value) => set("crops", value)));
}

/** The spec of a job, with what differs from the defaults only. It starts where the first target does. */
export function spec(items, options) {
  const start = Math.min(...items.map(({ frame }) => frame));
  const targets = items.map(({ id, box, frame }) => ({ id, box, ...(frame > start ? { start_frame: frame } : {}) }));
  const differing = (names) => Object.fromEntries(names.filter((name) => options[name] !== DEFAULTS[name]).map((name) => [name, options[name]]));
  const tracker = differing([...Object.keys(CHOICES), "gamma"]);
  const labels = labelled(options.labels);
  const output = { ...(options.video ? { video: "mp4" } : {}), ...(options.crops ? { crops: true } : {}) };
  return {
    targets,
    ...(Object.keys(tracker).length > 0 ? { tracker } : {}),
    ...(start > 0 && items.length > 0 ? { start_frame: start } : {}),
    ...differing(["stop_frame", "frame_step"]),
    ...(Object.keys(output).length > 0 ? { output } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  };
}

/** `a=b, c` → {a: "b", c: ""}. */
function labelled(text) {
  const pairs = text.split(",").map((label) => label.split("=")).map(([name, ...value]) => [name.trim(), value.join("=").trim()]);
  return Object.fromEntries(pairs.filter(([name]) => name));
}
