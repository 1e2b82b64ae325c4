// What was said, kept in this browser: a server keeps nothing that was received.
//
// Each account has a database of its own, named by the account's id: an account that was
// deleted and made anew under the same name sees nothing of the one before (A5). Where a
// browser keeps nothing, such as in some private windows, it lasts as long as the tab.
//
// An entry: {person, kind: "mine" | "theirs" | "note", body, atMs, state}, and of mine {id,
// recipientId, position}, of mail {mailPosition}; the database adds `seq`, by which a talk
// is in order.

const PREFIX = "chatcore-page ";
const TO_FORGET = "chatcore-page.forget";
const LASTING = "lasting";

/**
 * Open what is kept for an account, or something as good for this tab.
 *
 * @param life Of accounts that end with their server, whose ids come again.
 */
export async function openHistory({ username, account }, life) {
  const name = `${PREFIX}${life || LASTING} ${account} ${username}`;
  try {
    return new StoredHistory(name, await openDatabase(name));
  } catch {
    return new TabHistory();
  }
}

/** Forget what is nobody's: of an account that was deleted, or of another life. */
export async function forgetStale(life) {
  try {
    const marked = localStorage.getItem(TO_FORGET);
    localStorage.removeItem(TO_FORGET);
    for (const { name } of await indexedDB.databases()) {
      const [, of] = name.startsWith(PREFIX) ? name.split(" ") : [];
      if (name === marked || (of && life && of !== life && of !== LASTING)) indexedDB.deleteDatabase(name);
    }
  } catch {
    // Where nothing can be kept, there is nothing to forget.
  }
}

class StoredHistory {
  #name;
  #database;

  constructor(name, database) {
    this.#name = name;
    this.#database = database;
  }

  /** Keep entries, and what is told of people in a list; once it is on disk. */
  async add(entries, people, seen) {
    const [done, messages, persons, facts] = this.#change("messages", "people", "facts");
    for (const entry of entries) {
      const adding = messages.add(entry);
      adding.onsuccess = () => { entry.seq = adding.result; };
    }
    for (const person of people) persons.put(person);
    if (seen !== undefined) facts.put(seen, "seen");
    await done;
  }

  /** The highest position of mail that is here. */
  async seen() {
    return (await this.#read("facts", (facts) => facts.get("seen"))) ?? 0;
  }

  /** The mail that is here at this position. */
  mailAt(position) {
    return this.#read("messages", (messages) => messages.index("mail").get(position));
  }

  /** All people with whom there was a talk. */
  people() {
    return this.#read("people", (people) => people.getAll());
  }

  async keepPerson(person) {
    const [done, people] = this.#change("people");
    people.put(person);
    await done;
  }

  /** So many entries of a talk, the last ones before `seq`, in order. */
  before(person, seq, count) {
    const range = IDBKeyRange.bound([person, 0], [person, seq], false, true);
    return this.#read("messages", (messages) => {
      const found = [];
      const walking = messages.index("talk").openCursor(range, "prev");
      walking.onsuccess = () => {
        const cursor = walking.result;
        if (!cursor) return;
        found.unshift(cursor.value);
        if (found.length < count) cursor.continue();
      };
      return { get result() { return found; } };
    });
  }

  /** Change those of our messages that have one of these keys in an index. */
  async change(index, keys, changed) {
    const [done, messages] = this.#change("messages");
    for (const key of keys) {
      // The last one: accounts of a store that was made anew have the ids of old ones.
      const finding = messages.index(index).openCursor(IDBKeyRange.only(key), "prev");
      finding.onsuccess = () => {
        const found = finding.result?.value;
        if (found) messages.put({ ...found, ...changed(found) });
      };
    }
    await done;
  }

  /** Have it forgotten when the page is next opened, if nobody does it before. */
  mark() {
    try {
      localStorage.setItem(TO_FORGET, this.#name);
    } catch {
      // As above.
    }
  }

  close() {
    this.#database.close();
  }

  async forget() {
    this.close();
    await finished(indexedDB.deleteDatabase(this.#name));
  }

  #change(...names) {
    const transaction = this.#database.transaction(names, "readwrite");
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return [done, ...names.map((name) => transaction.objectStore(name))];
  }

  #read(name, ask) {
    const transaction = this.#database.transaction(name);
    const request = ask(transaction.objectStore(name));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** The same for as long as the tab. */
class TabHistory {
  #entries = [];
  #people = new Map();
  #seen = 0;

  async add(entries, people, seen) {
    for (const entry of entries) {
      entry.seq = this.#entries.length + 1;
      this.#entries.push(entry);
    }
    for (const person of people) this.#people.set(person.name, person);
    this.#seen = seen ?? this.#seen;
  }

  async seen() {
    return this.#seen;
  }

  async mailAt(position) {
    return this.#entries.find((it) => it.mailPosition === position);
  }

  async people() {
    return [...this.#people.values()];
  }

  async keepPerson(person) {
    this.#people.set(person.name, person);
  }

  async before(person, seq, count) {
    const found = this.#entries.filter((it) => it.person === person && it.seq < seq);
    return found.slice(-count);
  }

  async change(index, keys, changed) {
    const wanted = new Set(keys.map(String));
    for (const entry of this.#entries) {
      const key = index === "id" ? entry.id : `${entry.recipientId},${entry.position}`;
      if (wanted.has(String(key))) Object.assign(entry, changed(entry));
    }
  }

  mark() {}

  close() {}

  async forget() {
    this.#entries = [];
    this.#people.clear();
  }
}

async function openDatabase(name) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => {
    const database = opening.result;
    const messages = database.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
    messages.createIndex("talk", ["person", "seq"]);
    messages.createIndex("id", "id");
    messages.createIndex("mail", "mailPosition");
    messages.createIndex("receipt", ["recipientId", "position"]);
    database.createObjectStore("people", { keyPath: "name" });
    database.createObjectStore("facts");
  };
  const database = await finished(opening);
  database.onversionchange = () => database.close(); // another tab forgets it
  return database;
}

function finished(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("Another tab has it open."));
  });
}
