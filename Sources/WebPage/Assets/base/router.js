// Which view is shown: the part of the address behind `#`, so that every view has a link, and the server one page.

/** `#/jobs/ID?frame=12` → {path: ["jobs", "ID"], query}. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export function link(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export const go = (path, query) => { location.hash = link(path, query); };

/** Another query for the same view, without showing it anew. */
export function remember(query) {
  const { path } = parse(location.hash);
  history.replaceState(null, "", link(path, query));
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/** Calls `show` with each address, and ends the view before: `show` returns what ends it. */
export function start(show) {
  let end = () => {};
  const change = () => {
    end();
    end = show(parse(location.hash)) ?? (() => {});
  };
  addEventListener("hashchange", change);
  change();
}
