// Requests to the server, and its problem documents (RFC 9457) as errors whose message is a sentence.

import { authorization } from "./key.js";

export class ApiError extends Error {
  /** @param problem the document, as far as there is one. */
  constructor(status, problem = {}, retryAfter = null) {
    super(problem.detail || problem.title || ApiError.sentence(status));
    this.status = status;
    this.errors = problem.errors ?? [];
    this.request = problem.instance;
    this.retryAfter = retryAfter;
  }

  /** Where no document came: from a proxy, or from no server at all. */
  static sentence(status) {
    if (status === 0) return "The server does not answer. It may be restarting, or the connection is gone.";
    if (status === 502 || status === 504) return "The proxy in front of the server gets no answer from it.";
    return `The server answered with status ${status} and no explanation.`;
  }

  static async from(response) {
    const text = await response.text().catch(() => "");
    let problem = {};
    try { problem = JSON.parse(text); } catch { /* Not ours. */ }
    return new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || null);
  }
}

let askForKey = null;

/** What is done where the server answers 401: resolves when there is another key to try with, rejects where there is none. */
export const onUnauthorized = (ask) => { askForKey = ask; };

/** How often, and how long (seconds), it is waited for a server that wants requests to come more slowly. */
const [MOST_WAITS, LONGEST_WAIT] = [5, 5];

/** A response whose status is a success. Tries again once the key was asked for, or a short wait is over. */
export async function request(path, { headers = {}, ...options } = {}) {
  for (let waits = 0; ;) {
    let response;
    try {
      response = await fetch(path, { ...options, headers: { ...headers, ...authorization() } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0);
    }
    if (response.ok || response.status === 304) return response;
    const problem = await ApiError.from(response);
    if (response.status === 429 && problem.retryAfter && problem.retryAfter <= LONGEST_WAIT && waits < MOST_WAITS) {
      waits += 1;
      await pause(1000 * problem.retryAfter, options.signal);
      continue;
    }
    if (response.status !== 401 || !askForKey) throw problem;
    await askForKey();
  }
}

export const json = async (path, options) => (await request(path, options)).json();

/** A page of a list, and the path of the next one (RFC 8288), or `null`. */
export async function listed(path, options) {
  const response = await request(path, options);
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1] ?? null;
  return { ...await response.json(), next };
}

export const post = (path, value, options = {}) =>
  json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value), ...options });

/** Waits, but not longer than the signal allows. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

export const isAbort = (error) => error?.name === "AbortError";
