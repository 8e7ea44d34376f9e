// The page: which view is shown, and the key. What a view is made of is loaded when it is gone to.

import { button, replace } from "../base/dom.js";
import { start } from "../base/router.js";
import { onUnauthorized } from "../api/client.js";
import { key, onKeyChange, setKey } from "../api/key.js";
import { askForKey } from "../parts/dialogs.js";
import { message } from "../parts/messages.js";

const VIEWS = {
  new: () => import("../views/new.js"),
  jobs: () => import("../views/jobs.js"),
  job: () => import("../views/job.js"),
};

onUnauthorized(askForKey);

const keyState = document.getElementById("key-state");
function showKey() {
  replace(keyState, key() && button("Forget the key", { symbol: "key", kind: "quiet small", on: { click: () => {
    setKey(null);
    location.reload();
  } } }));
}
onKeyChange(showKey);
showKey();

const root = document.getElementById("view");
let isFirst = true;

start(async ({ path: [section = "", id], query }) => {
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.dataset.section === section) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const name = section !== "jobs" ? "new" : id ? "job" : "jobs";
  const view = await VIEWS[name]().then((module) => module.open, () => missing);
  return () => {
    root.replaceChildren();
    const end = view(root, { id, query });
    // Whoever navigates by keyboard or screen reader is taken to what is new.
    if (!isFirst) root.querySelector("h1")?.focus({ preventScroll: true });
    isFirst = false;
    scrollTo(0, 0);
    return end;
  };
});

/** In place of a view whose files do not come. */
function missing() {
  root.className = "view";
  const reload = button("Load the page anew", { kind: "primary", on: { click: () => location.reload() } });
  replace(root, message("This view cannot be loaded", "The server does not answer, or has another version of the page by now.", { actions: [reload] }));
}
