// The caller's key, where the server wants one: kept for this tab's session, sent to this server only.

const NAME = "lktrack-key";
const listeners = new Set();

export const key = () => sessionStorage.getItem(NAME);

export function setKey(value) {
  if (value) sessionStorage.setItem(NAME, value);
  else sessionStorage.removeItem(NAME);
  for (const listener of listeners) listener();
}

export function onKeyChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const authorization = () => (key() ? { Authorization: `Bearer ${key()}` } : {});
