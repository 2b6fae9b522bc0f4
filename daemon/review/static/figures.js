// Numbers as people read them, and the shapes that pictures are drawn of.
import { el } from "./calls.js";

export const whole = (n) => Math.round(n).toLocaleString("en");
export const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)}%`;
export const money = (amount, currency, digits = 2) =>
  `${amount.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`;

/** A time of day, or a day where the times lie days apart; `span` in milliseconds. */
export function moment(ms, span) {
  if (span >= 172_800_000) return new Date(ms).toISOString().slice(0, 10);
  const seconds = span < 1_200_000 ? { second: "2-digit" } : {};
  return new Date(ms).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", ...seconds });
}

export function age(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** A cell with a share over the interval that it is known to. */
export function interval(share, low, high) {
  return el("td", { class: "num" }, percent(share), " ", el("span", { class: "quiet small block" }, `${percent(low, 0)} to ${percent(high, 0)}`));
}

/** A shape of a picture; its title is shown to whoever points at it. */
export function shape(tag, attributes, title, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (title) made.append(Object.assign(document.createElementNS(made.namespaceURI, "title"), { textContent: title }));
  made.append(...children);
  return made;
}
