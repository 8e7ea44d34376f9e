// One job alone, in a frame of another page: `/embed/{id}`, or `/embed/{id}#frame=12`.

import { h, replace } from "../base/dom.js";
import { isAbort, onUnauthorized } from "../api/client.js";
import { askForKey } from "../parts/dialogs.js";
import { badge, nameOf } from "../parts/jobhead.js";
import { jobError, problem } from "../parts/messages.js";
import { Viewer } from "../parts/viewer.js";

onUnauthorized(askForKey);

const root = document.getElementById("view");
const id = decodeURIComponent(location.pathname.split("/").at(-1));
const title = h("h1", { class: "row" });
const notice = h("div", { class: "notice" });
const viewer = new Viewer(id, {
  job: () => {
    const { job } = viewer;
    document.title = nameOf(job);
    replace(title, h("a", { href: `/#/jobs/${job.id}`, target: "_blank", rel: "noopener" }, nameOf(job)), job.status !== "succeeded" && badge(job.status));
    replace(notice, job.status === "failed" && jobError(job.error));
  },
  picture: () => {},
  boxes: () => {},
  line: (error) => replace(notice, error && h("p", { class: "line-broken" }, `${error.message} Trying again…`)),
}, new URLSearchParams(location.hash.slice(1)).get("frame"));

viewer.element.prepend(viewer.stage.element);
root.className = "embedded";
replace(root, title, notice, viewer.element);
viewer.start().catch((error) => {
  if (!isAbort(error)) replace(notice, problem(error, { title: "The job cannot be shown", retry: () => location.reload() }));
});
