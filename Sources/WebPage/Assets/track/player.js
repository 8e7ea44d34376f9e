// Which frame is shown: play, step, seek. What is told to listeners is what is on the screen, not what was asked for.

import { isAbort } from "../api/client.js";
import { loadable } from "../api/objects.js";
import { ServerPictures } from "./serverpictures.js";
import { VideoPictures } from "./videopictures.js";

/** The browser's decoder where it shows the very frames that were tracked, else the server's. */
export async function openPictures(job, track, signal) {
  if (job.source.kind === "video") {
    const source = await loadable(`/v1/jobs/${job.id}/source`, job.source.bytes, signal).catch((error) => {
      if (isAbort(error)) throw error;
      return null;
    });
    const pictures = source && (await VideoPictures.open(job, track, source, signal));
    if (pictures) return pictures;
  }
  return new ServerPictures(job, track);
}

export class Player {
  #listeners = new Set();
  #wanted = null;
  #isShowing = false;

  constructor(track, pictures) {
    this.track = track;
    this.pictures = pictures;
    this.row = -1;
    this.isPlaying = false;
    this.speed = 1;
    this.error = null;
    this.onPicture = () => {};
    pictures.onPicture = (image, row) => {
      this.row = row;
      this.error = null;
      this.onPicture(image, row);
      this.#tell();
    };
    pictures.onEnd = () => this.#stop();
    pictures.onError = (error) => this.#fail(error);
  }

  get frame() { return this.track.frame(Math.max(0, this.row)); }

  /** Calls the listener after each change. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows a row. Asked for many in a row, it shows the last: those between are passed over. */
  async seek(row) {
    this.pause();
    this.#wanted = Math.min(Math.max(0, row), this.track.count - 1);
    if (this.#isShowing || this.#wanted < 0) return;
    this.#isShowing = true;
    try {
      while (this.#wanted !== null) {
        const next = this.#wanted;
        this.#wanted = null;
        await this.pictures.show(next);
      }
    } catch (error) {
      if (!isAbort(error)) this.#fail(error);
    } finally {
      this.#isShowing = false;
    }
  }

  seekFrame(frame) { return this.seek(this.track.rowOf(frame)); }
  step(rows) { return this.seek((this.#wanted ?? this.row) + rows); }

  async play() {
    if (this.isPlaying || this.track.count === 0) return;
    if (this.row >= this.track.count - 1) await this.seek(0);
    this.isPlaying = true;
    this.#tell();
    try {
      await this.pictures.play(this.speed);
    } catch (error) {
      if (!isAbort(error)) this.#fail(error);
    }
  }

  pause() {
    if (!this.isPlaying) return;
    this.pictures.pause();
    this.#stop();
  }

  toggle() { return this.isPlaying ? this.pause() : this.play(); }

  setSpeed(speed) {
    this.speed = speed;
    if (!this.isPlaying) return this.#tell();
    this.pause();
    return this.play();
  }

  close() {
    this.pause();
    this.#listeners.clear();
    this.pictures.close();
  }

  #stop() {
    this.isPlaying = false;
    this.#tell();
  }

  #fail(error) {
    this.error = error;
    this.#stop();
  }

  #tell() { for (const listener of this.#listeners) listener(this); }
}
