// The frames of a job's source as the server decodes them: the very pixels that were tracked, in any browser, of any
// source. Slower than a video, so the pictures ahead are asked for early, and the last ones kept.

import { isAbort } from "../api/client.js";
import { picture } from "../api/objects.js";

const KEPT = 48;
/** The server decodes few at a time. */
const AHEAD = 1;

export class ServerPictures {
  #id;
  #track;
  #cache = new Map();
  #wanted = -1;
  #aborter = new AbortController();
  #timer = null;

  constructor(job, track) {
    this.#id = job.id;
    this.#track = track;
    this.kind = "frames";
    this.onPicture = () => {};
    this.onEnd = () => {};
    this.onError = () => {};
  }

  /** Shows a row's frame; resolves when it is shown, or another one is wanted. */
  async show(row) {
    this.#wanted = row;
    const image = await this.#image(row);
    if (this.#wanted !== row) return;
    this.onPicture(image, row);
  }

  /** In step with the clock: where pictures come slower than frames, only every so many-th is asked for. None is shown
   * before its time, and boxes never run ahead of their pictures. */
  async play(speed) {
    const run = {};
    this.#timer = run;
    const start = Math.max(0, this.#wanted);
    const began = performance.now();
    const origin = this.#track.time(start);
    let stride = 1;
    for (let row = start; this.#timer === run;) {
      if (row >= this.#track.count) return this.onEnd();
      for (let ahead = 1; ahead <= AHEAD; ahead += 1) this.#image(row + ahead * stride).catch(() => {});
      try {
        await this.show(row);
      } catch (error) {
        if (!isAbort(error)) this.onError(error);
        return;
      }
      const due = this.#track.rowAt(origin + (speed * (performance.now() - began)) / 1000);
      if (due > row + stride) stride += 1;
      else if (due < row && stride > 1) stride -= 1;
      const next = row + stride;
      const wait = (1000 * (this.#track.time(next) - origin)) / speed - (performance.now() - began);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      row = next;
    }
  }

  pause() { this.#timer = null; }

  close() {
    this.pause();
    this.#aborter.abort();
    for (const image of this.#cache.values()) image.then((bitmap) => bitmap.close(), () => {});
    this.#cache.clear();
  }

  #image(row) {
    if (row >= this.#track.count) return Promise.reject(new RangeError("behind the end"));
    const frame = this.#track.frame(row);
    const known = this.#cache.get(frame);
    if (known) {
      this.#cache.delete(frame);
      this.#cache.set(frame, known);
      return known;
    }
    const image = picture(`/v1/jobs/${this.#id}/frames/${frame}`, { signal: this.#aborter.signal });
    image.catch(() => this.#cache.delete(frame));
    this.#cache.set(frame, image);
    for (const [oldest, bitmap] of this.#cache) {
      if (this.#cache.size <= KEPT) break;
      this.#cache.delete(oldest);
      bitmap.then((unused) => unused.close(), () => {});
    }
    return image;
  }
}
