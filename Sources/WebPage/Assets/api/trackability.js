// How well boxes can be tracked, before a job is paid for.

import { isAbort, pause, post } from "./client.js";

/** A box that is being drawn is asked about when it rests. */
const REST = 120;
const WORDS = { good: "Easy to follow", fair: "Can be followed", poor: "Hard to follow", untrackable: "Cannot be followed" };
const VALUES = { good: 1, fair: 0.66, poor: 0.33, untrackable: 0.08 };

export class Trackability {
  #aborter = new AbortController();
  #upload;
  #told;
  #wanted = null;
  #isAsking = false;
  /** What was asked last. */
  #asked = "";

  /** @param told called when the items have their `trackability`: {grade, value, text, advice}. */
  constructor(upload, told) {
    this.#upload = upload;
    this.#told = told;
  }

  /** One question at a time, and of many in a row the last: each costs the server a picture. */
  async ask(items, frame) {
    this.#wanted = { items: [...items], frame };
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (this.#wanted) {
        await pause(REST, this.#aborter.signal);
        const wanted = this.#wanted;
        this.#wanted = null;
        await this.#answer(wanted);
      }
    } catch (error) {
      if (!isAbort(error)) throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  stop() { this.#aborter.abort(); }

  async #answer({ items, frame }) {
    const question = { upload: this.#upload, frame, boxes: items.map(({ box }) => box) };
    const text = JSON.stringify(question);
    if (items.length === 0 || text === this.#asked) return;
    try {
      const { boxes } = await post("/v1/trackability", question, { signal: this.#aborter.signal });
      items.forEach((item, index) => { item.trackability = rated(boxes[index]); });
      this.#asked = text;
    } catch (error) {
      if (isAbort(error)) throw error;
      for (const item of items) item.trackability = null;
      // The server is busy: it is asked again, unless there is something else to ask meanwhile.
      if (error.status === 503 || error.status === 429) {
        await pause(1000 * (error.retryAfter ?? 1), this.#aborter.signal);
        this.#wanted ??= { items, frame };
      }
    }
    this.#told();
  }
}

const rated = ({ verdict, advice }) => ({
  grade: verdict, value: VALUES[verdict], text: WORDS[verdict], advice: verdict === "good" ? "" : advice,
});
