// Which job to compare with.

import { button, h, replace } from "../base/dom.js";
import { ago } from "../base/format.js";
import { json } from "../api/client.js";
import { badge, nameOf } from "./jobhead.js";
import { problem } from "./messages.js";

/** Resolves with a job's id, or `null`. Jobs of the same source come first. */
export function pickJob(job, signal) {
  return new Promise((resolve) => {
    let answer = null;
    const list = h("ul", { class: "picks" }, h("li", { class: "muted" }, "Loading…"));
    const dialog = h("dialog", { "aria-labelledby": "pick-title", on: { close: () => { dialog.remove(); resolve(answer); } } },
      h("h2", { id: "pick-title" }, "Compare with"),
      list, h("div", { class: "row end" }, button("Leave", { on: { click: () => dialog.close() } })));
    const choose = (id) => {
      answer = id;
      dialog.close();
    };
    document.body.append(dialog);
    dialog.showModal();
    json("/v1/jobs?limit=100", { signal }).then(({ jobs }) => {
      const isSame = (other) => other.source.sha256 === job.source.sha256;
      const others = jobs.filter((other) => other.id !== job.id && other.progress.frames_done > 0);
      others.sort((a, b) => isSame(b) - isSame(a));
      replace(list, others.length === 0 && h("li", { class: "muted" }, "There is no other job with frames."), others.map((other) =>
        h("li", {}, h("button", { type: "button", class: "pick", on: { click: () => choose(other.id) } },
          h("span", {}, nameOf(other)), isSame(other) && h("span", { class: "muted" }, "same video"), badge(other.status), h("span", { class: "muted" }, ago(other.created_at))))));
    }, (error) => replace(list, h("li", {}, problem(error))));
  });
}
