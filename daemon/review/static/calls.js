// How pages talk to the server.

/** The server's answer was an error; `status` is 0 when there was no answer at all. */
export class CallFailed extends Error {
  constructor(status, message, help = "") {
    super(message);
    this.status = status;
    this.help = help;
  }

  /** True when the same call may well succeed later; after a 401, once somebody signed in again. */
  get passing() {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 500;
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(15_000) });
  } catch {
    throw new CallFailed(0, "no connection");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new CallFailed(response.status, body.error ?? response.statusText, body.help);
  }
  return body;
}

export const get = (path) => call(path, {});

export const post = (path, body) =>
  call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** An element with attributes and children; text is always text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Tier -> how many questions wait there, from the queues that the server tells. */
export function openByTier(queues) {
  const open = new Map();
  for (const queue of queues) open.set(queue.tier, (open.get(queue.tier) ?? 0) + queue.open);
  return open;
}
