// A resumable upload (tus 1.0): pieces that the server acknowledges, from where it says it has come.

import { ApiError, isAbort, pause, request } from "./client.js";

const TUS = { "Tus-Resumable": "1.0.0" };
/** Pieces take about a second each: small enough that progress is seen, and that a pause and a broken line cost little. */
const PIECE_SECONDS = 1;
const [LEAST_PIECE, LARGEST_PIECE] = [64 * 1024, 8 * 1024 * 1024];
const TRIES = 8;

export class Upload {
  #aborter = null;
  #body;
  #listener;
  #piece = LEAST_PIECE;

  /** @param body a Blob. @param listener called whenever something changes. */
  constructor(body, name, listener) {
    this.#body = body;
    this.#listener = listener;
    this.name = name;
    this.size = body.size;
    this.offset = 0;
    this.rate = 0;
    this.path = null;
    /** idle, sending, paused, waiting (for the server to come back), done, failed */
    this.state = "idle";
    this.error = null;
  }

  /** One that was finished before the page was reloaded. */
  static finished({ path, name, size }) {
    return Object.assign(new Upload(new Blob(), name, () => {}), { path, size, offset: size, state: "done" });
  }

  get id() { return this.path?.split("/").at(-1); }

  /** Goes on with an upload that this tab began, if the server still has it. */
  async adopt(path) {
    const offset = await offsetOf(path).catch(() => null);
    if (offset === null || offset > this.size) return false;
    [this.path, this.offset] = [path, offset];
    return true;
  }

  /** Sends until it is done, paused or failed. */
  async run() {
    this.#aborter = new AbortController();
    const { signal } = this.#aborter;
    this.#enter("sending");
    let failures = 0;
    while (this.state !== "done") {
      try {
        await this.#step(signal);
        failures = 0;
        this.error = null;
      } catch (error) {
        if (isAbort(error)) return;
        const { status } = error;
        const lasting = error instanceof ApiError && ((status > 0 && status < 500 && ![409, 423].includes(status)) || status === 507);
        this.error = error;
        if (lasting || ++failures > TRIES) return this.#enter("failed");
        this.#enter("waiting");
        try { await pause(Math.min(500 * 2 ** failures, 10000), signal); } catch { return; }
        if (this.path) this.offset = await offsetOf(this.path).catch(() => this.offset);
        this.#enter("sending");
      }
    }
  }

  pause() {
    this.#aborter?.abort();
    this.#enter("paused");
  }

  /** Gives it up, and has the server remove what it got. */
  async discard() {
    this.#aborter?.abort();
    this.state = "discarded";
    if (this.path) await request(this.path, { method: "DELETE", headers: TUS }).catch(() => {});
  }

  async #step(signal) {
    if (!this.path) {
      const response = await request("/v1/uploads", {
        method: "POST", signal,
        headers: { ...TUS, "Upload-Length": String(this.size), "Upload-Metadata": `filename ${base64(this.name)}` },
      });
      this.path = new URL(response.headers.get("Location"), location.href).pathname;
      this.#listener(this);
    }
    if (this.offset < this.size) {
      const began = performance.now();
      const piece = this.#body.slice(this.offset, this.offset + this.#piece);
      const response = await request(this.path, {
        method: "PATCH", signal, body: piece,
        headers: { ...TUS, "Upload-Offset": String(this.offset), "Content-Type": "application/offset+octet-stream" },
      });
      this.offset = Number(response.headers.get("Upload-Offset"));
      const rate = piece.size / Math.max(1e-3, (performance.now() - began) / 1000);
      this.rate = this.rate ? 0.7 * this.rate + 0.3 * rate : rate;
      this.#piece = Math.round(Math.min(Math.max(LEAST_PIECE, PIECE_SECONDS * rate), LARGEST_PIECE));
    }
    if (this.offset === this.size) this.#enter("done");
    else this.#listener(this);
  }

  #enter(state) {
    this.state = state;
    this.#listener(this);
  }
}

async function offsetOf(path) {
  const response = await request(path, { method: "HEAD", headers: TUS });
  return Number(response.headers.get("Upload-Offset"));
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
