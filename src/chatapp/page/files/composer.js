// Where a message is typed: it grows with its text, and what is typed is kept.

import { byId } from "./dom.js";

const DRAFT_MS = 300;
const TYPED = "chatcore-page.typed";

export class Composer {
  #text = byId("text");
  #onDraft;
  #owner = {};
  #name = "";
  #timer = 0;

  /**
   * @param onSend Called with a text to be sent; whether it was taken.
   * @param onDraft Called with a name and a text that is not sent yet, to be kept.
   */
  constructor({ onSend, onDraft }) {
    this.#onDraft = onDraft;
    const send = (event) => {
      event.preventDefault();
      if (this.#text.value.trim() && onSend(this.#text.value)) this.#set("");
    };
    byId("composer").addEventListener("submit", send);
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
    });
    this.#text.addEventListener("input", () => this.#changed());
  }

  /** Begin for somebody, told from others by {account, life}; what was left in this tab. */
  begin(owner) {
    this.#owner = owner;
    this.#name = this.#text.value = "";
    try {
      const left = JSON.parse(sessionStorage.getItem(TYPED) ?? "{}");
      const isTheirs = left.account === owner.account && left.life === owner.life;
      return isTheirs && left.name ? left : null;
    } catch {
      return null;
    }
  }

  /** Write to somebody, to whom so much is written already. */
  open(name, draft) {
    this.#name = name;
    this.#text.value = draft;
    this.#text.setAttribute("aria-label", `Message to ${name}`);
    this.#grow();
  }

  /** Put a text to what is there. */
  add(body) {
    this.#set(this.#text.value ? `${this.#text.value}\n${body}` : body);
    this.focus();
  }

  focus() {
    this.#text.focus();
  }

  /** Have what is typed kept now. */
  keep() {
    clearTimeout(this.#timer);
    if (this.#name) this.#onDraft(this.#name, this.#text.value);
  }

  /** Forget what is kept for the tab. */
  forget() {
    clearTimeout(this.#timer);
    this.#name = "";
    try {
      sessionStorage.removeItem(TYPED);
    } catch {
      // Where nothing can be kept, there is nothing to forget.
    }
  }

  #set(text) {
    this.#text.value = text;
    this.#changed();
  }

  #changed() {
    this.#grow();
    this.#keepForTab();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), DRAFT_MS);
  }

  /** Keep it at once: a tab that is left has no time for a database. */
  #keepForTab() {
    const typed = { ...this.#owner, name: this.#name, draft: this.#text.value };
    try {
      sessionStorage.setItem(TYPED, JSON.stringify(typed));
    } catch {
      // Then the database has it a moment later.
    }
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }
}
