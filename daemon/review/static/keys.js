// Which key does what: the settings' keys, and over them what a person chose in this browser.

const CHARACTER = /^[^\s\p{C}]$/u;

/** A key as it is compared: letters in either case. */
const plain = (key) => ([...key].length === 1 ? key.toLowerCase() : key);

export class Keys {
  /**
   * @param usual action -> key
   * @param place where a person's own keys are kept in this browser
   */
  constructor(usual, place) {
    this.usual = usual;
    this.place = place;
    this.own = this.remembered();
  }

  /** What was kept, unless the actions have changed since so that it makes no sense any more. */
  remembered() {
    let kept;
    try {
      kept = JSON.parse(localStorage.getItem(this.place) ?? "{}");
    } catch {
      return {};
    }
    const own = Object.fromEntries(Object.entries(kept).filter(([action, key]) => action in this.usual && CHARACTER.test(key)));
    const all = Object.values({ ...this.usual, ...own });
    return new Set(all).size === all.length ? own : {};
  }

  of(action) {
    return this.own[action] ?? this.usual[action];
  }

  /** The action of a key that was pressed; undefined if it has none. */
  action(key) {
    const pressed = plain(key);
    return Object.keys(this.usual).find((action) => this.of(action) === pressed);
  }

  /** Give an action another key; what stands in the way, or null. */
  choose(action, key, names) {
    const wanted = plain(key);
    if (!CHARACTER.test(wanted)) return "That key has a meaning of its own; choose a letter, a digit or a sign.";
    const holder = this.action(wanted);
    if (holder !== undefined && holder !== action) return `${wanted} is the key of \u201c${names(holder)}\u201d; choose another one.`;
    this.own = { ...this.own, [action]: wanted };
    localStorage.setItem(this.place, JSON.stringify(this.own));
    return null;
  }

  reset() {
    this.own = {};
    localStorage.removeItem(this.place);
  }
}

/** The dialog in which keys are shown and changed. `changed` is called after every change. */
export class KeysDialog {
  constructor(dialog, keys, changed) {
    this.dialog = dialog;
    this.keys = keys;
    this.changed = changed;
    this.said = dialog.querySelector("[role=status]");
    this.waiting = null;
    for (const button of dialog.querySelectorAll("button[data-action]")) {
      button.addEventListener("click", () => this.ask(button));
      button.addEventListener("blur", () => this.stop(button));
    }
    dialog.addEventListener("keydown", (event) => this.press(event));
    dialog.querySelector("#reset-keys").addEventListener("click", () => {
      this.keys.reset();
      this.say("The usual keys are back.");
      this.changed();
    });
    dialog.addEventListener("close", () => this.say(""));
  }

  get open() {
    return this.dialog.open;
  }

  show() {
    this.dialog.showModal();
  }

  name(action) {
    return this.dialog.querySelector(`button[data-action="${action}"]`)?.dataset.name ?? action;
  }

  ask(button) {
    this.waiting = button;
    button.setAttribute("aria-pressed", "true");
    this.say(`Press the new key for \u201c${button.dataset.name}\u201d, or Escape.`);
  }

  stop(button) {
    button.removeAttribute("aria-pressed");
    if (this.waiting === button) this.waiting = null;
  }

  press(event) {
    const button = this.waiting;
    if (button === null || ["Tab", "Shift"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      this.stop(button);
      this.say("");
      return;
    }
    const problem = this.keys.choose(button.dataset.action, event.key, (action) => this.name(action));
    this.say(problem ?? `\u201c${button.dataset.name}\u201d has the key ${this.keys.of(button.dataset.action)} now, in this browser.`);
    if (problem !== null) return;
    this.stop(button);
    this.changed();
  }

  say(text) {
    this.said.textContent = text;
  }
}
