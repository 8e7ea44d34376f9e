// Pictures and files of routes that want a key, which neither `<img>` nor `<video>` nor a link can send.

import { key } from "./key.js";
import { pause, request } from "./client.js";

/** A picture, decoded. The server is busy at times: it says when to ask again. */
export async function picture(path, { signal, tries = 6 } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await request(path, { headers: { Accept: "image/jpeg" }, signal });
      return await createImageBitmap(await response.blob());
    } catch (error) {
      if (error.status !== 503 || attempt >= tries) throw error;
      await pause(1000 * Math.min(error.retryAfter ?? 0.3 * attempt, 5), signal);
    }
  }
}

/** Larger videos are not held in memory for the sake of a key. */
const LARGEST_OBJECT = 256 * 1024 * 1024;

/** An address that an element can load: the path itself, or an object URL of what is behind it. `null`: too large. */
export async function loadable(path, size, signal) {
  if (!key()) return { url: path, release() {} };
  if (size > LARGEST_OBJECT) return null;
  const url = URL.createObjectURL(await (await request(path, { signal })).blob());
  return { url, release: () => URL.revokeObjectURL(url) };
}

/** Saves what is at a path. Without a key the browser does it alone, of any size. */
export async function save(path, name) {
  const anchor = document.createElement("a");
  anchor.download = name;
  anchor.href = path;
  let release = () => {};
  if (key()) {
    anchor.href = URL.createObjectURL(await (await request(path)).blob());
    release = () => setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
  }
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  release();
}

/** Waits while a video is being made (202); `told` is called once where it takes time. */
export async function rendered(path, { signal, told } = {}) {
  for (;;) {
    const response = await request(path, { method: "HEAD", signal });
    if (response.status !== 202) return;
    told?.();
    await pause(1000 * (Number(response.headers.get("Retry-After")) || 1), signal);
  }
}
