// What is said with whom: mail is kept before it is acknowledged, so that a tab that is
// closed in between is sent it again, and it is shown once (M4, M5).

const STATES = { stored: 1, received: 2, discarded: 2 };

export class Conversations extends EventTarget {
  #chat;
  #history = null;
  #arrived = [];
  #seen = 0;
  #isKeeping = false;
  #changes = Promise.resolve();
  #shown = [];

  /** With whom there was a talk, by name: {name, last, lastAtMs, unread, draft}. */
  people = new Map();
  /** With whom a talk is open, and can be seen. */
  current = "";

  /**
   * Listens to a chat whose mail is acknowledged by hand.
   *
   * Tells `opened` ({name, entries}: a talk), `arrived` ({entries}: of all talks),
   * `changed` (entries of the open talk look different), `people` (their list does), and
   * `unkept` when this browser keeps no more.
   */
  constructor(chat) {
    super();
    this.#chat = chat;
    const hear = (type, listener) => chat.addEventListener(type, ({ detail }) => listener(detail));
    hear("message", (mail) => this.#take(mail));
    hear("bounce", (mail) => this.#take(mail));
    hear("accepted", ({ id, receipt }) => this.#changed("id", [id], {
      state: "stored", recipientId: receipt.recipientId, position: receipt.position,
    }));
    hear("refused", ({ id, error }) => this.#changed("id", [id], { state: "failed", why: error.message }));
    hear("received", ({ recipientId, positions }) => this.#changed(
      "receipt", positions.map((it) => [recipientId, it]), { state: "received" },
    ));
  }

  /** Begin to keep what comes. */
  async start(history) {
    this.#seen = await history.seen();
    for (const person of await history.people()) {
      if (person.lastAtMs || person.draft) this.people.set(person.name, person);
    }
    this.#history = history;
    this.#tell("people");
    this.#keep();
  }

  /**
   * Open a talk: `opened` tells its last entries. Nothing that comes meanwhile is told
   * twice or missed, since the database does one thing after another.
   */
  async open(name, count) {
    this.current = name;
    const entries = name ? await this.#history.before(name, Infinity, count) : [];
    if (this.current !== name) return; // another was chosen meanwhile
    this.#shown = entries;
    this.#tell("opened", { name, entries });
    this.read();
  }

  before(name, seq, count) {
    return this.#history.before(name, seq, count);
  }

  /** What is in the open talk has been seen. */
  async read() {
    const person = this.people.get(this.current);
    if (!person?.unread || document.hidden) return;
    person.unread = 0;
    this.#tell("people");
    await this.#history.keepPerson(person);
  }

  async keepDraft(name, draft) {
    const person = this.people.get(name) ?? newPerson(name);
    if (person.draft === draft) return;
    person.draft = draft;
    if (!draft && !person.lastAtMs) this.people.delete(name);
    else this.people.set(name, person);
    await this.#history.keepPerson(person);
  }

  /** Send: the entry is kept before, and its state follows. */
  async send(name, body) {
    const entry = {
      person: name, kind: "mine", body, atMs: Date.now(), state: "sending", id: newId(),
    };
    const person = this.#touch(entry);
    person.draft = "";
    await this.#add([entry], [person]);
    this.#tell("arrived", { entries: [entry] });
    this.#tell("people");
    this.#chat.send(name, body, { id: entry.id }).catch(() => {
      // Told by `refused`; or it goes out with the next session.
    });
  }

  /** A name that is in none of the talks; see `people`. */
  static stranger(name) {
    return newPerson(name);
  }

  #take(mail) {
    this.#arrived.push(mail);
    this.#keep();
  }

  async #keep() {
    if (this.#isKeeping || !this.#history) return;
    this.#isKeeping = true;
    try {
      while (this.#arrived.length) await this.#keepArrived();
    } finally {
      this.#isKeeping = false;
    }
  }

  async #keepArrived() {
    const mails = this.#arrived;
    this.#arrived = [];
    const entries = [];
    const touched = new Set();
    for (const mail of mails) {
      if (mail.position <= this.#seen && await this.#isKept(mail)) continue;
      this.#seen = mail.position;
      const entry = mail.kind === "bounce" ? this.#bounced(mail) : entryOf(mail);
      entries.push(entry);
      touched.add(this.#touch(entry));
    }
    await this.#add(entries, [...touched], this.#seen);
    this.#chat.acknowledge(mails.at(-1));
    if (entries.length) {
      this.#tell("arrived", { entries });
      this.#tell("people");
    }
  }

  /**
   * Whether this mail is here already, and comes again since its acknowledgement was lost.
   * A store that was made anew counts from 1 again, with other mail.
   */
  async #isKept({ position, sentAtMs }) {
    const kept = await this.#history.mailAt(position).catch(() => null);
    return kept?.atMs === sentAtMs;
  }

  #bounced({ position, recipient, recipientId, positions, sentAtMs }) {
    this.#changed("receipt", positions.map((it) => [recipientId, it]), { state: "discarded" });
    const count = positions.length === 1 ? "A message of yours was" : `${positions.length} messages of yours were`;
    const body = `The account was deleted. ${count} not received.`;
    return { person: recipient, kind: "note", body, atMs: sentAtMs, mailPosition: position };
  }

  /** Count an entry for its person. */
  #touch(entry) {
    const person = this.people.get(entry.person) ?? newPerson(entry.person);
    this.people.delete(person.name);
    this.people.set(person.name, person);
    person.last = entry.kind === "mine" ? `You: ${entry.body.slice(0, 120)}` : entry.body.slice(0, 120);
    person.lastAtMs = Math.max(entry.atMs, person.lastAtMs);
    const isSeen = this.current === entry.person && !document.hidden;
    if (entry.kind !== "mine" && !isSeen) person.unread += 1;
    return person;
  }

  async #add(entries, people, seen) {
    try {
      await this.#history.add(entries, people, seen);
    } catch (error) {
      this.#tell("unkept", { error }); // it is shown all the same
    }
  }

  /** Change entries of ours, one change after another. */
  #changed(index, keys, change) {
    const wanted = new Set(keys.map(String));
    const moved = (entry) => (isBefore(entry.state, change.state) ? change : {});
    this.#changes = this.#changes.then(async () => {
      await this.#history?.change(index, keys, moved);
    }).catch((error) => this.#tell("unkept", { error })).then(() => {
      for (const entry of this.#shown) {
        const key = index === "id" ? entry.id : `${entry.recipientId},${entry.position}`;
        if (wanted.has(String(key))) Object.assign(entry, moved(entry));
      }
      this.#tell("changed");
    });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Whether a message may come from one state to another: none goes back. */
function isBefore(state, next) {
  return (STATES[state] ?? 0) < (STATES[next] ?? 1);
}

function newPerson(name) {
  return { name, last: "", lastAtMs: 0, unread: 0, draft: "" };
}

function entryOf({ position, sender, senderDeleted, body, sentAtMs }) {
  const entry = { person: sender, kind: "theirs", body, atMs: sentAtMs, mailPosition: position };
  if (senderDeleted) entry.state = "deleted";
  return entry;
}

function newId() {
  // Not randomUUID, which a page without TLS does not have.
  return [...crypto.getRandomValues(new Uint8Array(12))].map((it) => it.toString(16).padStart(2, "0")).join("");
}
