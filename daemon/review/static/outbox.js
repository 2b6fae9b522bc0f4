// Answers on their way to the server: sent in order, one at a time, again and again until each is settled.
import { post } from "./calls.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

export class Outbox {
  /**
   * @param key where unsent calls survive a reload of the page
   * @param told called after every change of state
   */
  constructor(key, told) {
    this.key = key;
    this.told = told;
    this.waiting = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    this.sending = false;
    this.connected = true;
    this.trouble = "";
    this.wake = null;
    addEventListener("online", () => this.wake?.());
  }

  get empty() {
    return this.waiting.length === 0;
  }

  /** Send a call after all earlier ones. `done(result, error)` hears how it ended. */
  add(path, body, done) {
    const call = { path, body, done };
    this.waiting.push(call);
    this.keep();
    this.told();
    this.pump();
    return call;
  }

  /** Take a call back that was not tried yet; false if it is too late for that. */
  withdraw(call) {
    const index = this.waiting.indexOf(call);
    if (index < 0 || call.tried) return false;
    this.waiting.splice(index, 1);
    this.keep();
    this.told();
    return true;
  }

  async pump() {
    if (this.sending) return;
    this.sending = true;
    let pause = FIRST_PAUSE_MS;
    while (this.waiting.length > 0) {
      const call = this.waiting[0];
      call.tried = true;
      try {
        const result = await post(call.path, call.body);
        this.settle(call, result, null);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (error.passing) {
          this.connected = false;
          this.trouble = error.status === 401 ? "You are signed out: sign in again in another tab." : "No connection.";
          this.told();
          await this.rest(pause);
          pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        } else {
          this.settle(call, null, error);
        }
      }
    }
    this.sending = false;
    this.told();
  }

  settle(call, result, error) {
    this.connected = true;
    this.waiting.shift();
    this.keep();
    call.done?.(result, error);
    this.told();
  }

  keep() {
    const plain = this.waiting.map(({ path, body }) => ({ path, body }));
    sessionStorage.setItem(this.key, JSON.stringify(plain));
  }

  rest(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }
}
