// The dashboard's part about drift: alarms, how far the open ones are, and where they stand among the windows.
import { el } from "./calls.js";

const SHOWN = 6;
const byId = (id) => document.getElementById(id);
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });

/** The card; `d` is the overview's `drift`. */
export function card(d) {
  const chip = byId("drift-chip");
  chip.textContent = d.open > 0 ? `${d.open} open` : d.watching ? "calm" : "not watched";
  chip.className = `chip ${d.open > 0 ? "alarm-open" : d.watching ? "status-certified" : ""}`;
  byId("drift-standing").textContent = d.standing;
  progress(d);
  byId("alarms").replaceChildren(...d.alarms.slice(0, SHOWN).map(line));
}

function progress(d) {
  const place = byId("drift-progress");
  place.hidden = d.fresh === null;
  if (d.fresh === null) return;
  const share = Math.min(d.fresh / d.wanted, 1);
  place.querySelector(".meter-fill").style.width = `${share * 100}%`;
  const told = share < 1 ? `${d.fresh} of ${d.wanted} fresh random answers` : "the fresh answers are in: training is next";
  place.lastElementChild.textContent = told;
}

function line(alarm) {
  return el(
    "li",
    { class: alarm.ended_at === null ? "alarm-open" : null },
    el("span", {}, el("strong", {}, alarm.signal), " ", el("span", { class: "quiet small" }, `${clock(alarm.at)} · item ${alarm.item.toLocaleString("en")}${alarm.times > 1 ? ` · ${alarm.times} times` : ""}`)),
    el("span", {}, alarm.detail),
    el("span", { class: "quiet small" }, alarm.state),
  );
}

/** Which of these windows (oldest first) froze while alarms were open: [first, behind the last, what was raised]. */
export function spans(windows, alarms) {
  return alarms.map((alarm) => {
    const first = windows.findIndex((w) => w.frozen_at >= alarm.at);
    const from = first < 0 ? windows.length : first;
    const past = windows.findIndex((w) => alarm.ended_at !== null && w.frozen_at >= alarm.ended_at);
    return [from, Math.max(past < 0 ? windows.length : past, from), `drift alarm: ${alarm.signal}`];
  });
}
