// Who are you: shows how many questions wait, remembers name and queue, goes to the review page.
// Until somebody chooses, the queue where most waits is chosen.
import { get, openByTier, post } from "./calls.js";

const POLL_MS = 3_000;
const form = document.getElementById("enter");
const problem = document.getElementById("problem");
let chosen = "known" in (form?.dataset ?? {});

async function showQueues() {
  try {
    const { queues } = await get("/api/queues");
    const waiting = openByTier(queues);
    for (const output of document.querySelectorAll("[data-queue]")) {
      const open = waiting.get(output.dataset.queue) ?? 0;
      output.textContent = `${open.toLocaleString("en")} waiting`;
    }
    if (!chosen) chooseFullest(waiting);
  } catch {
    // The counts are an extra: the next look tries again.
  }
  setTimeout(showQueues, POLL_MS);
}

function chooseFullest(waiting) {
  const choices = [...form.querySelectorAll("[name=tier]")];
  const open = (choice) => waiting.get(choice.value) ?? 0;
  const fullest = choices.reduce((best, one) => (open(one) > open(best) ? one : best));
  if (open(fullest) <= 0) return;
  fullest.checked = true;
  // Keys go on from the queue that is chosen, for whoever has not left the queues.
  if (choices.includes(document.activeElement)) fullest.focus();
}

form?.addEventListener("click", (event) => {
  if (event.target.name === "tier") chosen = true;
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(form);
  try {
    await post("/enter", { name: given.get("name"), tier: given.get("tier") });
    location.assign("/review");
  } catch (error) {
    problem.textContent = [error.message, error.help].filter(Boolean).join("; ");
    problem.hidden = false;
  }
});

if (form) showQueues();
