// One job: watched while it runs, looked at when it has ended, corrected, compared, taken away.

import { announce, button, h, replace } from "../base/dom.js";
import { go, link, remember } from "../base/router.js";
import { isAbort, post, request } from "../api/client.js";
import { Comparison } from "../parts/compare.js";
import { Correction } from "../parts/correction.js";
import { confirm } from "../parts/dialogs.js";
import { exportsPanel } from "../parts/exports.js";
import { idLine, jobHead, nameOf } from "../parts/jobhead.js";
import { jobError, message, problem } from "../parts/messages.js";
import { pickJob } from "../parts/pickjob.js";
import { Viewer } from "../parts/viewer.js";

/** Browsers refuse addresses that change with each picture. */
const SETTLED = 300;

export function open(root, { id, query }) {
  const view = new JobView(root, id, query);
  view.start();
  return () => view.end();
}

class JobView {
  constructor(root, id, query) {
    this.id = id;
    this.query = query;
    this.head = jobHead({
      cancel: () => this.#cancel(), correct: () => this.#correct(), compare: () => this.#compare(), remove: () => this.#remove(),
    });
    this.viewer = new Viewer(id, {
      job: () => this.#job(), picture: (image) => this.#shown(image), line: (error) => this.head.broken(error),
      boxes: () => this.#beside(null),
    }, query.get("frame"));
    this.notice = h("div", { class: "notice" });
    this.outcome = h("div", { class: "notice" });
    this.stages = h("div", { class: "stages" }, h("figure", { class: "side" }, this.caption = h("figcaption", { hidden: true }), this.viewer.stage.element));
    this.aside = h("aside", { class: "side-column", "aria-label": "Targets and exports" });
    root.className = "view job two-columns";
    replace(root, this.head.element, this.notice, this.outcome,
      append(this.viewer.element, this.stages), this.aside);
  }

  async start() {
    try {
      await this.viewer.start();
    } catch (error) {
      if (isAbort(error)) return;
      const back = button("Go to the list", { on: { click: () => go(["jobs"]) } });
      const hint = [404, 410].includes(error.status) ? "The list shows what there is." : null;
      replace(this.notice, problem(error, { title: "The job cannot be shown", hint, actions: [back] }));
    }
  }

  end() {
    clearTimeout(this.settling);
    this.correction?.close();
    this.comparison?.close();
    this.viewer.close();
    document.title = "lktrack";
  }

  get job() { return this.viewer.job; }

  /** The job changed: its state, its progress, or whether there are frames. */
  #job() {
    const { job, track } = this.viewer;
    if (job.status === "deleted") return go(["jobs"]);
    this.head.update(job, track.count > 0);
    if (this.shownStatus !== `${job.status}/${track.count > 0}`) {
      if (this.shownStatus && !this.shownStatus.startsWith(job.status)) announce(`${nameOf(job)}: ${job.status}`);
      this.shownStatus = `${job.status}/${track.count > 0}`;
      this.#panels();
      this.#outcome();
    }
    if (!this.hasLooked && track.count > 0 && this.query.get("with")) {
      this.hasLooked = true;
      this.#with(this.query.get("with"));
    }
  }

  #panels() {
    const { job, track, inspector, isFinal } = this.viewer;
    replace(this.aside,
      this.correction?.element, track.count > 0 && inspector.element,
      isFinal && track.count > 0 && h("section", { class: "panel", "aria-label": "Take it away" }, h("h2", {}, "Take it away"), exportsPanel(job, this.viewer.signal)),
      h("section", { class: "panel", "aria-label": "The job" },
        h("details", {}, h("summary", {}, "As it was asked for"), idLine(job), h("pre", { tabIndex: 0 }, JSON.stringify(job.spec, null, 2)))));
  }

  #outcome() {
    const { job, track } = this.viewer;
    const again = button("Track something else", { on: { click: () => go([]) } });
    const kept = track.count > 0 ? `Its first ${track.count} frames are kept.` : "It has no frames.";
    replace(this.outcome,
      job.status === "failed" && jobError(job.error, [again]),
      job.status === "canceled" && message("The job was canceled", kept, { kind: "info", actions: track.count > 0 ? [] : [again] }));
  }

  /** A picture is on the stage. */
  #shown(image) {
    const { player, track } = this.viewer;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.#remember(), SETTLED);
    this.correction?.show(track, player.row, player.isPlaying);
    this.#beside(image);
  }

  /** The address leads to what is shown. */
  #remember() {
    const { player, wanted, isLive } = this.viewer;
    const frame = wanted ?? (player?.row > 0 && !player.isPlaying && !isLive ? player.frame : null);
    remember({ ...(this.comparison ? { with: this.comparison.id } : {}), ...(frame === null ? {} : { frame }) });
  }

  // What can be done with it

  async #attempt(title, act) {
    replace(this.notice);
    try {
      await act();
    } catch (error) {
      if (!isAbort(error)) replace(this.notice, problem(error, { title }));
    }
  }

  #cancel() {
    return this.#attempt("The job cannot be canceled", async () => {
      await request(`/v1/jobs/${this.id}/cancel`, { method: "POST" });
    });
  }

  async #remove() {
    const sure = await confirm("Delete this job?", "Its video and its results are removed, too. This cannot be undone.", "Delete");
    if (!sure) return;
    await this.#attempt("The job cannot be deleted", async () => {
      await request(`/v1/jobs/${this.id}`, { method: "DELETE" });
      go(["jobs"]);
    });
  }

  #correct() {
    if (this.correction) return this.#leaveCorrection();
    const { viewer } = this;
    viewer.player.pause();
    this.correction = new Correction(this.job, viewer.stage, {
      seek: (frame) => viewer.player.seekFrame(frame), end: () => this.#leaveCorrection(), run: (spec) => this.#runAgain(spec),
    });
    this.#panels();
    viewer.isCorrecting = true;
    this.correction.show(viewer.track, viewer.player.row, false);
    announce("Correct: move or resize a box.");
  }

  async #leaveCorrection() {
    const { correction } = this;
    const isSure = correction.count === 0
      || (await confirm("Drop the corrections?", "Nothing was tracked again with them yet.", "Drop them", "Keep them"));
    if (!isSure || this.correction !== correction) return;
    correction.close();
    this.correction = null;
    this.viewer.isCorrecting = false;
    this.#panels();
  }

  #runAgain(spec) {
    return this.#attempt("The server did not take the correction", async () => {
      const job = await post("/v1/jobs", { source: { job: this.id }, ...spec });
      go(["jobs", job.id], { with: this.id, frame: this.viewer.player.frame });
    });
  }

  // Beside another

  async #compare() {
    if (this.comparison) return this.#alone();
    const id = await pickJob(this.job, this.viewer.signal);
    if (id) this.#with(id);
  }

  #with(id) {
    this.comparison?.close();
    this.comparison = new Comparison(id, {
      changed: () => this.#compared(),
      problem: (error) => {
        this.#alone();
        replace(this.notice, problem(error, { title: "The other job cannot be shown" }));
      },
    });
    this.comparison.id = id;
    this.stages.append(this.comparison.element);
    this.stages.classList.add("two");
    this.caption.hidden = false;
    this.viewer.stage.layout();
    this.#compared();
  }

  #alone() {
    this.comparison.element.remove();
    this.comparison.close();
    this.comparison = null;
    this.stages.classList.remove("two");
    this.caption.hidden = true;
    this.viewer.stage.layout();
    this.#remember();
  }

  #compared() {
    const { job } = this.comparison ?? {};
    if (!job) return;
    const isBefore = this.job?.spec.labels.corrects === job.id;
    this.caption.textContent = isBefore ? "After" : "This job";
    replace(this.comparison.caption, isBefore ? "Before" : nameOf(job), " ", h("a", { href: link(["jobs", job.id]) }, "open"), " ",
      button("Close", { symbol: "close", iconOnly: true, kind: "quiet", on: { click: () => this.#alone() } }));
    if (this.viewer.player) this.#beside(this.viewer.stage.picture);
  }

  #beside(image) {
    if (!this.comparison || !this.viewer.player) return;
    this.comparison.show(this.job, image, this.viewer.player.frame, this.viewer.inspector.options)
      .catch((error) => { if (!isAbort(error)) replace(this.notice, problem(error)); });
  }
}

const append = (element, child) => {
  element.prepend(child);
  return element;
};
