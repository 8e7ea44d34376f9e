// What a job can be told, with what it is told by default.

import { check, field, h, select } from "../base/dom.js";

export const DEFAULTS = {
  mode: "robust", motion: "affine", illumination: "gain_bias", on_lost: "search",
  start_frame: 0, stop_frame: null, frame_step: 1, video: false, crops: false,
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
  const number = (name, label, least, hint) => {
    const control = h("input", {
      type: "number", name, min: least, step: 1, value: options[name] ?? "", inputMode: "numeric",
      on: { input: () => set(name, control.value === "" ? DEFAULTS[name] : Number(control.value)) },
    });
    return field(label, control, hint);
  };
  return h("div", { class: "options" },
    choices,
    h("div", { class: "pair" },
      number("start_frame", "Start at frame", 0),
      number("stop_frame", "Stop before", 1, "Empty: at the end"),
      number("frame_step", "Every nth", 1)),
    check("Make the annotated video with it", options.video, (value) => set("video", value)),
    check("Make stabilised crops with it", options.crops, (value) => set("crops", value)));
}

/** The spec of a job, with what differs from the defaults only. */
export function spec(targets, options) {
  const differing = (names) => Object.fromEntries(names.filter((name) => options[name] !== DEFAULTS[name]).map((name) => [name, options[name]]));
  const tracker = differing(Object.keys(CHOICES));
  const output = { ...(options.video ? { video: "mp4" } : {}), ...(options.crops ? { crops: true } : {}) };
  return {
    targets,
    ...(Object.keys(tracker).length > 0 ? { tracker } : {}),
    ...differing(["start_frame", "stop_frame", "frame_step"]),
    ...(Object.keys(output).length > 0 ? { output } : {}),
  };
}
