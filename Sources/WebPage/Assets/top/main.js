// The page: which view is shown, and the key.

import { button, h, replace } from "../base/dom.js";
import { start } from "../base/router.js";
import { onUnauthorized } from "../api/client.js";
import { key, onKeyChange, setKey } from "../api/key.js";
import { askForKey } from "../parts/dialogs.js";
import { jobView } from "../views/job.js";
import { jobsView } from "../views/jobs.js";
import { newView } from "../views/new.js";

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

start(({ path, query }) => {
  root.replaceChildren();
  const [section, id] = path;
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.dataset.section === (section ?? "")) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const end = section === "jobs" ? (id ? jobView(root, id, query) : jobsView(root, query)) : newView(root);
  // Whoever navigates by keyboard or screen reader is taken to what is new.
  if (!isFirst) root.querySelector("h1")?.focus({ preventScroll: true });
  isFirst = false;
  scrollTo(0, 0);
  return end;
});
