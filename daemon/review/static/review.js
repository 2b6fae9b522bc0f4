// One item at a time: the next ones are held ready, answers travel in the background.
import { el, post } from "./calls.js";
import { earlierOf, fieldsOf, picturesOf, preload, suggestionOf } from "./content.js";
import { Keys, KeysDialog } from "./keys.js";
import { OtherQueues } from "./others.js";
import { Outbox } from "./outbox.js";
import { inTermsOf, pairOf } from "./pairs.js";
import { Toggles } from "./toggles.js";

const EMPTY_POLL_MS = 1_500;
const IDLE_MS = 5 * 60_000;
const NOTICE_MS = 6_000;
const SCROLL_PX = 60;
const LOOKING = "This page looks for new questions by itself.";

const desk = document.getElementById("desk");
const ofPairs = "pairs" in desk.dataset;
const reviewer = Number(desk.dataset.reviewer);
const tier = desk.dataset.tier;
const prefetch = Number(desk.dataset.prefetch);
const renewMs = (Number(desk.dataset.leaseSeconds) * 1_000) / 3;
const byId = (id) => document.getElementById(id);
const buttons = [...document.querySelectorAll(".answer")];
const keys = new Keys(JSON.parse(desk.dataset.keys), `labelloop:keys:${desk.dataset.name}`);
const help = new KeysDialog(byId("keys"), keys, showKeys);
const toggles = "sets" in desk.dataset
  ? new Toggles(buttons, byId("send"), (labels) => answer({ labels }, byId("send")))
  : null;

const others = new OtherQueues(desk.dataset.name, JSON.parse(desk.dataset.others));

let current = null;
let ahead = [];
let past = [];
const settled = new Set();
let count = 0;
let shownAt = 0;
let hiddenFor = 0;
let hiddenAt = null;
let startedAt = null;
let activeAt = Date.now();
let asking = false;
let passingNotice = null;
let pollTimer = null;
let moves = 0;
let unpaid = 0;

const outbox = new Outbox(`labelloop:${reviewer}`, () => {
  showNotice();
  refill();
});
for (const call of outbox.waiting) settled.add(call.body.question);

function show(lease) {
  current = lease;
  shownAt = performance.now();
  hiddenFor = 0;
  startedAt ??= Date.now();
  byId("item").replaceChildren(
    ...picturesOf(lease),
    ...(ofPairs ? pairOf(lease) : fieldsOf(lease)),
    ...suggestionOf(lease, (label) => named(lease, label)),
    ...earlierOf(lease, (label) => named(lease, label)),
  );
  byId("item").scrollTop = 0;
  markMore();
  byId("item").dataset.question = lease.question;
  enable();
}

/** What the button of a label says; of a pair in the order on the screen. */
function named(lease, label) {
  const there = inTermsOf(lease, label);
  const button = buttons.find((one) => one.dataset.label === there);
  return button?.querySelector(".answer-name").firstChild.textContent.trim() ?? label;
}

function budgetWaits() {
  const questions = unpaid === 1 ? "1 question waits" : `${unpaid.toLocaleString("en")} questions wait`;
  return `${questions} until the budget allows them. ${LOOKING}`;
}

function showNothing() {
  current = null;
  delete byId("item").dataset.question;
  const [first, second] = outbox.empty
    ? ["Nothing waits for you right now.", unpaid > 0 ? budgetWaits() : LOOKING]
    : ["One moment.", "Your answers are sent first; then the next item comes."];
  sayInstead(first, second, others.place);
  if (outbox.empty) others.look();
  enable();
}

/** Two lines in the place of an item. What stands there already is let be, so that it keeps the focus. */
function sayInstead(first, second, ...more) {
  const shown = [...byId("item").querySelectorAll(":scope > p")].map((line) => line.textContent);
  if (shown.length === 2 && shown[0] === first && shown[1] === second) return;
  byId("item").replaceChildren(el("p", { class: "empty" }, first), el("p", { class: "quiet" }, second), ...more);
  markMore();
}

/** A text that goes on below the edge must not look as if it ended there. */
function markMore() {
  const item = byId("item");
  item.classList.toggle("more", item.scrollHeight - item.scrollTop - item.clientHeight > 4);
}

function scrollItem(event) {
  if (byId("guidelines").contains(event.target) || byId("item").contains(event.target)) return;
  byId("item").scrollBy({ top: event.key === "ArrowDown" ? SCROLL_PX : -SCROLL_PX });
  event.preventDefault();
}

function next() {
  const lease = ahead.shift();
  if (lease) show(lease);
  else showNothing();
  refill();
}

function enable() {
  toggles?.show(current?.question ?? null);
  for (const button of [...buttons, byId("skip"), byId("flag")]) button.disabled = current === null;
  byId("undo").disabled = past.length === 0;
  byId("count").textContent = count;
  const hours = startedAt ? (Date.now() - startedAt) / 3_600_000 : 0;
  byId("rate").textContent = count >= 3 && hours > 0 ? Math.round(count / hours).toLocaleString("en") : "–";
}

function say(text) {
  clearTimeout(passingNotice?.timer);
  passingNotice = { text, timer: setTimeout(() => { passingNotice = null; showNotice(); }, NOTICE_MS) };
  showNotice();
}

function showNotice() {
  const unsent = outbox.waiting.length;
  const lost = !outbox.connected;
  const answers = `${unsent} answer${unsent === 1 ? " is" : "s are"}`;
  const text = lost
    ? `${outbox.trouble} ${answers} kept on this page and sent when it is back; do not close it.`
    : passingNotice?.text ?? "";
  byId("notice").textContent = text;
  byId("notice").hidden = text === "";
  byId("notice").classList.toggle("bad", lost);
}

function seconds() {
  const now = performance.now();
  const away = hiddenFor + (hiddenAt === null ? 0 : now - hiddenAt);
  return Math.round(Math.min(Math.max(now - shownAt - away, 0) / 1_000, 86_400) * 10) / 10;
}

function choose(button) {
  if (current === null) return;
  if (toggles) toggles.flip(button);
  else answer({ label: inTermsOf(current, button.dataset.label) }, button);
}

/** `said` by `button` is the answer to what is shown. */
function answer(said, button) {
  const lease = current;
  moves += 1;
  const body = { question: lease.question, reviewer, ...said, seconds: seconds() };
  settled.add(lease.question);
  const entry = { lease, answered: true };
  entry.call = outbox.add("/api/answers", body, (_result, error) => {
    if (error) refused(entry, error);
  });
  past.push(entry);
  count += 1;
  flash(button);
  next();
}

function refused(entry, error) {
  past = past.filter((one) => one !== entry);
  count -= 1;
  say(error.status === 409 ? "One item was not needed any more; its answer was not taken." : `${error.message}; ${error.help}`);
  enable();
}

function skip() {
  pass("/api/skips", {});
}

/** Leave what is shown to others. */
function pass(address, more) {
  if (current === null) return;
  const lease = current;
  moves += 1;
  settled.add(lease.question);
  const call = outbox.add(address, { question: lease.question, reviewer, ...more });
  past.push({ lease, call, answered: false });
  next();
}

function undo() {
  const entry = past.at(-1);
  if (!entry) return;
  moves += 1;
  if (!outbox.withdraw(entry.call)) {
    if (!entry.answered) {
      past.pop();
      say("A skipped or flagged item has gone to somebody else.");
      enable();
      return;
    }
    outbox.add("/api/undo", { reviewer, question: entry.lease.question }, (result) => {
      if (!result?.lease) stands(entry);
    });
  }
  past.pop();
  if (entry.answered) count -= 1;
  settled.delete(entry.lease.question);
  if (current) ahead.unshift(current);
  show(entry.lease);
}

/** Ask what is wrong with the item, and leave it to somebody above. */
function flag() {
  if (current === null) return;
  byId("flag-note").value = "";
  byId("flag-form").onsubmit = (event) => {
    if (event.submitter?.value !== "no") pass("/api/flags", { note: byId("flag-note").value.trim() });
  };
  byId("flag-dialog").showModal();
}

function stands(entry) {
  settled.add(entry.lease.question);
  count += 1;
  ahead = ahead.filter((one) => one.question !== entry.lease.question);
  say("That answer stands: labels were certified on it.");
  if (current?.question === entry.lease.question) next();
  enable();
}

async function refill(force = false) {
  const held = ahead.length + (current ? 1 : 0);
  if (asking || !outbox.connected || (!force && held >= prefetch)) return;
  asking = true;
  clearTimeout(pollTimer);
  const before = outbox.empty ? moves : null;
  let again = true;
  try {
    // The server still counts what is on its way to it among what we hold.
    const wanted = Math.min(Math.max(prefetch, held) + outbox.waiting.length, 100);
    const { leases, unpaid: waiting } = await post("/api/leases", { reviewer, tier, count: wanted });
    unpaid = waiting;
    take(leases.filter((lease) => !settled.has(lease.question)), moves === before);
    again = current === null;
  } catch (error) {
    if (error.status === 403) showPaused(error);
    else if (!error.passing) say(`${error.message}; ${error.help}`);
    else if (current === null) say("No connection; trying again.");
  }
  asking = false;
  if (again) pollTimer = setTimeout(refill, EMPTY_POLL_MS);
}

/** Somebody whom a lead lets go on goes on here by themselves. */
function showPaused(error) {
  current = null;
  ahead = [];
  delete byId("item").dataset.question;
  const said = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  sayInstead(`${said}.`, `${error.help}.`);
  enable();
}

/** Take what the server says we hold; `settledNow`: nothing was answered or undone while it was asked. */
function take(leases, settledNow) {
  const isCurrent = (lease) => lease.question === current?.question;
  leases.forEach(preload);
  if (!settledNow) {
    const known = new Set(ahead.map((lease) => lease.question));
    ahead.push(...leases.filter((lease) => !isCurrent(lease) && !known.has(lease.question)));
  } else {
    if (current && !leases.some(isCurrent)) {
      say("That item is not needed any more; here is the next one.");
      current = null;
    }
    ahead = leases.filter((lease) => !isCurrent(lease));
  }
  if (current === null && ahead.length > 0) show(ahead.shift());
  else if (current === null) showNothing();
}

function flash(button) {
  button.animate([{ filter: "brightness(0.85)" }, { filter: "none" }], { duration: 180 });
}

function toggleGuidelines() {
  const hidden = !byId("guidelines").hidden;
  byId("guidelines").hidden = hidden;
  byId("toggle").setAttribute("aria-expanded", String(!hidden));
}

const ACTIONS = { skip, undo, flag, guidelines: toggleGuidelines, help: () => help.show() };

function press(event) {
  activeAt = Date.now();
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") scrollItem(event);
  if (event.key === "Enter") toggles?.enter(event);
  if (event.repeat) return;
  const action = keys.action(event.key);
  if (action !== undefined) event.preventDefault();
  const chosen = buttons[Number(/^answer_(\d+)$/.exec(action ?? "")?.[1]) - 1];
  if (chosen) choose(chosen);
  else ACTIONS[action]?.();
}

function showKeys() {
  for (const place of document.querySelectorAll("[data-key]")) place.textContent = keys.of(place.dataset.key);
}

for (const button of buttons) button.addEventListener("click", () => choose(button));
byId("item").addEventListener("scroll", markMore);
addEventListener("resize", markMore);
byId("skip").addEventListener("click", skip);
byId("undo").addEventListener("click", undo);
byId("flag").addEventListener("click", flag);
byId("toggle").addEventListener("click", toggleGuidelines);
byId("help").addEventListener("click", () => help.show());
addEventListener("keydown", press);
addEventListener("pointerdown", () => { activeAt = Date.now(); });
addEventListener("beforeunload", (event) => {
  if (!outbox.empty) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else if (hiddenAt !== null) {
    hiddenFor += performance.now() - hiddenAt;
    hiddenAt = null;
  }
});
setInterval(() => {
  if (!document.hidden && Date.now() - activeAt < IDLE_MS) refill(true);
}, renewMs);
setInterval(enable, 5_000);

showKeys();
outbox.pump();
refill();
