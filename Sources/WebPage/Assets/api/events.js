// A job's server-sent events (WHATWG HTML §9.2), read by `fetch` because an EventSource sends no key. A stream that
// breaks is taken up behind its last event, also by a server that was restarted meanwhile.

import { ApiError, isAbort, pause, request } from "./client.js";

const LONGEST_WAIT = 5000;

/**
 * Reads to the stream's end.
 * @param on {event: (name, data), gone: (error) => the line is broken, back: () => it is not any more}
 */
export async function follow(path, on, signal) {
  let last = null;
  let failures = 0;
  for (;;) {
    try {
      const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
      const response = await request(path, { headers, signal });
      if (response.status === 204) return;
      if (failures > 0) on.back?.();
      failures = 0;
      for await (const event of events(response.body)) {
        if (event.id) last = event.id;
        on.event(event.name, JSON.parse(event.data));
        if (event.name === "end") return;
      }
    } catch (error) {
      if (isAbort(error) || signal?.aborted) return;
      const lasting = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (lasting) throw error;
      on.gone?.(error);
    }
    failures += 1;
    try { await pause(Math.min(300 * 2 ** failures, LONGEST_WAIT), signal); } catch { return; }
  }
}

async function* events(body) {
  let event = { name: "message", data: "" };
  for await (const line of lines(body)) {
    if (line === "") {
      if (event.data) yield event;
      event = { name: "message", data: "", id: event.id };
    } else {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
      if (name === "event") event.name = value;
      else if (name === "data") event.data += event.data ? `\n${value}` : value;
      else if (name === "id") event.id = value;
    }
  }
}

/** The lines of a stream of UTF-8; what follows the last line feed is none. */
export async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
