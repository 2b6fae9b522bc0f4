// Answers of any number of classes: buttons that stay pressed, and one that sends what is chosen.

export class Toggles {
  /**
   * @param buttons one a class, in the order in which their names are sent
   * @param sender the button that says what Enter would send
   * @param send called with the names of the chosen classes
   */
  constructor(buttons, sender, send) {
    this.buttons = buttons;
    this.sender = sender;
    this.send = send;
    this.question = null;
    // Kept for each question, so that an answer that is taken back comes with what was chosen.
    this.chosen = new Map();
    sender.addEventListener("click", () => this.finish());
  }

  /** Show what is chosen for a question; null when there is none. */
  show(question) {
    this.question = question;
    const names = this.chosen.get(question) ?? new Set();
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(names.has(button.dataset.label)));
    }
    this.sender.querySelector(".send-name").textContent = question !== null && names.size === 0 ? "None of these" : "Send";
    this.sender.disabled = question === null;
  }

  flip(button) {
    if (this.question === null) return;
    const names = new Set(this.chosen.get(this.question));
    if (!names.delete(button.dataset.label)) names.add(button.dataset.label);
    this.chosen.set(this.question, names);
    this.show(this.question);
  }

  finish() {
    if (this.question === null) return;
    const names = this.chosen.get(this.question) ?? new Set();
    this.send(this.buttons.map((button) => button.dataset.label).filter((name) => names.has(name)));
  }

  /** Enter sends, wherever it is pressed but on what does something else. */
  enter(event) {
    const on = event.target.closest("a, button, input, summary");
    if (on && on !== this.sender && !this.buttons.includes(on)) return;
    event.preventDefault();
    if (!event.repeat) this.finish();
  }
}
