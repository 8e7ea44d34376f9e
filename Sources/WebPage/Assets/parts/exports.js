// What can be taken away: results in each format, videos, links.

import { button, h, replace } from "../base/dom.js";
import { link } from "../base/router.js";
import { key } from "../api/key.js";
import { rendered, save } from "../api/objects.js";
import { copyButton, copyLine, fetchLine } from "./curl.js";
import { problem } from "./messages.js";

const FORMATS = [
  ["json", "JSON", "with where it comes from", "json"], ["ndjson", "NDJSON", "a frame a line", "ndjson"],
  ["csv", "CSV", "for tables", "csv"], ["mot", "MOT", "MOTChallenge", "txt"], ["otb", "OTB", null, "txt"],
  ["cvat", "CVAT", "to correct it there", "xml"], ["coco", "COCO", "COCO-VID", "json"],
  ["labelstudio", "Label Studio", "a task", "json"], ["vtt", "WebVTT", "cues with JSON", "vtt"],
];

/** Of a job that has ended and has frames. */
export function exportsPanel(job, signal) {
  const base = `/v1/jobs/${job.id}`;
  const stem = (job.source.file_name ?? job.id).replace(/\.[^.]*$/, "");
  const trouble = h("div", {});
  const line = copyLine("The same by curl");
  const file = (path, name, label, note) => h("a", {
    class: "button export", href: path, download: name, on: {
      click: async (event) => {
        line.set(fetchLine(path, name));
        if (!key()) return;
        event.preventDefault();
        await save(path, name).catch((error) => replace(trouble, problem(error)));
      },
    },
  }, h("span", {}, label), note && h("small", {}, note));
  const [first] = job.spec.targets;
  line.set(fetchLine(`${base}/results?format=json`, `${stem}.json`));

  return h("div", { class: "exports" },
    h("h3", {}, "Results"),
    h("div", { class: "export-grid" }, FORMATS.map(([format, label, note, extension]) => {
      const query = format === "otb" ? `format=otb&target=${encodeURIComponent(first.id)}` : `format=${format}`;
      return file(`${base}/results?${query}`, `${stem}.${format === extension ? "" : `${format}.`}${extension}`, label, note ?? `of ${first.id}`);
    })),
    h("h3", {}, "Videos"),
    h("div", { class: "row wrap" },
      video(`${base}/video`, `${stem}-tracked.${job.spec.output.video === "avi" ? "avi" : "mp4"}`, "Annotated video", trouble, signal),
      job.spec.targets.map(({ id }) => video(`${base}/targets/${encodeURIComponent(id)}/crops`, `${stem}-${id}.mp4`, `Stabilised ${id}`, trouble, signal)),
      file(`${base}/source`, job.source.file_name ?? stem, "Source")),
    trouble,
    h("h3", {}, "Elsewhere"),
    h("div", { class: "row wrap" },
      copyButton(() => new URL(link(["jobs", job.id]), location.href).href, "Copy the link"),
      copyButton(() => embedding(job.id), "Copy the <iframe>"),
      copyButton(() => playing(job.id), "Copy the player")),
    line.element);
}

/** A button that has a video made and saves it. */
function video(path, name, label, trouble, signal) {
  const element = button(label, { symbol: "download", on: {
    click: async () => {
      element.disabled = true;
      replace(trouble);
      try {
        await rendered(path, { signal, told: () => { element.querySelector("span").textContent = `${label} is being made…`; } });
        await save(path, name);
      } catch (error) {
        if (!signal.aborted) replace(trouble, problem(error, { title: `${label} cannot be had` }));
      }
      element.disabled = false;
      element.querySelector("span").textContent = label;
    },
  } });
  return element;
}

const embedding = (id) =>
  `<iframe src="${location.origin}/embed/${id}" width="960" height="720" loading="lazy" title="Tracked by lktrack"></iframe>`;

const playing = (id) => `<video controls muted data-lktrack="${location.origin}/v1/jobs/${id}/results?format=ndjson" src="clip.mp4"></video>
<script type="module" src="${location.origin}/player.js"></script>`;
