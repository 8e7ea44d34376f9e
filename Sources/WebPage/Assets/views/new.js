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
import * as draft from "./draft.js";

export function newView(root) {
  const view = new NewJob(root);
  view.start();
  return () => view.end();
}

class NewJob {
  #aborter = new AbortController();

  constructor(root) {
    this.root = root;
    this.items = [];
    this.options = { ...DEFAULTS };
  }

  /** What was begun in this tab before it was reloaded is gone on with. */
  async start() {
    const kept = draft.read();
    if (!kept) return this.#empty();
    if (kept.isDone) {
      [this.items, this.options] = [kept.items ?? [], { ...DEFAULTS, ...kept.options }];
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
    this.stage = new Stage("The first frame, with the boxes");
    this.stage.say("The first frame appears here when the upload is done.");
    this.list = new TargetList({ change: () => this.#changed(), remove: (item) => this.#remove(item) });
    this.bar = uploadBar(this.upload, { onDiscard: () => this.#discard() });
    this.add = button("Add a box", { symbol: "plus", disabled: true, on: { click: () => this.#addInTheMiddle() } });
    this.submit = button("Track", { kind: "primary large", disabled: true, on: { click: () => this.#submit() } });
    this.notice = h("div", { class: "notice" });
    this.line = copyLine("The same by curl");
    this.root.className = "view new two-columns";
    replace(this.root,
      h("section", { class: "main-column", "aria-label": "First frame" }, this.bar.element, this.stage.element,
        h("p", { class: "hint" }, `Draw a box around what is to be followed. ${BOX_HELP}`)),
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
      await this.#paint();
    } catch (error) {
      if (this.#aborter.signal.aborted) return;
      this.stage.say("");
      if (error.status === 404 || error.status === 410) draft.clear();
      return replace(this.notice, problem(error, { title: "The first frame cannot be shown" }));
    }
    this.editor = new BoxEditor(this.stage, {
      change: () => this.#changed(), create: (box) => this.#create(box), remove: (item) => this.#remove(item),
    });
    this.#judge();
    this.add.disabled = false;
    this.#show();
  }

  /** Shows the frame that tracking starts with. */
  async #paint() {
    const frame = this.shownFrame = this.options.start_frame;
    const image = await picture(`${this.upload.path}/frames/${frame}`, { signal: this.#aborter.signal });
    if (frame === this.shownFrame) this.stage.paint(image, null, -1);
    image.close();
  }

  // Boxes

  #create(box) {
    if (this.items.length >= 64) {
      replace(this.notice, message("That are enough", "A job may have up to 64 targets."));
      return null;
    }
    let number = this.items.length + 1;
    while (this.items.some((item) => item.id === `target-${number}`)) number += 1;
    const item = { id: `target-${number}`, box };
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
    this.list.show(this.items);
    this.editor.show(this.items);
    this.#changed();
  }

  #changed() {
    this.list.update(this.items);
    this.editor?.update();
    this.trackability?.ask(this.items, this.options.start_frame);
    if (this.editor && this.options.start_frame !== this.shownFrame) this.#otherFrame();
    this.empty.hidden = this.items.length > 0;
    const isReady = this.editor && this.items.length > 0 && this.list.isValid(this.items);
    this.submit.disabled = !isReady;
    this.submit.querySelector("span").textContent = this.items.length > 1 ? `Track ${this.items.length} targets` : "Track";
    this.line.set(submitLine(this.upload.name, this.#spec()));
    draft.update({ items: this.items.map(({ id, box }) => ({ id, box })), options: this.options });
  }

  async #otherFrame() {
    replace(this.notice);
    await this.#paint().catch((error) => {
      if (!this.#aborter.signal.aborted) replace(this.notice, problem(error, { title: `Frame ${this.shownFrame} cannot be shown` }));
    });
  }

  #spec() { return spec(this.items.map(({ id, box }) => ({ id, box })), this.options); }

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
      this.submit.disabled = false;
    }
  }

  async #discard() {
    draft.clear();
    this.end();
    this.editor = null;
    this.items = [];
    this.#aborter = new AbortController();
    this.#empty();
    await this.upload.discard();
  }
}
