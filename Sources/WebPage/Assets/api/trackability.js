// How well boxes can be tracked, before a job is paid for.

import { isAbort, pause, post } from "./client.js";

/** A box that is being drawn is asked about when it rests. */
const REST = 120;
const WORDS = { good: "Easy to follow", fair: "Can be followed", poor: "Hard to follow", untrackable: "Cannot be followed" };
const VALUES = { good: 1, fair: 0.66, poor: 0.33, untrackable: 0.08 };

export class Trackability {
  #aborter = null;
  #upload;
  #told;
  /** What the boxes were when they were asked about last. */
  #asked = "";

  /** @param told called when the items have their `trackability`: {grade, value, text, advice}. */
  constructor(upload, told) {
    this.#upload = upload;
    this.#told = told;
  }

  async ask(items, frame) {
    const question = JSON.stringify({ upload: this.#upload, frame, boxes: items.map(({ box }) => box) });
    if (question === this.#asked) return;
    this.#asked = question;
    this.#aborter?.abort();
    this.#aborter = new AbortController();
    const { signal } = this.#aborter;
    try {
      await pause(REST, signal);
      if (items.length === 0) return;
      const { boxes } = await post("/v1/trackability", JSON.parse(question), { signal });
      items.forEach((item, index) => { item.trackability = rated(boxes[index]); });
    } catch (error) {
      if (isAbort(error)) return;
      this.#asked = "";
      for (const item of items) item.trackability = null;
    }
    this.#told();
  }

  stop() { this.#aborter?.abort(); }
}

const rated = ({ verdict, advice }) => ({
  grade: verdict, value: VALUES[verdict], text: WORDS[verdict], advice: verdict === "good" ? "" : advice,
});
