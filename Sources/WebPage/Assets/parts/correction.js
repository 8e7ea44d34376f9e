// Boxes that are drawn anew, at any frame, and the job that is run again with them.

import { button, h, replace } from "../base/dom.js";
import { colorOf } from "../track/draw.js";
import { BoxEditor } from "./boxes.js";

export class Correction {
  /** By target and frame: {id, frame, box}. */
  #changes = new Map();
  #editor;
  #frame = -1;

  /** @param on {seek: (frame), run: (spec), end: ()} */
  constructor(job, stage, on) {
    this.job = job;
    this.on = on;
    this.#editor = new BoxEditor(stage, { change: (item) => this.#changed(item), create: () => null, remove: (item) => this.#undo(item.id, this.#frame) });
    this.list = h("ul", { class: "corrections" });
    this.run = button("Track again with these", { kind: "primary", disabled: true, on: { click: () => on.run(this.spec()) } });
    this.element = h("section", { class: "panel correction", "aria-label": "Correction" },
      h("h2", {}, "Correct"),
      h("p", { class: "hint" }, "Go to a frame where a box is wrong and move or resize it. From there the job is tracked anew; nothing is uploaded again."),
      this.list, h("div", { class: "row" }, this.run, button("Leave", { on: { click: on.end } })));
  }

  close() { this.#editor.close(); }

  /** The boxes of a row, to be changed. While it plays there are none. */
  show(track, row, isPlaying) {
    this.#frame = track.frame(row);
    if (isPlaying) return this.#editor.show([]);
    const items = this.job.spec.targets.flatMap(({ id }, index) => {
      const found = track.at(row, id);
      const box = this.#changes.get(`${id}@${this.#frame}`)?.box ?? found?.box;
      return box ? [{ id, box: [...box], color: colorOf(index) }] : [];
    });
    this.#editor.show(items);
  }

  /** The job's spec with the new boxes as keyframes, or as a target's first box. */
  spec() {
    const { targets, tracker, start_frame, stop_frame, frame_step, output, deadline_seconds, priority, labels } = this.job.spec;
    return {
      targets: targets.map((target) => {
        const changes = [...this.#changes.values()].filter(({ id }) => id === target.id);
        const first = changes.find(({ frame }) => frame === target.start_frame);
        const keyframes = new Map((target.keyframes ?? []).map((keyframe) => [keyframe.frame, keyframe]));
        for (const { frame, box } of changes) if (frame > target.start_frame) keyframes.set(frame, { frame, box });
        return { ...target, ...(first ? { box: first.box } : {}), keyframes: [...keyframes.values()].sort((a, b) => a.frame - b.frame) };
      }),
      tracker, start_frame, stop_frame, frame_step, output, deadline_seconds, priority,
      labels: { ...labels, corrects: this.job.id },
    };
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
