// Where nothing waits: the reviewer's other queues, if something waits there, and the way to them.
import { el, get, openByTier, post } from "./calls.js";

export class OtherQueues {
  /** `name`: of the reviewer; `tiers`: where they answer besides the queue that they are in. */
  constructor(name, tiers) {
    this.name = name;
    this.tiers = tiers;
    this.place = el("div", { class: "others" });
    this.looking = false;
  }

  /** Ask what waits elsewhere, and show it in `place`. */
  async look() {
    if (this.looking || this.tiers.length === 0) return;
    this.looking = true;
    try {
      const open = openByTier((await get("/api/queues")).queues);
      this.#show(this.tiers.filter((tier) => open.get(tier) > 0).map((tier) => [tier, open.get(tier)]));
    } catch {
      // An extra: the next look, a moment later, tries again.
    }
    this.looking = false;
  }

  /** Buttons stay the same ones while what they say is the same, so that they keep the focus. */
  #show(waiting) {
    const said = waiting.map(([tier, open]) => `Go to ${tier}: ${open.toLocaleString("en")} waiting`);
    const shown = [...this.place.children].map((button) => button.textContent);
    if (said.join("\n") === shown.join("\n")) return;
    this.place.replaceChildren(...waiting.map(([tier], place) => this.#button(tier, said[place])));
  }

  #button(tier, said) {
    const button = el("button", { type: "button", class: "primary" }, said);
    button.addEventListener("click", async () => {
      await post("/enter", { name: this.name, tier });
      location.reload();
    });
    return button;
  }
}
