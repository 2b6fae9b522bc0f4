// Forms that send JSON: data-call says where to, data-then what follows.
import { post } from "./calls.js";

/** What a form says: boxes are lists, hidden numbers are numbers, what is optional and empty is null. */
function said(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") {
      body[field.name] ??= [];
      if (field.checked) body[field.name].push(field.value);
    } else if ("number" in field.dataset) body[field.name] = Number(field.value);
    else if ("optional" in field.dataset && field.value.trim() === "") body[field.name] = null;
    else body[field.name] = field.value;
  }
  return body;
}

function show(form, result) {
  const shown = form.querySelector("[data-shown]");
  for (const place of shown.querySelectorAll("[data-value]")) {
    const value = result[place.dataset.value];
    place.textContent = "link" in place.dataset ? location.origin + value : value;
  }
  shown.hidden = false;
}

function follow(form, result) {
  const { then, next, said: words } = form.dataset;
  if (then === "go") location.assign(next || result.to);
  else if (then === "reload") location.reload();
  else if (then === "show") show(form, result);
  else if (then === "say") {
    const notice = form.querySelector(".notice");
    notice.textContent = words;
    notice.hidden = false;
  }
  if (then === "show" || then === "say") form.reset();
}

/** Where two fields must be the same, the browser says so before anything is sent. */
function compare(form) {
  for (const again of form.querySelectorAll("[data-repeats]")) {
    const same = again.value === form.elements[again.dataset.repeats].value;
    again.setCustomValidity(same ? "" : "This is not the same password.");
  }
}

export function listen(form) {
  const problem = form.querySelector(".problem");
  form.addEventListener("input", () => compare(form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    problem.hidden = true;
    button.disabled = true;
    try {
      follow(form, await post(form.dataset.call, said(form)));
    } catch (error) {
      problem.textContent = [error.message, error.help].filter(Boolean).join("; ");
      problem.hidden = false;
    }
    button.disabled = false;
  });
}

for (const form of document.querySelectorAll("form[data-call]")) listen(form);
