// A job that is to be: a file, its first frame, boxes on it.

import { announce, button, h, replace } from "../base/dom.js";
import { go } from "../base/router.js";
import { post } from "../api/client.js";
import { picture } from "../api/objects.js";
import { Trackability } from "../api/trackability.js";
import { Upload } from "../api/tus.js";
import { BOX_HELP, BoxEditor } from "../parts/boxes.js";
import { copyLine, submitLine } from "../parts/curl.js";
import { dropZone } from "../parts/drop.js";
import { message, problem } from "../parts/messages.js";
import { DEFAULTS, optionFields, spec } from "../parts/options.js";
import { Stage } from "../parts/stage.js";
import { TargetList } from "../parts/targetlist.js";
import { uploadBar } from "../parts/uploadbar.js";
import { colorOf } from "../track/draw.js";
import * as draft from "./draft.js";

export function open(root) {
  const view = new NewJob(root);
  view.start();
  return () => view.end();
}

class NewJob {
  #aborter = new AbortController();

  constructor(root) {
    this.root = root;
    /** {id, box, frame: that it is drawn in} */
    this.items = [];
    this.frame = 0;
    this.options = { ...DEFAULTS };
  }

  /** What was begun in this tab before it was reloaded is gone on with. */
  async start() {
    const kept = draft.read();
    if (!kept) return this.#empty();
    if (kept.isDone) {
      this.items = (kept.items ?? []).map((item) => ({ frame: 0, ...item }));
      this.options = { ...DEFAULTS, ...kept.options };
      this.frame = this.items[0]?.frame ?? 0;
      this.upload = Upload.finished(kept);
      return this.#workspace();
    }
    this.#empty(message("An upload was interrupted",
      `Choose “${kept.name}” again: it goes on where it stopped.`, { kind: "info" }));
  }

  end() {
    this.#aborter.abort();
    this.trackability?.stop();
    this.editor?.close();
    this.stage?.close();
    if (["sending", "waiting"].includes(this.upload?.state)) this.upload.pause();
  }

  #empty(note) {
    this.root.className = "view new";
    replace(this.root, dropZone((found) => this.#take(found)), this.notice = h("div", { class: "notice" }, note));
  }

  async #take({ body, name, problem: wrong }) {
    if (wrong) return replace(this.notice, message("These files cannot be one job", wrong));
    if (body.size === 0) return replace(this.notice, message("The file is empty", `“${name}” has no bytes.`));
    this.upload = new Upload(body, name, () => this.#uploaded());
    const kept = draft.read();
    const isSame = kept && !kept.isDone && kept.name === name && kept.size === body.size;
    if (isSame && (await this.upload.adopt(kept.path))) announce("The upload goes on where it stopped.");
    this.#workspace();
    this.upload.run();
  }

  #uploaded() {
    const { path, name, size, state } = this.upload;
    if (state === "discarded") return;
    if (path) draft.write({ ...(draft.read() ?? {}), path, name, size, isDone: state === "done" });
    this.bar?.update();
    if (state === "done") this.#frame();
  }

  // The workspace

  #workspace() {
    this.stage = new Stage("Frame");
    this.stage.say("The first frame appears here when the upload is done.");
    this.list = new TargetList({ change: () => this.#changed(), remove: (item) => this.#remove(item), go: (frame) => this.#go(frame) });
    const step = (label, symbol, by) => button(label, { symbol, iconOnly: true, kind: "quiet", on: { click: () => this.#go(this.wanted + by) } });
    this.number = h("input", { type: "number", class: "frame-number", min: 0, step: 1, value: 0, "aria-label": "Go to frame",
      on: { change: () => this.#go(this.number.valueAsNumber) } });
    this.frames = h("div", { class: "transport", hidden: true, role: "group", "aria-label": "Frame" }, h("div", { class: "row" },
      step("Back one frame", "back", -1), h("label", { class: "frame-label" }, "Frame", this.number), step("Forward one frame", "forward", 1),
      h("span", { class: "hint fill" }, "What appears later begins later: go to its frame and draw it there."), this.stage.zoomField()));
    this.bar = uploadBar(this.upload, { onDiscard: () => this.#discard() });
    this.add = button("Add a box", { symbol: "plus", disabled: true, on: { click: () => this.#addInTheMiddle() } });
    this.submit = button("Track", { kind: "primary large", disabled: true, on: { click: () => this.#submit() } });
    this.notice = h("div", { class: "notice" });
    this.line = copyLine("The same by curl");
    this.root.className = "view new two-columns";
    replace(this.root,
      h("section", { class: "main-column", "aria-label": "First frame" }, this.bar.element, this.stage.element, this.frames,
        h("p", { class: "hint" }, "Draw a box around what is to be followed. ", h("span", { class: "keys" }, BOX_HELP))),
      h("aside", { class: "side-column", "aria-label": "What to track" },
        h("h2", {}, "Targets"),
        this.empty = h("p", { class: "muted" }, "None yet. Draw a box on the picture, or add one here."),
        this.list.element, this.add,
        h("details", {}, h("summary", {}, "Options"), optionFields(this.options, () => this.#changed())),
        this.notice, this.submit,
        h("details", { class: "curl" }, h("summary", {}, "The same on the command line"), this.line.element)));
    this.#changed();
    if (this.upload.state === "done") this.#frame();
  }

  async #frame() {
    if (this.editor) return;
    this.stage.say("The server decodes the first frame…");
    try {
      await this.#paint(this.frame);
    } catch (error) {
      if (this.#aborter.signal.aborted) return;
      this.stage.say("There is no picture to draw on.");
      if (error.status === 404 || error.status === 410) draft.clear();
      return replace(this.notice, problem(error, { title: "The first frame cannot be shown" }));
    }
    this.editor = new BoxEditor(this.stage, {
      change: () => this.#changed(), create: (box) => this.#create(box), remove: (item) => this.#remove(item),
    });
    this.#judge();
    this.add.disabled = this.frames.hidden = false;
    this.#show();
  }

  /** Shows a frame, unless another one is wanted meanwhile. */
  async #paint(frame) {
    this.wanted = frame;
    const image = await picture(`${this.upload.path}/frames/${frame}`, { signal: this.#aborter.signal });
    if (frame === this.wanted) {
      this.frame = this.number.value = frame;
      this.stage.frame.setAttribute("aria-label", `Frame ${frame}, with the boxes that begin in it`);
      this.stage.paint(image, null, -1);
    }
    image.close();
  }

  /** To another frame, for targets that begin later. */
  async #go(place) {
    const frame = Math.max(0, Math.round(place) || 0);
    replace(this.notice);
    try {
      await this.#paint(frame);
      this.#show();
    } catch (error) {
      if (this.#aborter.signal.aborted || frame !== this.wanted) return;
      this.wanted = this.number.value = this.frame;
      replace(this.notice, message(`Frame ${frame} cannot be shown`, error.message));
    }
  }

  // Boxes

  #create(box) {
    if (this.items.length >= 64) {
      replace(this.notice, message("That is enough", "A job may have up to 64 targets."));
      return null;
    }
    let number = this.items.length + 1;
    while (this.items.some((item) => item.id === `target-${number}`)) number += 1;
    const item = { id: `target-${number}`, box, frame: this.frame };
    this.items.push(item);
    this.#show();
    return item;
  }

  #addInTheMiddle() {
    const { width, height } = this.stage;
    const item = this.#create([width * 0.4, height * 0.4, width * 0.2, height * 0.2].map(Math.round));
    if (item) this.editor.focus(item);
  }

  #remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.#show();
    announce(`${item.id} removed`);
    this.add.focus();
  }

  #show() {
    this.items.forEach((item, index) => { item.color = colorOf(index); });
    this.list.show(this.items);
    this.editor.show(this.#drawn);
    this.#changed();
  }

  /** What is drawn in the frame that is shown. */
  get #drawn() { return this.items.filter(({ frame }) => frame === this.frame); }

  #changed() {
    this.list.update(this.items);
    this.editor?.update();
    this.trackability?.ask(this.#drawn, this.frame);
    this.empty.hidden = this.items.length > 0;
    const isReady = this.editor && this.items.length > 0 && this.list.isValid(this.items);
    this.submit.disabled = !isReady;
    this.submit.querySelector("span").textContent = this.items.length > 1 ? `Track ${this.items.length} targets` : "Track";
    this.line.set(submitLine(this.upload.name, this.#spec()));
    draft.update({ items: this.items.map(({ id, box, frame }) => ({ id, box, frame })), options: this.options });
  }

  #spec() { return spec(this.items, this.options); }

  #judge() { this.trackability = new Trackability(this.upload.id, () => this.list.update(this.items)); }

  async #submit() {
    this.submit.disabled = true;
    replace(this.notice);
    // The job takes the upload, and nothing can be asked about it any more.
    this.trackability.stop();
    try {
      const job = await post("/v1/jobs", { source: { upload: this.upload.id }, ...this.#spec() });
      draft.clear();
      go(["jobs", job.id]);
    } catch (error) {
      replace(this.notice, problem(error, { title: "The server did not take the job" }));
      this.#judge();
      this.#changed();
    }
  }

  async #discard() {
    draft.clear();
    this.end();
    this.editor = null;
    this.items = [];
    this.frame = 0;
    this.#aborter = new AbortController();
    this.#empty();
    await this.upload.discard();
  }
}
