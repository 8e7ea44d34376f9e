// What there is: newest first, with filters.

import { button, field, h, icon, replace, select } from "../base/dom.js";
import { ago, integer, plural, STATUS } from "../base/format.js";
import { go, link, remember } from "../base/router.js";
import { isAbort, listed, pause, request } from "../api/client.js";
import { picture } from "../api/objects.js";
import { badge, nameOf } from "../parts/jobhead.js";
import { confirm } from "../parts/dialogs.js";
import { message, problem } from "../parts/messages.js";

const PAGE = 24;
const LARGEST_PAGE = 100;
/** How often it is looked whether something changed. */
const REFRESH = 2500;

export function open(root, { query }) {
  const view = new JobList(root, query);
  view.start();
  return () => view.end();
}

class JobList {
  #aborter = new AbortController();
  #cards = new Map();
  #thumbs = new Map();
  #looking = 0;
  #queue = [];

  constructor(root, query) {
    this.root = root;
    this.filter = { status: query.get("status") ?? "", label: query.get("label") ?? "" };
    const status = select([["", "All"], ...Object.entries(STATUS)], this.filter.status, { on: {
      change: () => this.#filtered({ status: status.value }),
    } });
    const label = h("input", { type: "search", value: this.filter.label, placeholder: "camera=7", spellcheck: false, autocomplete: "off",
      on: { change: () => this.#filtered({ label: label.value.trim() }) } });
    this.list = h("ul", { class: "cards" });
    this.notice = h("div", { class: "notice" });
    this.more = button("Show more", { hidden: true, on: { click: () => this.#load(this.next) } });
    this.observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) this.#thumb(target);
    });
    root.className = "view jobs";
    replace(root,
      h("header", { class: "row spread wrap" }, h("h1", { tabIndex: -1 }, "Jobs"),
        h("div", { class: "row wrap filters" }, field("State", status), field("Label", label))),
      this.notice, this.list, h("div", { class: "row center" }, this.more));
  }

  async start() {
    await this.#load(null);
    while (!this.#aborter.signal.aborted) {
      try { await pause(REFRESH, this.#aborter.signal); } catch { return; }
      if (!document.hidden && !this.isRefused) await this.#refresh();
    }
  }

  end() {
    this.#aborter.abort();
    this.observer.disconnect();
  }

  #filtered(change) {
    this.filter = { ...this.filter, ...change };
    remember(Object.fromEntries(Object.entries(this.filter).filter(([, value]) => value)));
    this.#cards.clear();
    this.list.replaceChildren();
    return this.#load(null);
  }

  #path(limit = PAGE) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (this.filter.status) query.set("status", this.filter.status);
    const [name, ...value] = this.filter.label.split("=");
    if (name) query.set(`label.${name}`, value.join("="));
    return `/v1/jobs?${query}`;
  }

  #page(path) { return listed(path, { signal: this.#aborter.signal }); }

  async #load(path) {
    replace(this.notice);
    const { filter } = this;
    try {
      const { jobs, next } = await this.#page(path ?? this.#path());
      if (filter !== this.filter) return;
      this.isRefused = false;
      this.next = next;
      this.more.hidden = !next;
      for (const job of jobs) this.#show(job);
      this.#emptiness();
    } catch (error) {
      if (isAbort(error)) return;
      this.isRefused = error.status === 401;
      replace(this.notice, problem(error, { title: "The jobs cannot be listed", retry: () => this.#load(path) }));
    }
  }

  /** All that is shown again: what is new comes, what changed is written anew, what fits no more goes. */
  async #refresh() {
    const { filter } = this;
    const oldest = [...this.#cards.keys()].sort()[0];
    const listed = new Map();
    try {
      let path = this.#path(this.#cards.size > PAGE ? LARGEST_PAGE : PAGE);
      let last;
      do {
        const { jobs, next } = await this.#page(path);
        for (const job of jobs) listed.set(job.id, job);
        [path, last] = [next, jobs.at(-1)?.id];
      } while (path && oldest && last > oldest);
      if (filter !== this.filter) return;
      if (!oldest) this.more.hidden = !(this.next = path);
      for (const id of this.#cards.keys()) if (id >= oldest && !listed.has(id)) this.#drop(id);
      for (const job of listed.values()) if (job.id >= oldest || this.#cards.size < PAGE) this.#show(job);
      this.#emptiness();
      if (this.isBroken) replace(this.notice);
      this.isBroken = false;
    } catch (error) {
      if (isAbort(error)) return;
      this.isRefused = error.status === 401;
      if (!this.isBroken || this.isRefused) replace(this.notice, problem(error, { title: "The list is not up to date", retry: () => this.#load(null) }));
      this.isBroken = true;
    }
  }

  #emptiness() {
    const isFiltered = this.filter.status || this.filter.label;
    if (this.#cards.size > 0) this.list.querySelector(".empty")?.remove();
    else if (!this.list.querySelector(".empty")) {
      this.list.append(h("li", { class: "empty" }, isFiltered
        ? message("No job fits", "Choose another state, or another label.", { kind: "info" })
        : message("There is no job yet", "Drop a video, draw a box, and watch it being followed.", { kind: "info", actions: [button("Track a video", { kind: "primary", on: { click: () => go([]) } })] })));
    }
  }

  #drop(id) {
    this.#cards.get(id)?.element.remove();
    this.#cards.delete(id);
  }

  /** Ids begin with the time that they were made at: the greatest comes first. */
  #show(job) {
    if (!this.#cards.has(job.id)) {
      const card = this.#card(job);
      this.list.insertBefore(card.element, [...this.list.children].find(({ dataset }) => dataset.id < job.id) ?? null);
      this.#cards.set(job.id, card);
    }
    this.#update(this.#cards.get(job.id), job);
  }

  #card(job) {
    const { corrects, ...others } = job.spec.labels;
    const labels = [corrects && "a correction", ...Object.entries(others).map(([label, value]) => `${label}=${value}`)].filter(Boolean).join(", ");
    const name = nameOf(job);
    const thumb = h("div", { class: "thumb", dataset: { id: job.id, frame: String(job.spec.start_frame) } }, this.#thumbs.get(job.id) ?? icon("film"));
    const facts = h("span", { class: "muted numbers" });
    const anchor = h("a", { class: "card-link", href: link(["jobs", job.id]) }, thumb,
      h("div", { class: "card-text" },
        h("strong", { class: "card-name" }, name), facts, labels && h("span", { class: "muted card-labels" }, labels)));
    const status = badge(job.status);
    const percent = h("span", { class: "muted numbers" });
    const element = h("li", { class: "card", dataset: { id: job.id } }, anchor,
      h("div", { class: "row spread card-foot" }, status, percent,
        button(`Delete ${name}`, { symbol: "trash", iconOnly: true, kind: "quiet", on: { click: () => this.#remove(job) } })));
    return { element, name, thumb, facts, anchor, status, percent };
  }

  /** Writes what changes into a card, which keeps its focus. */
  #update({ name, thumb, facts, anchor, status, percent }, job) {
    const { frames_done: done, frames_total: total } = job.progress;
    const isRunning = job.status === "running";
    const isFinal = !isRunning && job.status !== "queued";
    facts.textContent = [
      total || done ? plural(isRunning && total ? total : done, "frame") : isFinal ? "no frame" : "no frame yet",
      plural(job.spec.targets.length, "target"), ago(job.created_at),
    ].join(" · ");
    anchor.setAttribute("aria-label", `${name}, ${STATUS[job.status]}`);
    status.dataset.status = job.status;
    status.textContent = STATUS[job.status];
    percent.textContent = isRunning && total ? `${integer((100 * done) / total)} %` : "";
    percent.hidden = percent.textContent === "";
    if (thumb.dataset.kept === "true") return;
    thumb.dataset.kept = String(done > 0);
    this.observer.observe(thumb);
  }

  async #remove(job) {
    if (!(await confirm(`Delete “${nameOf(job)}”?`, "Its video and its results are removed, too. This cannot be undone.", "Delete"))) return;
    try {
      await request(`/v1/jobs/${job.id}`, { method: "DELETE" });
      this.#drop(job.id);
      this.#emptiness();
      this.root.querySelector("h1").focus();
    } catch (error) {
      replace(this.notice, problem(error, { title: "The job cannot be deleted" }));
    }
  }

  // Thumbnails: one at a time, because each is decoded anew.

  #thumb(element) {
    this.observer.unobserve(element);
    if (element.dataset.kept !== "true" || this.#thumbs.has(element.dataset.id)) return;
    this.#queue.push(element);
    this.#next();
  }

  async #next() {
    if (this.#looking > 0) return;
    const element = this.#queue.shift();
    if (!element) return;
    this.#looking = 1;
    try {
      const image = await picture(`/v1/jobs/${element.dataset.id}/frames/${element.dataset.frame}`, { signal: this.#aborter.signal });
      const canvas = h("canvas", { width: 320, height: Math.round((320 * image.height) / image.width) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      image.close();
      this.#thumbs.set(element.dataset.id, canvas);
      this.#cards.get(element.dataset.id)?.element.querySelector(".thumb").replaceChildren(canvas);
    } catch { /* It is decoration. */ }
    this.#looking = 0;
    this.#next();
  }
}
