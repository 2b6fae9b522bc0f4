
"use strict";
const given = new URLSearchParams(location.search);
const assignment = given.get("assignmentId") ?? "";
const form = document.getElementById("answer");
const choices = [...form.querySelectorAll(".choice input")];
const previewed = assignment === "" || assignment === "ASSIGNMENT_ID_NOT_AVAILABLE";

document.getElementById("assignment").value = assignment;
document.getElementById("preview").hidden = !previewed;
document.getElementById("choices").disabled = previewed;
const to = given.get("turkSubmitTo") ?? "";
if (/^https?:\/\//.test(to)) form.action = new URL("/mturk/externalSubmit", to).href;

document.addEventListener("keydown", (event) => {
  if (previewed || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
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
