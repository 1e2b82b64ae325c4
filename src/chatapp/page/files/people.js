// The people: those with whom there was a talk, then the others, or whom a search finds.

import { make, paint, say } from "./dom.js";

const SHOWN = 200;
const SOON_MS = 250;
const AGAIN_MS = 10_000;

export class People {
  #chat;
  #conversations;
  #search;
  #list;
  #note;
  #onChosen;
  #online = new Map();
  #found = [];
  #hasMore = false;
  #rows = new Map();
  #timer = 0;
  #asking = 0;
  #isAsked = false;
  #stopped = new AbortController();

  constructor({ chat, conversations, search, list, note, onChosen }) {
    this.#chat = chat;
    this.#conversations = conversations;
    this.#search = search;
    this.#list = list;
    this.#note = note;
    this.#onChosen = onChosen;
    const { signal } = this.#stopped;
    search.addEventListener("input", () => this.#lookSoon(SOON_MS), { signal });
    search.addEventListener("keydown", (event) => this.#chooseFirst(event), { signal });
    list.addEventListener("keydown", (event) => this.#walk(event), { signal });
    document.addEventListener("visibilitychange", () => this.#lookSoon(0), { signal });
    conversations.addEventListener("people", () => this.#drawSoon(), { signal });
    this.#lookSoon(0);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#stopped.abort();
    this.#list.replaceChildren();
  }

  focus(name) {
    this.#rows.get(name)?.firstElementChild.focus({ preventScroll: true });
  }

  isOnline(name) {
    return this.#online.get(name);
  }

  draw() {
    const names = this.#names();
    const current = this.#conversations.current;
    for (const [name, row] of this.#rows) {
      if (!names.includes(name)) {
        row.remove();
        this.#rows.delete(name);
      }
    }
    let place = this.#list.firstElementChild;
    for (const name of names) {
      const row = this.#rows.get(name) ?? this.#newRow(name);
      this.#show(row, name, current);
      if (row === place) place = place.nextElementSibling;
      else this.#list.insertBefore(row, place);
    }
    say(this.#note, this.#noteFor(names));
  }

  /** Ask again who is there, now. */
  look() {
    this.#lookSoon(0);
  }

  #lookSoon(inMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), inMs);
  }

  async #look() {
    const asking = (this.#asking += 1);
    try {
      if (!document.hidden && this.#chat.state === "online") {
        const found = await this.#ask(this.#search.value.trim());
        if (asking === this.#asking) {
          this.#found = found;
          await this.#askForOpenTalk();
          this.draw();
          this.#list.dispatchEvent(new CustomEvent("looked"));
        }
      }
    } catch {
      // Refused, or offline: it is asked again.
    }
    if (asking === this.#asking && !this.#stopped.signal.aborted) this.#lookSoon(AGAIN_MS);
  }

  async #ask(pattern) {
    const found = [];
    this.#hasMore = false;
    for await (const { username, online } of this.#chat.list(pattern)) {
      if (found.length >= SHOWN) {
        this.#hasMore = true;
        break;
      }
      found.push(username);
      this.#online.set(username, online);
    }
    return found;
  }

  /** Ask about one who is not among the first names: `?` stands for any letter. */
  async #askForOpenTalk() {
    const name = this.#conversations.current;
    if (!name || this.#found.includes(name)) return;
    this.#online.delete(name);
    for await (const it of this.#chat.list(`?${[...name].slice(1).join("")}`)) {
      if (it.username === name) this.#online.set(name, it.online);
    }
  }

  #names() {
    const asked = this.#search.value.trim().toLowerCase();
    const talks = [...this.#conversations.people.values()]
      .filter((it) => it.name.includes(asked) || this.#found.includes(it.name))
      .sort((one, other) => other.lastAtMs - one.lastAtMs)
      .map((it) => it.name);
    const own = this.#chat.session?.username;
    const others = this.#found.filter((it) => it !== own);
    const names = new Set([...talks, ...others]);
    const current = this.#conversations.current;
    if (current && !asked) names.add(current);
    return [...names];
  }

  #noteFor(names) {
    const asked = this.#search.value.trim();
    if (this.#hasMore) return "There are more: search for a name.";
    if (names.length) return "";
    return asked ? `Nobody found. Press Enter to write to “${asked}” all the same.` : "Nobody else is here yet.";
  }

  #newRow(name) {
    const row = make("li");
    const button = make("button", "person");
    button.type = "button";
    const text = make("span", "text");
    text.append(make("span", "name", name), make("span", "unseen presence"), make("span", "last"));
    button.append(paint(make("span"), name), text, make("span", "unread"));
    button.firstElementChild.setAttribute("aria-hidden", "true");
    button.addEventListener("click", () => this.#onChosen(name));
    row.append(button);
    this.#rows.set(name, row);
    return row;
  }

  #show(row, name, current) {
    const person = this.#conversations.people.get(name);
    const button = row.firstElementChild;
    const isOnline = this.#online.get(name) === true;
    button.classList.toggle("is-online", isOnline);
    button.setAttribute("aria-current", String(name === current));
    say(row.querySelector(".presence"), isOnline ? ", online" : ", offline");
    say(row.querySelector(".last"), person?.draft && name !== current ? `Draft: ${person.draft.slice(0, 120)}` : person?.last ?? "");
    const unread = row.querySelector(".unread");
    unread.hidden = !person?.unread;
    say(unread, String(person?.unread ?? ""));
    unread.setAttribute("aria-label", `${person?.unread ?? 0} unread`);
    unread.setAttribute("role", "img");
  }

  #drawSoon() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      if (!this.#stopped.signal.aborted) this.draw();
    });
  }

  #chooseFirst(event) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.#list.querySelector("button")?.focus();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const asked = this.#search.value.trim();
    const names = this.#names();
    const chosen = names.includes(asked.toLowerCase()) ? asked.toLowerCase() : names[0] ?? asked;
    if (asked && chosen) this.#onChosen(chosen);
  }

  #walk(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = event.target.closest("li")?.[step];
    (next?.querySelector("button") ?? (event.key === "ArrowUp" ? this.#search : null))?.focus();
  }
}
