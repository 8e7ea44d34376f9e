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
    h("p", { class: "muted" }, "MP4, MOV, MKV, WebM or AVI; or images; or a zip or tar of them."),
    choose, input);
  const over = (event) => {
    event.preventDefault();
    zone.classList.add("over");
  };
  zone.addEventListener("dragover", over);
  zone.addEventListener("dragenter", over);
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(source([...event.dataTransfer.files]));
  });
  return zone;
}
