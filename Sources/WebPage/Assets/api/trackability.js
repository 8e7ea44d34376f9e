// How well boxes can be tracked, before a job is paid for.

import { isAbort, pause, post } from "./client.js";

/** Long enough that a box that is being drawn is asked about when it rests. */
const REST = 120;

/** Asks about boxes of an upload's first frame, the last time only where it is asked often. */
export class Trackability {
  #aborter = null;
  #id;
  #told;

  /** @param told called with an answer for each item. */
  constructor(id, told) {
    this.#id = id;
    this.#told = told;
  }

  async ask(items) {
    this.#aborter?.abort();
    this.#aborter = new AbortController();
    const { signal } = this.#aborter;
    try {
      await pause(REST, signal);
      if (items.length === 0) return;
      const answer = await post("/v1/trackability", {
        source: { upload: this.#id }, targets: items.map(({ id, box }) => ({ id, box })),
      }, { signal });
      items.forEach((item, index) => { item.trackability = grade(answer.targets[index]); });
    } catch (error) {
      if (isAbort(error)) return;
      for (const item of items) item.trackability = null;
    }
    this.#told();
  }

  stop() { this.#aborter?.abort(); }
}

function grade(rated) {
  return rated ?? null;
}
