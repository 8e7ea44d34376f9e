// Boxes over a site's own video. A site includes it as a module:
//
//   <video controls src="clip.mp4" data-lktrack="https://…/v1/jobs/ID/results?format=ndjson"></video>
//   <script type="module" src="https://…/player.js"></script>
//
// or calls `overlay(video, source)`, where the source is such an address, or the lines of a result as objects. A result
// of another origin needs that origin to allow it (`server.origins`).

import { lines } from "../api/events.js";
import { DEFAULT_LAYERS, draw } from "../track/draw.js";
import { Track } from "../track/track.js";

/**
 * Lays boxes over a video, in step with its frames.
 * @param options {layers, hidden, key: for a server that wants one, offset: seconds that the result's times are ahead}
 * @returns {track, canvas, redraw, remove}
 */
export async function overlay(video, source, { layers = {}, hidden = [], key, offset = 0 } = {}) {
  const track = typeof source === "string" ? await load(source, key) : take(source);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  for (const [name, value] of Object.entries({ position: "absolute", "pointer-events": "none" })) canvas.style.setProperty(name, value);
  video.after(canvas);
  const options = { layers: { ...DEFAULT_LAYERS, ...layers }, hidden: new Set(hidden) };
  let time = video.currentTime;

  const redraw = () => {
    const place = fit(video, canvas);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!place || track.count === 0) return;
    const row = track.rowAt(time + offset);
    const reach = 1.5 * Math.abs(track.time(Math.min(1, track.count - 1)) - track.time(0)) || 0.1;
    if (Math.abs(track.time(row) - time - offset) > reach) return;
    draw(context, track, row, place, { ...options, unit: devicePixelRatio });
  };
  // The time stamp of the picture that is shown, where the browser tells it; else the clock.
  let isRunning = true;
  const shown = (_, { mediaTime }) => {
    if (!isRunning) return;
    time = mediaTime;
    redraw();
    video.requestVideoFrameCallback(shown);
  };
  const told = () => {
    time = video.currentTime;
    redraw();
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
  else for (const event of ["timeupdate", "seeked"]) video.addEventListener(event, told);
  const observer = new ResizeObserver(redraw);
  observer.observe(video);
  redraw();

  return {
    track, canvas, redraw,
    remove() {
      isRunning = false;
      observer.disconnect();
      for (const event of ["timeupdate", "seeked"]) video.removeEventListener(event, told);
      canvas.remove();
    },
  };
}

function take(records) {
  const track = new Track();
  for (const record of records) track.add(record);
  return track;
}

async function load(address, key) {
  const response = await fetch(address, key ? { headers: { Authorization: `Bearer ${key}` } } : {});
  if (!response.ok) throw new Error(`${address} answered with status ${response.status}.`);
  const track = new Track();
  for await (const line of lines(response.body)) track.add(JSON.parse(line));
  return track;
}

/** Puts the canvas over the video's picture (which `object-fit: contain` may leave bars beside). Returns canvas pixels
 * for each pixel of the picture. */
function fit(video, canvas) {
  const { videoWidth, videoHeight, clientWidth, clientHeight } = video;
  if (!videoWidth || !clientWidth) return null;
  const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
  const [width, height] = [videoWidth * scale, videoHeight * scale];
  const sizes = { left: video.offsetLeft + (clientWidth - width) / 2, top: video.offsetTop + (clientHeight - height) / 2, width, height };
  for (const [name, value] of Object.entries(sizes)) canvas.style.setProperty(name, `${value}px`);
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  return canvas.width / videoWidth;
}

for (const video of document.querySelectorAll("video[data-lktrack]")) {
  overlay(video, video.dataset.lktrack).catch((error) => console.error("lktrack:", error.message));
}
