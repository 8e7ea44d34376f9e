// What is said when something goes wrong: what happened, and what to do about it.

import { button, h, icon } from "../base/dom.js";
import { duration } from "../base/format.js";
import { mayAskForKey } from "./dialogs.js";

/** What a job's `error.code` asks of a person; what happened is in the error's own words. */
const ADVICE = {
  undecodable: "Check that the file plays elsewhere, or convert it: ffmpeg -i in.mp4 -c:v libx264 out.mp4",
  invalid_spec: "Draw the boxes anew so that they lie on the picture, and track it again.",
  limit_exceeded: "Cut or scale the video down, or have the limits of the server raised.",
  decoder_crashed: "The file makes the decoder crash. Converting it with ffmpeg usually helps.",
  decoder_timeout: "The decoder made no progress. Track it again; if that fails too, convert the file.",
  deadline_exceeded: "Give it a later deadline, or fewer frames.",
  worker_lost: "The worker died three times over this job. Track it again; if that fails too, tell who runs the server.",
  storage_full: "Delete jobs that are not needed any more, and track it again.",
};

const BY_STATUS = {
  0: "Nothing is lost: what was uploaded is kept. Try again in a moment.",
  403: "Use a key that may do this.",
  404: "It may have been deleted, or belong to somebody else.",
  410: "It was kept for a while after its end, and then removed.",
  413: "Cut or scale the video down.",
  415: "Videos in MP4, MOV, MKV, WebM or AVI, images, and zip or tar archives of images are taken.",
  429: "Wait a moment, and try again.",
  503: "Try again in a moment.",
  507: "Delete jobs that are not needed any more, or tell who runs the server.",
};

export function message(title, text, { advice, kind = "error", actions = [], details = [] } = {}) {
  return h("div", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status" },
    icon(kind === "error" ? "lost" : "check"),
    h("div", {},
      h("h2", {}, title),
      text && h("p", {}, text),
      details.length > 0 && h("ul", {}, details.map((line) => h("li", {}, line))),
      advice && h("p", { class: "advice" }, advice),
      actions.length > 0 && h("div", { class: "row" }, actions)));
}

/** Where only time helps, how long it takes, unless the error says so itself. */
function advice({ status, message: text, retryAfter }) {
  if (![429, 503].includes(status) || !retryAfter) return BY_STATUS[status];
  return text.includes("Try again in") ? null : `Try again in ${duration(retryAfter)}.`;
}

/** Of anything that was thrown. @param hint what else helps, where this is shown. */
export function problem(error, { title = "That did not work", retry, hint, actions = [] } = {}) {
  const details = (error.errors ?? []).filter(({ detail }) => detail !== error.message).map(({ pointer, detail }) => `${place(pointer)}: ${detail}`);
  const again = error.status === 401 ? button("Enter a key", { on: { click: () => anotherKey(retry) } }) : retry && button("Try again", { on: { click: retry } });
  return message(title, error.message, {
    advice: [advice(error), hint].filter(Boolean).join(" "),
    details: error.request ? [...details, `Request ${error.request}`] : details,
    actions: [again, ...actions].filter(Boolean),
  });
}

function anotherKey(retry = () => location.reload()) {
  mayAskForKey();
  retry();
}

/** Of a job that failed. */
export function jobError({ code, message: text, frame, pointer }, actions) {
  const where = [frame !== undefined && frame !== null && `Frame ${frame}`, pointer && place(pointer)].filter(Boolean);
  return message("The job failed", text, { advice: ADVICE[code], details: where, actions });
}

/** `#/targets/0/box` → `targets, 1, box`. */
const place = (pointer = "") =>
  pointer.replace(/^#?\//, "").split("/").map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : part.replaceAll("~1", "/").replaceAll("~0", "~"))).join(", ") || "request";
