// What a job is and how far it has come.

import { button, h, replace } from "../base/dom.js";
import { ago, bytes, duration, integer, plural, STATUS } from "../base/format.js";
import { link } from "../base/router.js";
import { copyButton } from "./curl.js";

export const badge = (status) => h("span", { class: "badge", dataset: { status } }, STATUS[status] ?? status);

export const nameOf = (job) => job.source.file_name ?? `Job ${job.id.slice(-8)}`;

/** @param actions {cancel, correct, compare, remove} */
export function jobHead(actions) {
  const title = h("h1", { tabIndex: -1 }, "…");
  const status = h("span", {});
  const facts = h("p", { class: "muted facts numbers" });
  const before = h("p", { class: "muted", hidden: true });
  const buttons = {
    cancel: button("Cancel", { symbol: "stop", on: { click: actions.cancel } }),
    correct: button("Correct", { symbol: "edit", on: { click: actions.correct } }),
    compare: button("Compare", { symbol: "compare", on: { click: actions.compare } }),
    remove: button("Delete", { symbol: "trash", kind: "quiet", on: { click: actions.remove } }),
  };
  const progress = h("progress", { "aria-label": "Progress" });
  const words = h("p", { class: "numbers" });
  const line = h("p", { class: "line-broken", role: "status", hidden: true });
  const running = h("div", { class: "progress", hidden: true }, progress, words);
  const element = h("header", { class: "job-head" },
    h("div", { class: "row spread wrap" },
      h("div", { class: "job-title" }, h("div", { class: "row" }, title, status), facts, before),
      h("div", { class: "row wrap actions" }, Object.values(buttons))),
    running, line);

  const update = (job, hasFrames) => {
    const isFinal = !["queued", "running"].includes(job.status);
    title.textContent = nameOf(job);
    document.title = `${nameOf(job)} · lktrack`;
    replace(status, badge(job.status));
    const { width, height, frame_rate: rate, codec, bytes: size } = job.source;
    replace(facts, [
      width && `${width} × ${height}`, rate && `${Math.round(100 * rate) / 100} fps`, codec, bytes(size),
      plural(job.spec.targets.length, "target"), ago(job.created_at), job.expires_at && `kept until ${new Date(job.expires_at).toLocaleString()}`,
    ].filter(Boolean).join("  ·  "));
    const { corrects } = job.spec.labels;
    before.hidden = !corrects;
    if (corrects) replace(before, "Corrects ", h("a", { href: link(["jobs", corrects]) }, "another job"), ", ", h("a", { href: link(["jobs", job.id], { with: corrects }) }, "compare them"));
    buttons.cancel.hidden = isFinal;
    buttons.correct.hidden = !isFinal || !hasFrames;
    buttons.compare.hidden = !hasFrames;
    running.hidden = isFinal;
    tell(job.progress, job.status, progress, words);
  };
  const broken = (error) => {
    line.hidden = !error;
    line.textContent = error ? `${error.message} Trying again…` : "";
  };
  return { element, update, broken, title };
}

function tell({ frames_done: done, frames_total: total, frames_per_second: rate }, status, progress, words) {
  if (total) [progress.max, progress.value] = [total, done];
  else progress.removeAttribute("value");
  const left = total && rate > 0 ? ` · ${duration((total - done) / rate)} left` : "";
  words.textContent = status === "queued" ? "Waiting for its turn" : done === 0 ? "Starting" : `Frame ${integer(done)}${total ? ` of ${integer(total)}` : ""} · ${integer(rate)} frames a second${left}`;
}

export const idLine = (job) => h("p", { class: "row id-line" }, h("code", {}, job.id), copyButton(() => job.id, "Copy the id"));
