// Who are you: shows how many questions wait, remembers name and queue, goes to the review page.
import { get, post } from "./calls.js";

const POLL_MS = 3_000;
const form = document.getElementById("enter");
const problem = document.getElementById("problem");

async function showQueues() {
  try {
    const { queues } = await get("/api/queues");
    for (const output of document.querySelectorAll("[data-queue]")) {
      const mine = queues.filter((queue) => queue.tier === output.dataset.queue);
      const waiting = mine.reduce((sum, queue) => sum + queue.open, 0);
      output.textContent = `${waiting.toLocaleString("en")} waiting`;
    }
  } catch {
    // The counts are an extra: the next look tries again.
  }
  setTimeout(showQueues, POLL_MS);
}

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
