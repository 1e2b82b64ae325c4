// The chat of somebody who is logged in: people on one side, a talk on the other.

import { closeDialogs, isMenuOpen, openMenu, prepareAccount } from "./account.js";
import { Composer } from "./composer.js";
import { Conversations } from "./conversations.js";
import { linesOf, show } from "./dialogs.js";
import { byId, make, paint, say } from "./dom.js";
import { openHistory } from "./history.js";
import { People } from "./people.js";
import { Timeline } from "./timeline.js";

const BODY_BYTES = 64 * 1024;
const READ_OUT = 3;
const STATES = {
  online: "Online",
  connecting: "Connecting…",
  offline: "Offline, trying again",
  closed: "Not connected",
};

// What is there once, for all who log in one after another.
let running = null;
const view = byId("chat");
const composer = new Composer({
  onSend: (body) => running.send(body),
  onDraft: (name, draft) => running?.keepDraft(name, draft),
});
const timeline = new Timeline({
  frame: byId("messages"),
  list: byId("window"),
  latest: byId("latest"),
  onAgain: ({ body }) => composer.add(body),
});
prepareAccount(() => running);
byId("back").addEventListener("click", () => running.goBack());
addEventListener("popstate", () => running?.choose(""));
document.addEventListener("visibilitychange", () => running?.seen());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.escape();
});

export class ChatView {
  #chat;
  #conversations;
  #history = null;
  #people = null;
  #life;
  #onEnd;
  #shown = "";
  #isDeleting = false;
  #isDeleted = false;
  #stopped = new AbortController();

  /**
   * @param life See `openHistory`.
   * @param onEnd Called with a word about why, once nobody is logged in any more.
   */
  constructor(chat, { life, onEnd }) {
    this.#chat = chat;
    this.#life = life;
    this.#onEnd = onEnd;
    this.#conversations = new Conversations(chat);
    const { signal } = this.#stopped;
    const on = (type, act) => this.#conversations.addEventListener(type, act, { signal });
    on("opened", ({ detail }) => this.#opened(detail.name, detail.entries));
    on("arrived", ({ detail }) => this.#arrived(detail.entries));
    on("changed", () => timeline.refresh());
    on("people", () => this.#retitle());
    on("unkept", () => this.#tell("This browser has no room: the conversations last as long as this tab.", true));
    chat.addEventListener("state", () => this.#showState(), { signal });
  }

  /** Show what is kept, and begin to keep what comes. */
  async start() {
    const { username } = this.#chat.session;
    running = this;
    this.#history = await openHistory(this.#chat.session, this.#life);
    await this.#conversations.start(this.#history);
    const left = composer.begin({ account: this.#chat.session.account, life: this.#life });
    if (left) await this.#conversations.keepDraft(left.name, left.draft);
    say(byId("own-name"), username);
    paint(byId("own-avatar"), username);
    // For the passwords that a browser keeps.
    for (const field of document.querySelectorAll(".own-username")) field.defaultValue = username;
    view.hidden = false;
    history.replaceState(null, "");
    byId("search").value = "";
    this.#people = new People({
      chat: this.#chat,
      conversations: this.#conversations,
      search: byId("search"),
      list: byId("people"),
      note: byId("people-note"),
      onChosen: (name) => this.choose(name),
    });
    byId("people").addEventListener("looked", () => this.#showPresence(), { signal: this.#stopped.signal });
    await this.choose("");
    byId("search").focus({ preventScroll: true });
    this.#showState();
  }

  stop() {
    this.#stopped.abort();
    this.#people?.stop();
    this.#history?.close();
  }

  // ---- a talk

  /** Open the talk with somebody; with nobody, go back to the people. */
  choose(name) {
    composer.keep();
    // A talk is a step that a browser's own way back leads out of, as on a phone.
    if (name && !history.state?.isTalk) history.pushState({ isTalk: true }, "");
    return this.#conversations.open(name, Timeline.pageSize);
  }

  goBack() {
    if (history.state?.isTalk) history.back();
    else this.choose("");
  }

  #opened(name, entries) {
    const before = this.#shown;
    this.#shown = name;
    view.classList.toggle("has-talk", Boolean(name));
    byId("no-talk").hidden = Boolean(name);
    byId("open-talk").hidden = !name;
    timeline.open(entries, (seq, count) => this.#conversations.before(name, seq, count));
    this.#people.draw();
    this.#retitle();
    if (!name) {
      this.#people.focus(before);
      return;
    }
    say(byId("talk-name"), name);
    paint(byId("talk-avatar"), name);
    composer.open(name, this.#conversations.people.get(name)?.draft ?? "");
    this.#showPresence();
    this.#showState();
    this.#people.look();
    if (!this.#isDeleted) composer.focus();
  }

  /** Send a text to whom the talk is with; whether that can be. */
  send(body) {
    if (!this.#shown || this.#isDeleted) return false;
    if (new TextEncoder().encode(body).length > BODY_BYTES) {
      this.#tell("This is too long for one message: 64 KiB is the most.", true);
      return false;
    }
    this.#showState();
    timeline.toEnd();
    this.#conversations.send(this.#shown, body);
    return true;
  }

  keepDraft(name, draft) {
    if (this.#history) this.#conversations.keepDraft(name, draft);
  }

  seen() {
    if (document.hidden) composer.keep();
    else this.#conversations.read();
  }

  escape() {
    if (isMenuOpen()) {
      openMenu(false);
      byId("menu-button").focus();
    } else if (this.#shown && !document.querySelector("dialog[open]")) {
      this.goBack();
    }
  }

  #arrived(entries) {
    const name = this.#shown;
    const here = entries.filter((it) => it.person === name);
    if (here.length) timeline.append(here);
    this.#readOut(entries.filter((it) => it.kind === "theirs"), name);
  }

  /** Have a screen reader say what has come, if it is not too much. */
  #readOut(entries, name) {
    if (!entries.length) return;
    const lines = entries.length > READ_OUT
      ? [`${entries.length} new messages`]
      : entries.map((it) => (it.person === name ? `${it.person}: ${it.body}` : `New message from ${it.person}`));
    byId("heard").replaceChildren(...lines.map((it) => make("p", "", it)));
  }

  // ---- what is told of the chat

  #showState() {
    const { state, text: why, session } = this.#chat;
    if (this.#isDeleting || this.#isDeleted) return;
    if (state === "closed" && this.#history) {
      this.#leave(session ? why : "");
      return;
    }
    const own = byId("state");
    own.dataset.state = state;
    say(own, STATES[state]);
    const isAway = state === "offline" || state === "connecting";
    this.#tell(isAway ? "You are offline: what you send goes out when you are back." : "");
    if (state === "online") this.#people?.look();
  }

  #showPresence() {
    const isOnline = this.#people.isOnline(this.#shown);
    const presence = byId("talk-presence");
    say(presence, { true: "Online", false: "Offline: messages wait" }[isOnline] ?? "");
    if (isOnline) presence.dataset.state = "online";
    else delete presence.dataset.state;
  }

  #tell(said, isBad = false) {
    const note = byId("composer-note");
    say(note, said);
    note.classList.toggle("is-bad", isBad);
  }

  #retitle() {
    const unread = [...this.#conversations.people.values()].reduce((sum, it) => sum + it.unread, 0);
    document.title = unread ? `(${unread}) chatcore` : "chatcore";
  }

  // ---- the account

  async changePassword(before, after) {
    await this.#chat.changePassword(before, after);
    this.#tell("Your password was changed.");
  }

  /** What logging out would lose. */
  get unsent() {
    return this.#chat.unsent.length;
  }

  async logOut({ forgets }) {
    const history = this.#history;
    this.#history = null; // the end is ours: nothing is to be told of it
    try {
      await this.#chat.logout();
    } catch (error) {
      this.#history = history;
      throw error;
    }
    composer.forget();
    if (forgets) await history.forget();
    else history.close();
    this.#leave(forgets ? "You are logged out, and the conversations are forgotten here." : "You are logged out.");
  }

  async remove(options) {
    this.#isDeleting = !options.dryRun;
    try {
      return await this.#chat.delete(options);
    } catch (error) {
      this.#isDeleting = false;
      this.#showState(); // the session may have ended meanwhile
      throw error;
    }
  }

  /** The account is gone; what has come until then can still be read in this tab. */
  deleted(counts) {
    this.#isDeleted = true;
    this.#history.mark();
    say(byId("state"), "Account deleted");
    byId("state").dataset.state = "closed";
    this.#tell("Your account is deleted: nothing can be sent any more.");
    view.classList.add("is-deleted");
    byId("deleted-counts").replaceChildren(...linesOf(counts).map((it) => make("li", "", it)));
    queueMicrotask(() => show(byId("deleted-dialog")));
  }

  /** Leave a deleted account. */
  async forget() {
    composer.forget();
    await this.#history.forget();
    this.#history = null;
    this.#leave("Your account is deleted, and the conversations are forgotten here.");
  }

  #leave(said) {
    this.stop();
    closeDialogs();
    view.hidden = true;
    view.classList.remove("is-deleted");
    running = null;
    this.#onEnd(said);
  }
}
