// Boxes that are drawn anew, at any frame, and the job that is run again with them.

import { button, field, h, replace, select } from "../base/dom.js";
import { colorOf } from "../track/draw.js";
import { BoxEditor } from "./boxes.js";

export class Correction {
  /** By target and frame: {id, frame, box}. */
  #changes = new Map();
  #editor;
  #frame = -1;
  #items = [];

  /** @param on {seek: (frame), run: (spec), end: ()} */
  constructor(job, stage, on) {
    this.job = job;
    this.on = on;
    const ids = job.spec.targets.map(({ id }) => id);
    this.#editor = new BoxEditor(stage, {
      change: (item) => this.#changed(item), create: (box) => this.#drawn(box),
      remove: (item) => this.#undo(item.id, this.#frame), focus: (item) => { this.drawn.value = item.id; },
    });
    /** Whose box it is that is drawn. */
    this.drawn = select(ids.map((id) => [id, id]), ids[0]);
    this.list = h("ul", { class: "corrections" });
    this.run = button("Track again with these", { kind: "primary", disabled: true, on: { click: () => on.run(this.spec()) } });
    this.element = h("section", { class: "panel correction", "aria-label": "Correction" },
      h("h2", {}, "Correct"),
      h("p", { class: "hint" }, "Go to a frame where a box is wrong; move it, resize it, or draw it anew. From there the job is tracked again; nothing is uploaded again."),
      ids.length > 1 && field("A box that is drawn is of", this.drawn),
      this.list, h("div", { class: "row" }, this.run, button("Leave", { on: { click: on.end } })));
  }

  close() { this.#editor.close(); }

  /** How many boxes were changed. */
  get count() { return this.#changes.size; }

  /** The boxes of a row, to be changed. While it plays there are none. */
  show(track, row, isPlaying) {
    this.#frame = track.frame(row);
    this.#items = isPlaying ? [] : this.job.spec.targets.flatMap(({ id }) => {
      const box = this.#changes.get(`${id}@${this.#frame}`)?.box ?? track.at(row, id)?.box;
      return box ? [this.#item(id, [...box])] : [];
    });
    this.#editor.show(this.#items);
  }

  /** The job's spec with the new boxes: a target's earliest is its first box, the others are keyframes. */
  spec() {
    const { targets, tracker, start_frame, stop_frame, frame_step, output, deadline_seconds, priority, labels } = this.job.spec;
    return {
      targets: targets.map(({ box, start_frame: begins, keyframes, ...target }) => {
        const given = new Map([[begins, box], ...keyframes.map((keyframe) => [keyframe.frame, keyframe.box])]);
        for (const change of this.#changes.values()) if (change.id === target.id) given.set(change.frame, change.box);
        const [first, ...later] = [...given].sort(([a], [b]) => a - b);
        // Without a box of its own a target begins with its points.
        return { ...target, start_frame: first[0], box: first[1], keyframes: later.filter(([, drawn]) => drawn).map(([frame, drawn]) => ({ frame, box: drawn })) };
      }),
      tracker, start_frame, stop_frame, frame_step, output, deadline_seconds, priority,
      labels: { ...labels, corrects: this.job.id },
    };
  }

  #item(id, box) {
    return { id, box, color: colorOf(this.job.spec.targets.findIndex((target) => target.id === id)) };
  }

  /** A box that is drawn takes the place of the one that is there, or is a target's first. */
  #drawn(box) {
    const id = this.drawn.value;
    let item = this.#items.find((other) => other.id === id);
    if (!item) {
      item = this.#item(id, box);
      this.#items.push(item);
      this.#editor.show(this.#items);
    }
    return item;
  }

  #changed({ id, box }) {
    this.#changes.set(`${id}@${this.#frame}`, { id, frame: this.#frame, box });
    this.#update();
  }

  #undo(id, frame) {
    this.#changes.delete(`${id}@${frame}`);
    this.#update();
    this.on.seek(frame);
  }

  #update() {
    const changes = [...this.#changes.values()].sort((a, b) => a.frame - b.frame);
    this.run.disabled = changes.length === 0;
    replace(this.list, changes.map(({ id, frame }) => h("li", { class: "row spread" },
      button(`${id} at frame ${frame}`, { kind: "quiet", on: { click: () => this.on.seek(frame) } }),
      button(`Undo ${id} at frame ${frame}`, { symbol: "close", iconOnly: true, kind: "quiet", on: { click: () => this.#undo(id, frame) } }))));
  }
}
