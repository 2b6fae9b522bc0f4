// Keeps the dashboard's figures fresh: only what changed is written, so that nothing flickers.
import { el, get } from "./calls.js";
import * as drift from "./drift.js";
import { age, interval, money, percent, shape, whole } from "./figures.js";

const POLL_MS = 2_000;
const WINDOWS_SHOWN = 6;
const STATES = ["certified", "human", "frozen", "ready", "asking"];
const MEANING = {
  certified: "certified",
  human: "answered by people",
  frozen: "being audited",
  ready: "waiting for a window",
  asking: "waiting for an answer",
};
const byId = (id) => document.getElementById(id);
const shown = new Map();

const hours = (h) => (h >= 10 ? whole(h) : h.toFixed(1));

function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

/** Draw a part of the page only when what it shows has changed. */
function draw(name, data, paint) {
  const key = JSON.stringify(data);
  if (shown.get(name) === key) return;
  shown.set(name, key);
  paint(data);
}

function row(cells) {
  return el("tr", {}, ...cells.map((cell) => (cell instanceof Node ? cell : el("td", { class: "num" }, cell))));
}

/** A label: the name of a class, or a list of those that apply. */
function said(label) {
  if (!Array.isArray(label)) return text(label);
  return label.length > 0 ? text(label.join(", ")) : text("none", { class: "quiet" });
}

const text = (content, attributes = {}) => el("td", attributes, content);

function table(id, rows, columns, none) {
  const body = byId(id).querySelector("tbody");
  const empty = el("tr", {}, el("td", { class: "quiet", colspan: columns }, none));
  body.replaceChildren(...(rows.length > 0 ? rows : [empty]));
}

function headline(o) {
  write("items", whole(o.items));
  write("items-note", `${whole(o.items_per_minute)} in the last minute`);
  write("automated", percent(o.automated_share));
  write("automated-note", `${whole(o.automated)} labeled without people`);
  write("certified", percent(o.certified_share));
  write("certified-note", `${whole(o.states.certified)} at most ${percent(o.promise.target_error)} wrong`);
  write("spent", money(o.cost.spent, o.cost.currency));
  write("spent-note", `${whole(o.answers)} answers, ${hours(o.cost.hours)} h`);
  write("lag", o.lag === null ? "–" : whole(o.lag));
  write("lag-note", o.lag === null ? "no worker says" : "messages unread");
}

function states(o) {
  draw("states", o.states, (counts) => {
    const total = Math.max(o.items, 1);
    const bar = byId("states");
    if (bar.children.length === 0) {
      for (const name of STATES) bar.append(el("span", { class: `segment state-${name}`, title: MEANING[name] }));
    }
    STATES.forEach((name, index) => {
      bar.children[index].style.flexGrow = counts[name] / total;
    });
    const parts = STATES.map((name) => `${MEANING[name]} ${whole(counts[name])}`);
    bar.setAttribute("aria-label", `Items by state: ${parts.join(", ")}`);
    byId("legend").replaceChildren(
      ...STATES.map((name) =>
        el("li", {}, el("span", { class: `dot state-${name}` }), MEANING[name], " ", el("strong", {}, whole(counts[name]))),
      ),
    );
  });
}

function promise(o) {
  write("sentence", o.promise.sentence);
  write("standing", o.promise.standing);
  write("ledger", o.promise.ledger);
  byId("ledger").className = o.promise.suspended ? "problem" : "quiet";
  draw("history", [o.promise.windows, o.drift.alarms], history);
  draw("drift", o.drift, drift.card);
  draw("windows", o.promise.windows.slice(0, WINDOWS_SHOWN), (windows) =>
    table(
      "windows",
      windows.map((w) =>
        row([
          text(`${w.id}`),
          whole(w.items),
          whole(w.audits),
          whole(w.wrong),
          w.threshold === null ? "none passed" : w.threshold.toFixed(3),
          whole(w.certified),
          text(w.threshold === null ? "back to the queues" : `≤ ${percent(w.target_error)} wrong at ${percent(w.confidence, 0)}`),
        ]),
      ),
      7,
      "no window has closed yet",
    ),
  );
}

/** Share released (upper bars) and share of wrong audits (lower bars) of each window, oldest first. */
function history([newestFirst, alarms]) {
  byId("history").hidden = newestFirst.length === 0;
  if (newestFirst.length === 0) return;
  const windows = newestFirst.toReversed();
  const wrong = (w) => (w.audits ? w.wrong / w.audits : 0);
  const top = Math.max(...windows.map((w) => Math.max(wrong(w), 1.5 * w.target_error)));
  const step = 600 / Math.max(windows.length, 16);
  const bars = windows.flatMap((w, i) => {
    const released = 70 * (w.items ? w.certified / w.items : 0);
    const errors = 40 * (wrong(w) / top);
    const told = `window ${w.id}: ${percent(w.items ? w.certified / w.items : 0)} released, ${w.wrong} of ${w.audits} audits wrong${w.chance === null ? "" : `, chance of releasing ${percent(w.chance, 0)}`}`;
    const place = { x: (i * step + 1).toFixed(1), width: Math.max(step - 2, 1).toFixed(1) };
    return [
      shape("rect", { ...place, class: "released", y: (70 - released).toFixed(1), height: Math.max(released, 1).toFixed(1) }, told),
      shape("rect", { ...place, class: "wrong", y: (120 - errors).toFixed(1), height: errors.toFixed(1) }, told),
    ];
  });
  const foreseen = windows.flatMap((w, i) => (w.chance === null ? [] : [`${((i + 0.5) * step).toFixed(1)},${(70 - 70 * w.chance).toFixed(1)}`]));
  const bands = drift.spans(windows, alarms).map(([from, to, told]) => {
    const place = { x: Math.min(from * step, 597).toFixed(1), width: Math.max((to - from) * step, 3).toFixed(1) };
    return shape("rect", { ...place, class: "alarm-band", y: "0", height: "120" }, told);
  });
  byId("history-alarms").hidden = bands.length === 0;
  const line = 120 - 40 * (windows.at(-1).target_error / top);
  byId("history-plot").replaceChildren(
    ...bands,
    shape("path", { class: "base", d: "M0,70H600M0,120H600" }),
    ...bars,
    shape("path", { class: "chance", d: foreseen.length > 1 ? `M${foreseen.join("L")}` : "" }),
    shape("path", { class: "target", d: `M0,${line.toFixed(1)}H600` }),
  );
  const passed = windows.filter((w) => w.threshold !== null).length;
  byId("history-plot").setAttribute("aria-label", `${passed} of the last ${windows.length} windows released labels`);
  write("history-range", windows.length > 1 ? `windows ${windows[0].id} to ${windows.at(-1).id}` : `window ${windows[0].id}`);
}

function unknown(o) {
  draw("claims", o.claims, (claims) => {
    const line = (c) =>
      el(
        "li",
        {},
        el("strong", {}, c.topic),
        el("span", {}, c.said),
        ...(c.needs ? [meter(c.have / Math.max(c.want, 1)), el("span", { class: "quiet small" }, `It takes ${c.needs}`)] : []),
      );
    const [open, known] = [claims.filter((c) => c.needs), claims.filter((c) => !c.needs)];
    const nothing = el("li", { class: "quiet" }, "Nothing of what this page claims.");
    byId("unknown").replaceChildren(...(open.length > 0 ? open.map(line) : [nothing]));
    byId("known").replaceChildren(...known.map(line));
    byId("known-details").hidden = known.length === 0;
    write("known-count", `${known.length} that can be said`);
  });
  write("asked-first", o.asked_first);
}

function meter(share) {
  const fill = el("span", { class: "meter-fill" });
  fill.style.width = percent(Math.min(Math.max(share, 0), 1));
  return el("span", { class: "meter" }, fill);
}

/** A list of named bars. */
function meters(id, rows) {
  byId(id).replaceChildren(
    ...rows.map(([name, share, told]) =>
      el("li", {}, el("span", { class: "meter-name" }, name), meter(share), el("span", { class: "num" }, told)),
    ),
  );
}

function throughput(o) {
  write("per-minute", whole(o.items_per_minute));
  draw("spark", o.arrivals, (counts) => {
    const peak = Math.max(...counts, 1);
    const points = counts.map((n, i) => `${((i / (counts.length - 1)) * 300).toFixed(1)},${(61 - (n / peak) * 57).toFixed(1)}`);
    document.querySelector("#spark .spark-line").setAttribute("d", `M${points.join("L")}`);
    document.querySelector("#spark .spark-area").setAttribute("d", `M0,64L${points.join("L")}L300,64Z`);
    write("peak", `peak ${whole(peak)} a minute`);
  });
  draw("classes", o.classes, (classes) => {
    const most = Math.max(...Object.values(classes), 1);
    meters("classes", Object.entries(classes).map(([name, n]) => [name, n / most, whole(n)]));
  });
}

function queues(o) {
  draw("queues", o.queues.map((q) => ({ ...q, oldest_seconds: age(q.oldest_seconds) })), (list) =>
    table(
      "queues",
      list.map((q) =>
        row([
          el("td", {}, q.tier, " ", el("span", { class: "quiet" }, q.purpose)),
          whole(q.open),
          whole(q.leased),
          whole(q.answered),
          q.open ? q.oldest_seconds : "",
        ]),
      ),
      5,
      "nothing has been asked yet",
    ),
  );
}

function cost(o) {
  const { currency } = o.cost;
  draw("tiers", o.cost.tiers, (tiers) =>
    table(
      "tiers",
      tiers.map((t) => row([text(t.tier), whole(t.answers), hours(t.hours), money(t.spent, currency)])),
      4,
      "nothing yet",
    ),
  );
  draw("budgets", o.cost.tiers, (tiers) =>
    meters("budgets", tiers.map((t) => {
      const used = t.today_spent + t.today_reserved;
      const share = t.today_cap === null ? 0 : used / Math.max(t.today_cap, 1e-9);
      const of = t.today_cap === null ? `${money(used, "").trim()}, no limit` : `${money(used, "")}of ${money(t.today_cap, "")}`;
      return [t.tier, share, t.reached ? `${of.trim()}; reached, not asked` : of];
    })),
  );
  const share = o.cost.everything > 0 ? Math.min(o.cost.spent / o.cost.everything, 1) : 0;
  byId("versus").style.width = percent(share);
  write(
    "everything",
    `${money(o.cost.spent, currency)} and ${hours(o.cost.hours)} h so far; one answer of tier ${o.cost.everything_tier} for ` +
      `every item: ${money(o.cost.everything, currency)} and ${hours(o.cost.everything_hours)} h.`,
  );
}

function annotators(o) {
  const versions = new Map();
  for (const a of o.annotators) versions.set(a.name, (versions.get(a.name) ?? 0) + 1);
  draw("annotators", o.annotators, (list) =>
    table(
      "annotators",
      list.map((a) =>
        row([
          el("td", {}, a.name, " ", el("span", { class: "quiet" }, versions.get(a.name) > 1 && a.version ? a.version.slice(0, 6) : "")),
          whole(a.answers),
          whole(a.checked),
          a.right === null ? "-" : interval(a.right, a.low, a.high),
        ]),
      ),
      4,
      "nobody has answered yet",
    ),
  );
}

function processes(o) {
  draw("processes", o.processes.map((p) => ({ ...p, age: age(p.age) })), (list) => {
    const lines = list.map((p) =>
      el(
        "li",
        { class: p.stale ? "stale" : null },
        el("span", { class: `dot ${p.stale ? "dot-bad" : "dot-good"}` }),
        el("span", {}, el("strong", {}, p.kind), " ", el("span", { class: "quiet small" }, p.name), el("span", { class: "quiet small block" }, Object.entries(p.said).map(([k, v]) => `${k.replaceAll("_", " ")} ${v}`).join(" · "))),
        el("span", { class: "num" }, p.stale ? `silent for ${p.age}` : `${p.age} ago`),
      ),
    );
    byId("processes").replaceChildren(...(lines.length > 0 ? lines : [el("li", { class: "quiet" }, "none has reported yet")]));
  });
}

function models(o) {
  draw("audited", o.audited, (classes) => {
    const figure = (share) => (share === null ? "unknown" : percent(share));
    table("audited", classes.map((c) => row([text(c.name), whole(c.audits), figure(c.recall), figure(c.f1)])), 4, "no class");
  });
  draw("models", o.bundle, (b) => {
    const version = b?.mlflow_version ? `, MLflow version ${b.mlflow_version}` : "";
    write("bundle", b ? `Bundle ${b.id}${version}: label model ${b.label_model}, on ${whole(b.gold)} random answers worth ${whole(b.effective_gold)}.` : "None trained yet; the built-in priors decide.");
    meters("members", (b?.members ?? []).map((m) => [m.name, m.weight, m.weight.toFixed(2)]));
  });
}

function troubles(o) {
  draw("troubles", [o.dead_letters, o.function_failures, o.undelivered], ([letters, failures, undelivered]) => {
    const rows = [
      ...Object.entries(letters).map(([reason, n]) => row([text(`dead letters: ${reason.replaceAll("_", " ")}`), whole(n)])),
      ...Object.entries(failures).map(([name, n]) => row([text(`failures of function ${name}`), whole(n)])),
      ...Object.entries(undelivered).map(([name, n]) => row([text(`events given up for webhook ${name}`), whole(n)])),
    ];
    byId("troubles").querySelector("tbody").replaceChildren(...rows);
    byId("no-trouble").hidden = rows.length > 0;
  });
}

function labels(list) {
  draw("labels", list, () =>
    table(
      "labels",
      list.map((l) =>
        row([
          el("td", { class: "cut" }, el("a", { href: `/items/${encodeURIComponent(l.item)}`, dir: "auto" }, l.text || l.item)),
          said(l.label),
          percent(l.probability),
          el("td", {}, el("span", { class: `chip status-${l.status}` }, l.status)),
        ]),
      ),
      4,
      "no labels yet",
    ),
  );
}

const PARTS = [headline, states, promise, unknown, throughput, queues, cost, annotators, models, processes, troubles];

async function refresh() {
  try {
    const [overview, latest] = await Promise.all([get("/api/overview"), get("/api/labels?limit=8")]);
    for (const part of PARTS) part(overview);
    labels(latest.labels);
    document.body.dataset.fresh = "yes";
    byId("notice").hidden = true;
  } catch (error) {
    write("notice", `The figures are old: ${error.message}. Trying again.`);
    byId("notice").hidden = false;
  }
  setTimeout(refresh, POLL_MS);
}

refresh();
