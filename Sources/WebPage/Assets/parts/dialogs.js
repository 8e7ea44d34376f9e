// Questions that must be answered before it goes on.

import { button, field, h } from "../base/dom.js";
import { setKey } from "../api/key.js";

/** Opens a modal dialog; resolves with what a button or the form decides, `null` where it was dismissed. */
function ask(title, content, actions, signal) {
  return new Promise((resolve) => {
    let answer = null;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const heading = h("h2", { id: "dialog-title" }, title);
    const form = h("form", { method: "dialog", on: { submit: (event) => { event.preventDefault(); close(actions.submit?.() ?? true); } } },
      heading, content, h("div", { class: "row end" }, actions.buttons(close)));
    const dialog = h("dialog", { "aria-labelledby": heading.id, on: { close: () => { dialog.remove(); resolve(answer); } } }, form);
    signal?.addEventListener("abort", () => dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const confirm = (title, text, verb) => ask(title, h("p", {}, text), {
  buttons: (close) => [
    button("Keep it", { autofocus: true, on: { click: () => close(null) } }),
    button(verb, { kind: "danger", type: "submit" }),
  ],
});

let asked = null;

/** Asks for the key, once however many requests want one. Resolves when there is another; rejects where there is none. */
export function askForKey(reason) {
  asked ??= keyDialog(reason).finally(() => { asked = null; });
  return asked;
}

async function keyDialog(reason) {
  const input = h("input", {
    type: "password", required: true, autocomplete: "off", spellcheck: false, placeholder: "lkt_…", autofocus: true,
  });
  const key = await ask("This server wants a key", [
    h("p", {}, reason),
    field("Key", input, "It is kept until this tab is closed, and sent to this server only."),
  ], {
    submit: () => input.value.trim(),
    buttons: (close) => [
      button("Not now", { on: { click: () => close(null) } }),
      button("Use this key", { kind: "primary", type: "submit" }),
    ],
  });
  if (!key) throw new Error("Without a key this server shows nothing. Reload the page to be asked again.");
  setKey(key);
}
