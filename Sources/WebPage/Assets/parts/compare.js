// A second job beside the first, in step with it.

import { h } from "../base/dom.js";
import { openPictures, Player } from "../track/player.js";
import { JobFeed } from "./feed.js";
import { Stage } from "./stage.js";

export class Comparison {
  #feed;
  #player = null;

  /** @param on {changed: () => the job or its frames changed, problem: (error)} */
  constructor(id, on) {
    this.stage = new Stage("The job that it is compared with");
    this.caption = h("figcaption", {}, "…");
    this.element = h("figure", { class: "side" }, this.caption, this.stage.element);
    this.#feed = new JobFeed(id, { job: on.changed, frames: on.changed });
    this.#feed.start().catch((error) => { if (!this.#feed.signal.aborted) on.problem(error); });
  }

  get job() { return this.#feed.job; }
  get track() { return this.#feed.track; }

  close() {
    this.#feed.stop();
    this.#player?.close();
    this.stage.close();
  }

  /** Shows the same frame. Of the same source it takes the picture of the first job, which is there already. */
  async show(job, image, frame, options) {
    if (!this.job || this.track.count === 0) return;
    const row = this.track.rowOf(frame);
    if (this.job.source.sha256 === job.source.sha256) {
      if (image) this.stage.paint(image, this.track, row, options);
      else this.stage.boxes(this.track, row, options);
      return;
    }
    this.#player ??= this.#open(options);
    await (await this.#player).seek(row);
  }

  async #open(options) {
    const player = new Player(this.track, await openPictures(this.job, this.track, this.#feed.signal));
    player.onPicture = (image, row) => this.stage.paint(image, this.track, row, options);
    this.#player = player;
    return player;
  }
}
