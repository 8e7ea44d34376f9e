// A `curl` line, to copy.

import { announce, button, h } from "../base/dom.js";
import { boxText, shellQuoted } from "../base/format.js";
import { key } from "../api/key.js";

const authorization = () => (key() ? ` -H "Authorization: Bearer $KEY"` : "");

/** Makes the job of a file on the caller's disk: by plain form fields where they will do. */
export function submitLine(name, spec) {
  const isArchive = /\.(zip|tar|tgz|tar\.gz)$/i.test(name);
  const images = /^\d+ images\.tar$/.test(name);
  const source = images ? `$(printf -- ' -F frame=@%s' img/*)` : `-F ${shellQuoted(`${isArchive ? "archive" : "video"}=@${fileName(name)}`)}`;
  const isPlain = Object.keys(spec).length === 1 && spec.targets.every(({ id, start_frame: isLater }, index) => id === `target-${index + 1}` && !isLater);
  // In a field given by `-F`, a semicolon would begin its type.
  const what = isPlain
    ? spec.targets.map((target) => `-F roi=${boxText(target.box)}`).join(" ")
    : `--form-string ${shellQuoted(`spec=${JSON.stringify(spec)}`)}`;
  return `curl${authorization()} ${source} ${what} ${location.origin}/v1/jobs`;
}

/** To curl, a comma or a semicolon ends a file's name unless it is quoted. */
const fileName = (name) => (/[,;"\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name);

export const fetchLine = (path, name) =>
  `curl${authorization()} -o ${shellQuoted(name)} ${shellQuoted(location.origin + path)}`;

/** A line of code with a button that copies it. */
export function copyLine(label) {
  const code = h("code", { tabIndex: 0, "aria-label": label, role: "textbox", "aria-readonly": "true" });
  const copy = copyButton(() => code.textContent);
  return { element: h("div", { class: "copy-line" }, code, copy), set: (text) => { code.textContent = text; } };
}

export function copyButton(text, label = "Copy", properties = {}) {
  const name = h("span", {}, label);
  const element = button(label, { symbol: "copy", kind: "small", ...properties, on: {
    click: async () => {
      await copyText(text());
      announce("Copied");
      name.textContent = "Copied";
      setTimeout(() => { name.textContent = label; }, 1500);
    },
  } });
  element.querySelector("span").replaceWith(name);
  return element;
}

/** Without TLS there is no clipboard but the old one. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "sr-only", value: text, "aria-hidden": "true" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
