// What a tab has begun and not submitted, kept over a reload: the upload, its boxes and options.

const NAME = "lktrack-draft";

export function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}

export const write = (draft) => sessionStorage.setItem(NAME, JSON.stringify(draft));
export const clear = () => sessionStorage.removeItem(NAME);

/** Changes a draft that there is. */
export function update(changes) {
  const draft = read();
  if (draft) write({ ...draft, ...changes });
}
