// How far an upload has come, with pause and resume.

import { button, h, replace } from "../base/dom.js";
import { bytes, duration } from "../base/format.js";
import { problem } from "./messages.js";

const WORDS = { idle: "Waiting", sending: "Uploading", paused: "Paused", failed: "Stopped" };

export function uploadBar(upload, { onDiscard }) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${upload.name}` });
  const text = h("p", { class: "muted numbers" });
  const toggle = button("Pause", { on: { click: () => (upload.state === "paused" ? upload.run() : upload.pause()) } });
  const discard = button("Remove this upload", { symbol: "close", iconOnly: true, on: { click: onDiscard } });
  const trouble = h("div", {});
  const element = h("div", { class: "upload" },
    h("div", { class: "row spread" }, h("h1", { class: "file-name" }, upload.name), h("div", { class: "row" }, toggle, discard)),
    bar, text, trouble);

  const update = () => {
    element.dataset.state = upload.state;
    bar.value = upload.size ? upload.offset / upload.size : 1;
    bar.hidden = upload.state === "done";
    toggle.hidden = !["sending", "paused", "waiting"].includes(upload.state);
    toggle.querySelector("span").textContent = upload.state === "paused" ? "Resume" : "Pause";
    const left = upload.rate && upload.state === "sending" ? `, ${duration((upload.size - upload.offset) / upload.rate)} left` : "";
    text.textContent = upload.state === "done"
      ? bytes(upload.size)
      : `${upload.state === "waiting" ? `${upload.error.message} Trying again` : WORDS[upload.state]}: ${bytes(upload.offset)} of ${bytes(upload.size)}${left}`;
    replace(trouble, upload.state === "failed" && problem(upload.error, { title: "The upload stopped", retry: () => upload.run() }));
  };
  update();
  return { element, update };
}
