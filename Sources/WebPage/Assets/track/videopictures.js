// The frames of a job's source as the browser's own decoder shows them. A frame is told by the time stamp of the
// picture that is shown (`requestVideoFrameCallback`), never by the clock.

import { picture } from "../api/objects.js";

/** A page that gets no picture for so long has none to expect. */
const PATIENCE = 8000;
/** Mean difference of grey levels up to which two decoders' pictures are the same. */
const SAME_PICTURE = 14;
const THUMB = [48, 32];

export class VideoPictures {
  #track;
  #tolerance;
  #offset = 0;
  #waiting = null;
  #release;

  /** `null` where this browser cannot show the source frame by frame. */
  static async open(job, track, source, signal) {
    const video = document.createElement("video");
    if (!video.requestVideoFrameCallback) return null;
    const pictures = new VideoPictures(video, job, track, source.release);
    try {
      await pictures.#load(source.url, signal);
      await pictures.#align(job, signal);
      return pictures;
    } catch (error) {
      pictures.close();
      if (signal?.aborted) throw error;
      return null;
    }
  }

  constructor(video, job, track, release) {
    Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
    this.video = video;
    this.kind = "video";
    this.#track = track;
    this.#release = release;
    this.#tolerance = job.source.frame_rate ? 0.45 / job.source.frame_rate : 0.01;
    /** Called with each picture that is a frame of the track: (image, row). */
    this.onPicture = () => {};
    this.onEnd = () => {};
    video.addEventListener("ended", () => this.onEnd());
    video.addEventListener("error", () => this.#waiting?.reject(new Error("The browser cannot decode the video.")));
  }

  /** Shows a row's frame; resolves when it is shown. */
  show(row) { return this.#seek(row); }

  play(speed) {
    this.video.playbackRate = Math.min(16, Math.max(0.0625, speed));
    return this.video.play();
  }

  pause() { this.video.pause(); }

  close() {
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.#waiting?.reject(new DOMException("closed", "AbortError"));
    this.#release();
  }

  // Details

  async #load(url, signal) {
    const first = this.#next(signal);
    this.video.src = url;
    await first;
    if (!this.video.videoWidth) throw new Error("There is no picture.");
  }

  /** Finds how the browser's time and the result's differ, and makes sure that both mean the same picture. */
  async #align(job, signal) {
    if (this.#track.frame(0) === 0) this.#offset = this.#track.time(0) - this.#lastMediaTime;
    this.#lastRow = null;
    await this.show(0);
    const shown = gray(this.video);
    const truth = gray(await picture(`/v1/jobs/${job.id}/frames/${this.#track.frame(0)}`, { signal }));
    if (difference(shown, truth) > SAME_PICTURE) throw new Error("The browser shows other pictures than were tracked.");
  }

  #lastMediaTime = 0;
  #lastRow = null;

  /** Resolves with the next picture that comes, or the next one of a row. */
  #next(signal, row = null) {
    return new Promise((resolve, reject) => {
      this.#waiting?.reject(new DOMException("another frame is wanted", "AbortError"));
      const timer = setTimeout(() => settle(reject, new Error("No picture came.")), PATIENCE);
      const settle = (outcome, value) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        if (this.#waiting === waiting) this.#waiting = null;
        outcome(value);
      };
      const stop = () => settle(reject, signal.reason);
      const waiting = { row, resolve: (value) => settle(resolve, value), reject: (error) => settle(reject, error) };
      signal?.addEventListener("abort", stop);
      this.#waiting = waiting;
      this.#listen();
    });
  }

  #isListening = false;

  #listen() {
    if (this.#isListening) return;
    this.#isListening = true;
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.#isListening = false;
      this.#lastMediaTime = mediaTime;
      this.#lastRow = this.#rowOf(mediaTime);
      if (this.#lastRow !== null) this.onPicture(this.video, this.#lastRow);
      if (this.#waiting && (this.#waiting.row ?? this.#lastRow) === this.#lastRow) this.#waiting.resolve();
      this.#listen();
    });
  }

  /** The row whose frame has this time stamp; `null` where the frame is not in the track. */
  #rowOf(mediaTime) {
    const time = mediaTime + this.#offset;
    const row = this.#track.rowAt(time);
    return Math.abs(this.#track.time(row) - time) <= this.#tolerance ? row : null;
  }

  /** A moment in the middle of the time that the frame is shown for, so that no rounding leads to its neighbour. */
  #timeWithin(row) {
    return Math.max(0, this.#track.time(row) - this.#offset + this.#tolerance);
  }

  async #seek(row) {
    if (this.#lastRow === row && !this.video.seeking) return this.onPicture(this.video, row);
    const next = this.#next(undefined, row);
    this.video.currentTime = this.#timeWithin(row);
    await next;
  }
}

/** A picture's grey levels, at the size of a thumb. */
function gray(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = THUMB;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, ...THUMB);
  const { data } = context.getImageData(0, 0, ...THUMB);
  return Array.from({ length: data.length / 4 }, (_, index) =>
    0.299 * data[4 * index] + 0.587 * data[4 * index + 1] + 0.114 * data[4 * index + 2]);
}

const difference = (a, b) => a.reduce((sum, value, index) => sum + Math.abs(value - b[index]), 0) / a.length;
