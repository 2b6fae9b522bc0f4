// Known labels on the lead's page: whoever leads reviewers vouches for labels, or no longer.
import { el, get, post } from "./calls.js";

const byId = (id) => document.getElementById(id);
const form = byId("truth-form");
const sets = form.querySelector("input[name=label]").type === "checkbox";

function line(truth) {
  const button = el("button", { type: "button", class: "plain" }, "Remove", el("span", { class: "sr-only" }, ` the label of ${truth.item}`));
  button.addEventListener("click", () => change("/api/truths/forget", { item: truth.item }, `The label of ${truth.item} is not known any more.`));
  return el("tr", {},
    el("th", { scope: "row" }, truth.text === null ? truth.item : el("a", { href: `/items/${encodeURIComponent(truth.item)}` }, truth.item)),
    el("td", { dir: "auto" }, truth.text ?? el("span", { class: "quiet" }, "has not come yet")),
    el("td", {}, [truth.label].flat().join(", ") || "none"),
    el("td", {}, truth.source),
    el("td", {}, el("span", {}, button)));
}

async function show() {
  const { truths } = await get("/api/truths");
  const none = el("tr", {}, el("td", { class: "quiet", colspan: 5 }, "nobody vouches for any label yet"));
  byId("truths").querySelector("tbody").replaceChildren(...(truths.length > 0 ? truths.map(line) : [none]));
}

async function change(path, body, told) {
  try {
    await post(path, body);
    await show();
    byId("truth-said").textContent = told;
    byId("truth-item").focus();
    return true;
  } catch (error) {
    byId("truth-said").textContent = [error.message, error.help].filter(Boolean).join("; ");
    return false;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const item = byId("truth-item").value.trim();
  const chosen = new FormData(form).getAll("label");
  const label = sets ? chosen : chosen[0];
  if (await change("/api/truths", { item, label }, `${item} is known to be ${[label].flat().join(", ") || "none of these"}.`)) form.reset();
});

show().catch((error) => { byId("truth-said").textContent = `Known labels could not be read: ${error.message}.`; });
