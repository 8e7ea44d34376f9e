// Where files are dropped or chosen: a video, an archive, or images.

import { button, h, icon } from "../base/dom.js";
import { tar } from "../api/tar.js";

const isImage = (file) => file.type.startsWith("image/") || /\.(jpe?g|png|bmp|webp|tiff?)$/i.test(file.name);

/** One source of several files, or a sentence that says why they are none. */
export function source(files) {
  if (files.length === 0) return { problem: "Nothing was dropped that is a file." };
  if (files.length === 1 && !isImage(files[0])) return { body: files[0], name: files[0].name };
  const others = files.filter((file) => !isImage(file));
  if (others.length > 0) {
    return { problem: `Several files make one job only if all of them are images; “${others[0].name}” is none.` };
  }
  return { body: tar(files), name: files.length === 1 ? files[0].name : `${files.length} images.tar` };
}

/** @param take called with {body, name} or {problem}. */
export function dropZone(take) {
  const input = h("input", {
    type: "file", multiple: true, class: "sr-only", tabIndex: -1, "aria-label": "Video, images or archive",
    on: { change: () => { if (input.files.length > 0) take(source([...input.files])); input.value = ""; } },
  });
  const choose = button("Choose files", { kind: "primary large", symbol: "upload", on: { click: () => input.click() } });
  const zone = h("div", { class: "drop" },
    icon("film"),
    h("h1", {}, "Drop a video here"),
    h("p", { class: "muted" }, "MP4, MOV, MKV, WebM or AVI; or images, a folder of them, or a zip or tar."),
    h("p", { class: "muted" }, "Then draw a box around what is to be followed, and watch."),
    choose, input);
  // Wherever on the page it is dropped: beside the zone, the browser would leave the page for the file.
  document.ondragover = (event) => {
    event.preventDefault();
    zone.classList.add("over");
  };
  document.ondragleave = () => zone.classList.remove("over");
  document.ondrop = async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (zone.isConnected) take(source(await dropped(event.dataTransfer)));
  };
  return zone;
}

/** The files that were dropped, and those of a folder. */
async function dropped({ items, files }) {
  const [folder] = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
  if (!folder) return [...files];
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) break;
    found.push(...entries.filter((entry) => entry.isFile && !entry.name.startsWith(".")));
  }
  return Promise.all(found.map((entry) => new Promise((resolve, reject) => entry.file(resolve, reject))));
}
