// The lead's page: queues, reviewers, disagreements, and sliders that tell what other budgets would do.
import { el, get, post } from "./calls.js";
import { age, interval, moment, money, percent, whole } from "./figures.js";
import { matrix } from "./matrix.js";

const POLL_MS = 5_000;
const ERRING_MS = 60_000;
const REST_MS = 300;
const STEPS = 40;
const DAY_MS = 86_400_000;
const byId = (id) => document.getElementById(id);
const number = (content) => el("td", { class: "num" }, content);
const name = (...content) => el("th", { scope: "row" }, ...content);

let currency = "";
let chosen = null;
let set = null;
let restTimer = null;
let shown = null;
let asked = 0;
let erringAt = 0;

function fill(id, rows, none) {
  const columns = byId(id).querySelectorAll("thead th").length;
  const empty = el("tr", {}, el("td", { class: "quiet", colspan: columns }, none));
  byId(id).querySelector("tbody").replaceChildren(...(rows.length > 0 ? rows : [empty]));
}

const said = (label) => [label].flat().join(", ") || "none";

function empty(queue) {
  if (queue.waiting === 0) return "now";
  if (queue.empty_in_hours === null) return queue.answered_per_hour === 0 ? "nobody answers" : "never: more is asked than answered";
  return `in ${age(queue.empty_in_hours * 3_600)}`;
}

function queues(list) {
  const line = (queue) =>
    el("tr", {}, name(queue.tier), number(whole(queue.waiting)), number(whole(queue.held)),
      number(queue.waiting > queue.held ? age(queue.oldest_seconds) : ""),
      number(whole(queue.asked_per_hour)), number(whole(queue.answered_per_hour)), el("td", {}, empty(queue)));
  fill("lead-queues", list.map(line), "no tier is configured");
}

function reviewers(list) {
  // Written only when it has changed: whoever is on a button of the table stays there.
  const key = JSON.stringify(list);
  if (key === shown) return;
  shown = key;
  const focused = document.activeElement?.dataset.reviewer;
  fill("lead-reviewers", list.map(reviewer), "nobody has enrolled yet");
  if (focused) document.querySelector(`[data-reviewer="${focused}"]`)?.focus();
}

function reviewer(one) {
  const { last_at: last } = one;
  return el("tr", {}, name(one.name), el("td", {}, one.tier), number(whole(one.answers)), number(whole(one.today)),
    number(one.seconds.toFixed(1)), number(money(one.earned, currency)), number(money(one.earned_today, currency)),
    number(one.controls > 0 ? `${whole(one.controls_right)} of ${whole(one.controls)}` : "–"),
    one.right === null ? number("unknown") : interval(one.right, one.low, one.high),
    el("td", {}, last === null ? "" : moment(last, Date.now() - last > DAY_MS ? 2 * DAY_MS : DAY_MS)),
    el("td", {}, state(one)));
}

/** Paused or not, and for leads a button that changes it. */
function state(one) {
  const paused = one.state === "paused";
  const told = el("span", { class: paused ? "chip alarm-open" : "quiet", title: one.note }, paused ? "paused" : "at work");
  if (!("mayLead" in byId("lead-reviewers").dataset)) return told;
  const button = el("button", { type: "button", class: "plain", "data-reviewer": one.id }, paused ? "Let go on" : "Pause", el("span", { class: "sr-only" }, ` ${one.name} in ${one.tier}`));
  button.addEventListener("click", () => askState(one, paused ? "active" : "paused"));
  return el("span", {}, told, " ", button);
}

function askState(one, wanted) {
  const title = wanted === "paused" ? `Pause ${one.name}?` : `Let ${one.name} go on?`;
  byId("state-title").textContent = title;
  byId("state-yes").textContent = wanted === "paused" ? "Pause" : "Let go on";
  byId("state-note").value = "";
  byId("state-problem").hidden = true;
  byId("state-form").onsubmit = async (event) => {
    if (event.submitter?.value === "no") return;
    event.preventDefault();
    try {
      await post("/api/reviewers/state", { reviewer: one.id, state: wanted, note: byId("state-note").value });
      byId("state-dialog").close();
      reviewers((await get("/api/lead")).reviewers);
    } catch (error) {
      byId("state-problem").textContent = [error.message, error.help].filter(Boolean).join("; ");
      byId("state-problem").hidden = false;
    }
  };
  byId("state-dialog").showModal();
}

const whoErrs = (one) => `${one.tier}: ${one.name ?? (one.reviewer === null ? "the others" : `annotator ${one.reviewer}`)}`;

/** People to choose from, and how the chosen one answers; whoever is chosen stays so. */
function erring(people) {
  const names = [...new Set(people.map(whoErrs))];
  const picker = byId("erring-who");
  const before = picker.value;
  if (JSON.stringify(names) !== picker.dataset.names) {
    picker.dataset.names = JSON.stringify(names);
    picker.replaceChildren(...names.map((who) => el("option", { value: who }, who)));
    if (names.includes(before)) picker.value = before;
  }
  byId("erring-form").hidden = names.length === 0;
  byId("no-erring").hidden = names.length > 0;
  const show = () => byId("erring").replaceChildren(
    ...people.filter((one) => whoErrs(one) === picker.value).flatMap((one) => [
      matrix({ corner: "Class", label: `${one.about} ${whoErrs(one)}: what is said of items of each class`, about: one.about, options: one.options, counts: one.expected }),
      el("ul", { class: "quiet small" }, ...one.right.flatMap((found, k) => (found === null ? [] : [
        el("li", {}, `${one.options[k]}: ${percent(found.share)} named so (${percent(found.low)} to ${percent(found.high)})`)]))),
    ]));
  picker.onchange = show;
  show();
}

/** How far people agree, and on which class least. */
function agreement(tiers) {
  const told = (value) => number(value === null ? "–" : value.toFixed(2));
  const line = ({ tier, all, by_class: classes }) => {
    const known = Object.entries(classes).filter(([, one]) => one.alpha !== null).sort(([, a], [, b]) => a.alpha - b.alpha);
    const [least] = known;
    return el("tr", {}, name(tier), number(whole(all.items)), number(all.percent === null ? "–" : percent(all.percent)),
      told(all.fleiss), number(all.alpha === null ? "–" : `${all.alpha.toFixed(2)}${all.interval === null ? "" : ` (${all.interval[0].toFixed(2)} to ${all.interval[1].toFixed(2)})`}`),
      el("td", {}, least ? `${least[0]} (alpha ${least[1].alpha.toFixed(2)})` : "–"));
  };
  fill("lead-agreement", tiers.map(line), "no item was answered by two people of a tier yet");
}

function disagreements(list) {
  const line = (one) =>
    el("li", {},
      el("a", { href: `/items/${encodeURIComponent(one.item)}`, dir: "auto" }, one.text || one.item),
      el("span", { class: "small block" }, ...one.said.flatMap((answer, i) => [
        ...(i > 0 ? [" · "] : []), el("span", { class: "quiet" }, `${answer.name} (${answer.tier}) `), el("strong", {}, said(answer.label))])),
      el("span", { class: "quiet small block" }, `labeled ${said(one.label)} now`));
  const none = el("li", { class: "quiet" }, "None among the latest answers.");
  byId("disagreements").replaceChildren(...(list.length > 0 ? list.map(line) : [none]));
}

/** A slider for each tier; its last step is no limit. */
function sliders(budgets, perDay) {
  chosen = Object.fromEntries(budgets.map((one) => [one.tier, one.per_day]));
  byId("tier-sliders").replaceChildren(...budgets.map((one) => {
    // Far enough for an answer on every item, and beyond what is set.
    const top = Math.max(2 * (one.per_day ?? 0), one.price * (perDay ?? 100), 1);
    const step = 10 ** Math.floor(Math.log10(top / STEPS)) || 1;
    const size = Math.ceil(top / STEPS / step) * step;
    const place = one.per_day === null ? STEPS : Math.min(Math.round(one.per_day / size), STEPS - 1);
    const slider = el("input", { type: "range", id: `budget-${one.tier}`, min: 0, max: STEPS, value: place });
    const output = el("output", { for: slider.id, class: "num" });
    const show = () => {
      const told = chosen[one.tier] === null ? "no limit" : `${money(chosen[one.tier], currency)} a day`;
      output.textContent = told;
      slider.setAttribute("aria-valuetext", told);
    };
    slider.addEventListener("input", () => {
      const at = Number(slider.value);
      chosen[one.tier] = at === STEPS ? null : at * size;
      show();
      askSoon();
    });
    show();
    return el("div", { class: "slider" }, el("label", { for: slider.id }, one.tier), slider, output);
  }));
}

function askSoon() {
  clearTimeout(restTimer);
  restTimer = setTimeout(whatIf, REST_MS);
}

/** What the person says about the pace; null leaves it to what came lately. */
const itemsPerDay = () => (byId("per-day").value > 0 ? Number(byId("per-day").value) : null);

async function whatIf() {
  asked += 1;
  const mine = asked;
  byId("what-if").setAttribute("aria-busy", "true");
  try {
    const pace = { items_per_day: itemsPerDay() };
    const [was, is] = await Promise.all([set, chosen].map((budgets) => post("/api/what-if", { budgets, ...pace })));
    if (mine === asked) expected(was, is);
  } catch (error) {
    byId("pace").textContent = `That could not be worked out: ${error.message}.`;
  }
  byId("what-if").removeAttribute("aria-busy");
}

function expected(before, found) {
  byId("guesses").replaceChildren(...found.guesses.map((guess) => el("li", {}, guess)));
  if (found.forecast === null) {
    byId("pace").textContent = "Nobody knows yet how many items come in a day: say it, then there is a forecast.";
    fill("what-if", [], "no forecast yet");
    return;
  }
  byId("pace").textContent = `${whole(found.items_per_day)} items a day; ${money(found.audits_per_day, currency)} a day go to audits first.`;
  const [was, is] = [before.forecast, found.forecast];
  const line = (what, told) => el("tr", {}, name(what), number(told(was)), number(told(is)));
  fill("what-if", [
    line("labels right", (one) => percent(one.accuracy)),
    line("certified without people", (one) => percent(one.certified)),
    line("asked of others", (one) => percent(one.people)),
    line("spent on answers a day", (one) => money(one.cost_per_day, currency)),
    ...Object.keys(is.answers_per_day).map((tier) => line(`answers of ${tier} a day`, (one) => whole(one.answers_per_day[tier]))),
  ], "no forecast yet");
}

/** The sliders stand where the settings are; they are made once. */
async function start(budgets) {
  set = Object.fromEntries(budgets.map((one) => [one.tier, one.per_day]));
  const found = await post("/api/what-if", { budgets: set });
  byId("per-day").value = found.items_per_day === null ? "" : Math.round(found.items_per_day);
  sliders(budgets, found.items_per_day);
  expected(found, found);
}

async function refresh() {
  try {
    const found = await get("/api/lead");
    currency = found.currency;
    queues(found.queues);
    reviewers(found.reviewers);
    disagreements(found.disagreements);
    byId("notice").hidden = true;
    if (chosen === null) await start(found.budgets);
    if (Date.now() - erringAt > ERRING_MS) {
      erring((await get("/api/confusions")).people);
      agreement((await get("/api/agreement")).tiers);
      erringAt = Date.now();
    }
    document.body.dataset.fresh = "yes";
  } catch (error) {
    byId("notice").textContent = `The figures are old: ${error.message}. Trying again.`;
    byId("notice").hidden = false;
  }
  setTimeout(refresh, POLL_MS);
}

byId("per-day").addEventListener("input", askSoon);
byId("budgets-form").addEventListener("submit", (event) => event.preventDefault());
refresh();
