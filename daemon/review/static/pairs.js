// Pairs of responses: shown in the order that was drawn for the question, answered in terms of A and B.
import { el } from "./calls.js";

const TURNED = { A: "B", B: "A", 1: "5", 2: "4", 4: "2", 5: "1" };

/** A prompt and two responses side by side. */
export function pairOf(lease) {
  const texts = Object.fromEntries(lease.fields.map(({ name, text }) => [name, text]));
  const responses = [texts.response_a, texts.response_b];
  if (lease.turned) responses.reverse();
  return [
    el("h2", { class: "field-name" }, "Prompt"),
    el("p", { class: "text prompt", dir: "auto" }, texts.prompt),
    el("div", { class: "pair" }, ...responses.map((text, index) =>
      el("section", { class: "response" },
        el("h2", { class: "field-name" }, `Response ${index + 1}`),
        el("p", { class: "text", dir: "auto" }, text)))),
  ];
}

/** What a button means: buttons speak of the order on the screen, answers of A and B. */
export function inTermsOf(lease, label) {
  return lease.turned ? TURNED[label] ?? label : label;
}
