// Which job to compare with.

import { button, h, replace } from "../base/dom.js";
import { ago } from "../base/format.js";
import { listed } from "../api/client.js";
import { badge, nameOf } from "./jobhead.js";
import { problem } from "./messages.js";

const MOST = 100;

/** Pages end early where jobs have long specs. */
async function newest(signal) {
  const all = [];
  for (let path = `/v1/jobs?limit=${MOST}`; path && all.length < MOST;) {
    const { jobs, next } = await listed(path, { signal });
    all.push(...jobs);
    path = next;
  }
  return all;
}

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
    newest(signal).then((jobs) => {
      const isSame = (other) => other.source.sha256 === job.source.sha256;
      const others = jobs.filter((other) => other.id !== job.id && other.progress.frames_done > 0);
      others.sort((a, b) => isSame(b) - isSame(a));
      replace(list, others.length === 0 && h("li", { class: "muted" }, "There is no other job with frames."), others.map((other) =>
        h("li", {}, h("button", { type: "button", class: "pick", on: { click: () => choose(other.id) } },
          h("span", {}, nameOf(other)), isSame(other) && h("span", { class: "muted" }, "same video"), badge(other.status), h("span", { class: "muted" }, ago(other.created_at))))));
    }, (error) => replace(list, h("li", {}, problem(error))));
  });
}
