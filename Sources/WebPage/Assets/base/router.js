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

/**
 * Ends the view before at each address, and shows the next: `load` promises what shows it, which returns what ends it.
 * What comes too late, because another address was gone to meanwhile, is not shown.
 */
export function start(load) {
  let end = () => {};
  let wanted = 0;
  const change = async () => {
    const turn = ++wanted;
    end();
    end = () => {};
    const show = await load(parse(location.hash));
    if (turn === wanted) end = show() ?? (() => {});
  };
  addEventListener("hashchange", change);
  change();
}
