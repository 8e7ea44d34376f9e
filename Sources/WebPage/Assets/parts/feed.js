// A job and its frames, as they come: from the event stream while it runs, from the result once it has ended.

import { json, request } from "../api/client.js";
import { follow, lines } from "../api/events.js";
import { Track } from "../track/track.js";

const isFinal = (job) => ["succeeded", "failed", "canceled"].includes(job.status);

export class JobFeed {
  #aborter = new AbortController();

  /** @param on {job, frames, line}: what changed. */
  constructor(id, on) {
    this.id = id;
    this.on = on;
    this.job = null;
    this.track = new Track();
    /** Whether every frame there is to be is here. */
    this.isComplete = false;
  }

  get signal() { return this.#aborter.signal; }
  get isFinal() { return this.job !== null && isFinal(this.job); }

  async start() {
    this.job = await json(`/v1/jobs/${this.id}`, { signal: this.signal });
    this.on.job?.();
    if (this.isFinal) await this.#result();
    else await this.#events();
    this.isComplete = true;
    this.on.frames?.();
  }

  stop() { this.#aborter.abort(); }

  async #result() {
    // A job that failed before its first frame has no result, and so nothing to make a video of.
    if (!this.job.links.video) return;
    const response = await request(`/v1/jobs/${this.id}/results?format=ndjson`, { signal: this.signal });
    let told = 0;
    for await (const line of lines(response.body)) {
      this.track.add(JSON.parse(line));
      if (performance.now() - told < 200) continue;
      told = performance.now();
      this.on.frames?.();
    }
  }

  async #events() {
    const event = (name, data) => {
      if (name === "frame") {
        this.track.add(data);
        if (this.track.count === 1) this.#refresh();
        this.on.frames?.();
        return;
      }
      // Of its end only `end` tells the whole: why it failed, what it has.
      if (name === "status" && isFinal(data)) return;
      if (name === "status") Object.assign(this.job, data);
      if (name === "progress") this.job.progress = data;
      if (name === "end") this.job = data.status === "deleted" ? { ...this.job, ...data } : data;
      this.on.job?.();
    };
    await follow(`/v1/jobs/${this.id}/events?frames=true`, {
      event, gone: (error) => this.on.line?.(error), back: () => this.on.line?.(null),
    }, this.signal);
  }

  /** What the decoder found out (size, rate, codec) stands in the job once a frame is tracked. */
  async #refresh() {
    const job = await json(`/v1/jobs/${this.id}`, { signal: this.signal }).catch(() => null);
    if (!job || this.isFinal) return;
    this.job = job;
    this.on.job?.();
  }
}
