// Numbers and times as people read them.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(count) {
  let unit = 0;
  while (count >= 1000 && unit < UNITS.length - 1) [count, unit] = [count / 1000, unit + 1];
  return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${UNITS[unit]}`;
}

/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const [large, least, small] = whole < 3600 ? ["min", "s", whole] : ["h", "min", whole / 60];
  return `${Math.floor(small / 60)} ${large}${small % 60 < 1 ? "" : ` ${Math.floor(small % 60)} ${least}`}`;
}

/** `1:04.12`: a place in a video. */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

/** `just now`, `12 min ago`, or the date. */
export function ago(text, now = Date.now()) {
  const then = Date.parse(text);
  const seconds = (now - then) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(then).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

export const integer = (value) => Math.round(value).toLocaleString("en-US");

export const plural = (count, one, many = `${one}s`) => `${integer(count)} ${count === 1 ? one : many}`;

/** Up to two decimals, without trailing zeros. */
export const short = (value) => String(Math.round(value * 100) / 100);

export const boxText = (box) => box.map(short).join(",");

/** As a word of a POSIX shell. */
export const shellQuoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export const STATUS = {
  queued: "Queued", running: "Running", succeeded: "Succeeded", failed: "Failed", canceled: "Canceled",
};

export const STATES = ["tracked", "coasting", "lost", "out_of_frame"];
export const STATE_NAMES = { tracked: "tracked", coasting: "coasting", lost: "lost", out_of_frame: "out of frame" };
