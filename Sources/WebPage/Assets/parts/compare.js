// A second job beside the first, in step with it.

import { h } from "../base/dom.js";
import { openPictures, Player } from "../track/player.js";
import { JobFeed } from "./feed.js";
import { Stage } from "./stage.js";

export class Comparison {
  #feed;
  /** Promised, of a job of another source. */
  #player = null;
  #isTracked = false;

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
    this.#player?.then((player) => player.close(), () => {});
    this.stage.close();
  }

  /**
   * Shows the same frame. Of the same source it takes the picture of the first job, which is there already. A frame that
   * this job did not track has no boxes, and of another source no picture.
   * @param options how the first job's boxes are drawn: these are drawn alike, under their own names.
   */
  async show(job, image, frame, options) {
    if (!this.job || this.track.count === 0) return;
    const found = this.track.rowOf(frame);
    this.#isTracked = this.track.frame(found) === frame;
    const row = this.#isTracked ? found : -1;
    const own = { ...options, ids: this.job.spec.targets.map(({ id }) => id) };
    if (this.job.source.sha256 === job.source.sha256) {
      if (image) this.stage.paint(image, this.track, row, own);
      else this.stage.boxes(this.track, row, own);
    } else if (this.#isTracked) {
      const player = await (this.#player ??= this.#open(own));
      if (this.#isTracked) await player.seek(row);
    } else {
      this.stage.blank();
    }
    this.stage.say(this.#isTracked ? "" : "Not tracked here.");
  }

  async #open(options) {
    const player = new Player(this.track, await openPictures(this.job, this.track, this.#feed.signal));
    player.onPicture = (image, row) => { if (this.#isTracked) this.stage.paint(image, this.track, row, options); };
    return player;
  }
}
