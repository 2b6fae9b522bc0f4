
"use strict";
const given = new URLSearchParams(location.search);
const assignment = given.get("assignmentId") ?? "";
const form = document.getElementById("answer");
const choices = [...form.querySelectorAll(".choice input")];
const previewed = assignment === "" || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE";

let closed = previewed;

document.getElementById("assignment").value = assignment;
document.getElementById("preview").hidden = !previewed;
document.getElementById("choices").disabled = previewed;
const to = given.get("turkSubmitTo") ?? "";
if (/^https?:\/\//.test(to)) form.action = new URL("/mturk/externalSubmit", to).href;

/** Who has answered this item before is told so: a second answer would not count. */
async function recognize() {
  const done = form.dataset.done.split(" ").filter(Boolean);
  if (previewed || done.length === 0 || !globalThis.crypto?.subtle) return;
  const said = new TextEncoder().encode(`${form.dataset.salt}:${given.get("workerId") ?? ""}`);
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", said));
  const mine = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!done.includes(mine)) return;
  closed = true;
  document.getElementById("choices").disabled = true;
  document.getElementById("again").hidden = false;
}
recognize();

document.addEventListener("keydown", (event) => {
  if (closed || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (/^[0-9]$/.test(event.key)) {
    const choice = choices[(Number(event.key) + 9) % 10];
    if (!choice) return;
    choice.focus();
    choice.click();
    event.preventDefault();
  } else if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
    form.requestSubmit();
    event.preventDefault();
  }
});
