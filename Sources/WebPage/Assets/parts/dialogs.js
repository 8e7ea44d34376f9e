// Questions that must be answered before it goes on.

import { button, field, h } from "../base/dom.js";
import { ApiError } from "../api/client.js";
import { key, setKey } from "../api/key.js";

/** Opens a modal dialog; resolves with what a button or the form decides, `null` where it was dismissed. */
function ask(title, content, actions) {
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
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const confirm = (title, text, verb, keep = "Keep it") => ask(title, h("p", {}, text), {
  buttons: (close) => [
    button(keep, { autofocus: true, on: { click: () => close(null) } }),
    button(verb, { kind: "danger", type: "submit" }),
  ],
});

let asked = null;
let isDeclined = false;

/** Asks for the key, once however many requests want one. Resolves when there is another; rejects where there is none,
 * and then without asking until it `mayAskForKey` again. */
export async function askForKey() {
  if (!isDeclined) await (asked ??= keyDialog().finally(() => { asked = null; }));
  if (isDeclined) throw new ApiError(401, { detail: "Without a key this server shows nothing." });
}

/** Somebody who declined wants to be asked after all. */
export const mayAskForKey = () => { isDeclined = false; };

async function keyDialog() {
  const input = h("input", {
    type: "password", required: true, autocomplete: "off", spellcheck: false, placeholder: "lkt_…", autofocus: true,
  });
  const given = await ask("This server wants a key", [
    h("p", {}, key() ? "It does not take the one it got: that may be mistyped, revoked or over." : "Whoever runs it gives you one."),
    field("Key", input, "It is kept until this tab is closed, and sent to this server only."),
  ], {
    submit: () => input.value.trim(),
    buttons: (close) => [
      button("Not now", { on: { click: () => close(null) } }),
      button("Use this key", { kind: "primary", type: "submit" }),
    ],
  });
  isDeclined = !given;
  if (given) setKey(given);
}
