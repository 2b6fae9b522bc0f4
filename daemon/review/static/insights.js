// The insights page: tables and pictures of what /api/insights says; every picture is a table as well.
import { el, get } from "./calls.js";
import { interval, moment, money, percent, shape, whole } from "./figures.js";
import { matrix } from "./matrix.js";

const POLL_MS = 30_000;
const WIDTH = 600;
const HEIGHT = 260;
const byId = (id) => document.getElementById(id);
const number = (content) => el("td", { class: "num" }, content);
const name = (...content) => el("th", { scope: "row" }, ...content);

function fill(id, rows, none) {
  const columns = byId(id).querySelectorAll("thead th").length;
  const empty = el("tr", {}, el("td", { class: "quiet", colspan: columns }, none));
  byId(id).querySelector("tbody").replaceChildren(...(rows.length > 0 ? rows : [empty]));
}

function functions(found) {
  const line = (one) =>
    el(
      "tr",
      {},
      name(one.name, " ", el("span", { class: "quiet" }, one.about)),
      el("td", {}, Object.entries(one.votes).filter(([, n]) => n > 0).map(([option]) => option).join(", ")),
      number(percent(one.coverage)),
      number(percent(one.overlaps)),
      number(percent(one.conflicts)),
      number(whole(one.checked)),
      one.right === null ? number("unknown") : interval(one.right, one.low, one.high),
      el("td", {}, trend(one.trend)),
    );
  fill("functions", found.functions.map(line), "no function has voted yet");
}

/** How often a function was right in each part of time in which it voted. */
function trend(parts) {
  const known = parts.map((part) => (part.votes > 0 ? part.right / part.votes : null));
  if (known.filter((share) => share !== null).length < 2) return el("span", { class: "quiet" }, "too few yet");
  const told = known.map((share) => (share === null ? "no vote" : percent(share, 0))).join(", ");
  const points = known.flatMap((share, i) =>
    share === null ? [] : [`${((i / (known.length - 1)) * 100).toFixed(1)},${(22 - share * 20).toFixed(1)}`]);
  const picture = shape("svg", { class: "trend", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img", "aria-label": `right over time: ${told}` }, told);
  picture.append(shape("path", { class: "base", d: "M0,2H100M0,22H100" }), shape("path", { class: "spark-line", d: `M${points.join("L")}` }));
  return picture;
}

function risk(found) {
  const { curve, certified } = found;
  byId("risk").hidden = byId("risk-details").hidden = curve.length < 2;
  byId("no-risk").hidden = curve.length >= 2;
  byId("no-risk").textContent = found.windows === 0 ? "No window has closed yet." : "Too few audits yet.";
  const top = Math.min(Math.max(...curve.map((point) => point.risk), found.target_error) * 1.6, 1);
  const x = (share) => (share * WIDTH).toFixed(1);
  const y = (share) => (HEIGHT - (Math.min(share, top) / top) * HEIGHT).toFixed(1);
  const along = (side) => curve.map((point) => `${x(point.coverage)},${y(point[side])}`);
  byId("risk-top").textContent = percent(top);
  byId("risk-plot").replaceChildren(
    shape("path", { class: "risk-band", d: curve.length > 1 ? `M${along("low").join("L")}L${along("high").toReversed().join("L")}Z` : "" }),
    shape("path", { class: "base", d: `M0,0H${WIDTH}M0,${HEIGHT}H${WIDTH}` }),
    shape("path", { class: "target", d: `M0,${y(found.target_error)}H${WIDTH}` }),
    shape("path", { class: "chance", d: curve.length > 1 ? `M${along("risk").join("L")}` : "" }),
    // A line of no length with round ends is a dot whatever the picture's proportions.
    ...certified.map((point) =>
      shape("path", { class: "certified-point", d: `M${x(point.coverage)},${y(point.risk)}h0.01` },
        `window ${point.window}: ${percent(point.coverage)} released from score ${point.score.toFixed(3)}, at most ${percent(point.risk)} wrong`)),
  );
  const last = curve.at(-1);
  byId("risk-plot").setAttribute("aria-label", last
    ? `Error against coverage: ${percent(curve[0].risk)} wrong among the surest ${percent(curve[0].coverage)}, ${percent(last.risk)} among ${percent(last.coverage)}; the table below has all points`
    : "nothing yet");
  fill("risk-table", curve.map((point) =>
    el("tr", {}, number(point.score.toFixed(3)), number(percent(point.coverage)), number(whole(point.audits)), interval(point.risk, point.low, point.high))), "nothing yet");
  fill("certified-table", certified.toReversed().map((point) =>
    el("tr", {}, name(`${point.window}`), number(point.score.toFixed(3)), number(percent(point.coverage)), number(percent(point.risk)))), "no window has released anything");
}

function cost({ costs, currency }) {
  byId("cost").hidden = byId("cost-details").hidden = costs.length === 0;
  byId("no-cost").hidden = costs.length > 0;
  if (costs.length === 0) return;
  const [first, last] = [costs[0].start, costs.at(-1).end];
  const span = Math.max(last - first, 1);
  const top = Math.max(...costs.map((one) => one.per_label)) * 1.1 || 1;
  const x = (ms) => ((ms - first) / span) * WIDTH;
  const y = (share) => (HEIGHT - share * HEIGHT).toFixed(1);
  const bars = costs.map((one) =>
    shape("rect", { class: "cost-bar", x: (x(one.start) + 1).toFixed(1), width: Math.max(x(one.end) - x(one.start) - 2, 1).toFixed(1), y: y(one.per_label / top), height: ((one.per_label / top) * HEIGHT).toFixed(1) },
      `${moment(one.start, span)}: ${money(one.per_label, currency, 4)}, ${percent(one.human / one.items)} by people`));
  const people = costs.map((one) => `${x((one.start + one.end) / 2).toFixed(1)},${y(one.human / one.items)}`);
  byId("cost-unit").textContent = `${currency} an item`;
  byId("cost-top").textContent = top.toFixed(3);
  byId("cost-from").textContent = moment(first, span);
  byId("cost-to").textContent = moment(last, span);
  byId("cost-plot").replaceChildren(
    shape("path", { class: "base", d: `M0,${HEIGHT}H${WIDTH}` }),
    ...bars,
    shape("path", { class: "chance", d: people.length > 1 ? `M${people.join("L")}` : "" }),
  );
  byId("cost-plot").setAttribute("aria-label", `Cost of a label: ${money(costs[0].per_label, currency, 4)} of items that came first, ${money(costs.at(-1).per_label, currency, 4)} of the last; the table below has all`);
  fill("cost-table", costs.map((one) =>
    el("tr", {}, name(moment(one.start, span)), number(whole(one.items)), number(percent(one.human / one.items)), number(money(one.per_label, currency, 4)))), "nothing yet");
}

function confusions(found) {
  const seen = found.confusions.filter((one) => one.counts.flat().some((n) => n > 0));
  const none = el("p", { class: "quiet" }, "No audit of a closed window yet.");
  byId("confusions").replaceChildren(...(seen.length > 0 ? seen.map(confusion) : [none]));
}

const confusion = (one) => matrix({ ...one, corner: "Experts said", label: `${one.about || "Class"}: automatic labels against experts` });

async function refresh() {
  try {
    const found = await get("/api/insights");
    byId("rests-on").textContent =
      `From the newest ${whole(found.items)} items, ${whole(found.checked)} random blind answers and ${whole(found.windows)} ${found.windows === 1 ? "window" : "windows"}.`;
    for (const part of [functions, risk, cost, confusions]) part(found);
    byId("notice").hidden = true;
    document.body.dataset.fresh = "yes";
  } catch (error) {
    byId("notice").textContent = `The figures could not be read: ${error.message}. Trying again.`;
    byId("notice").hidden = false;
  }
  setTimeout(refresh, POLL_MS);
}

refresh();
