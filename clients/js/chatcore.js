/**
 * A client of chatcore for browsers, described in chatcore.d.ts.
 *
 * What is sent is kept, in IndexedDB too, until there is a receipt for it, and is repeated
 * under the same key on each new link: nothing is lost, and nothing is there twice. What
 * is received is handed over once, in order.
 */

const PROTOCOL = "chat.v1.json";
const FIRST_DELAY_MS = 200;
const STEADY_MS = 5000; // a link that is lost sooner is no reason to hurry
const WELCOME_MS = 10_000; // for a link to say that it is there
const OWN_LOGIN_MS = 5000; // so long an earlier try may hold the account
const MOST_UNDER_WAY = 256; // sends without a receipt

const REPLACED = [4503, 4505, 4506, 4508]; // the token is worth nothing any more
const CROWDED = [1001, 1012, 4000, 4005, 4006]; // others come back as well
const LOST = 4003, UNRESPONSIVE = 4001, RESUMED_ELSEWHERE = 4504, DELETED = 4505, PROOF_EXPIRED = 4509;

/** A refusal (code below 1000), or why there is no connection (a close code). */
export class ChatError extends Error {
  constructor(code, reason, text, fields = {}) {
    super(text);
    this.name = "ChatError";
    this.code = code;
    this.reason = reason;
    this.fields = fields;
    this.retryAfterMs = Number(fields.retry_after_ms ?? 0);
  }
}

const refusal = ({ code, name = "", text = "", fields }) => new ChatError(code, name, text, fields);
const closed = (code, text) => new ChatError(code, "CLOSED", text);
const now = () => performance.now();
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const number = (value) => Number(value ?? 0);
const numbers = (values) => (values ?? []).map(Number);

/** Whether a client must not come back by itself after this code. */
function isFinal(code) {
  return (code >= 4500 && code < 5000) || code === 1007 || code === 1009;
}

// ---- links: `on.frame(text)` for each frame, `on.end(code, text)` once

function webSocketLink(url, search, on) {
  const socket = new WebSocket(url + search, PROTOCOL);
  socket.onmessage = ({ data }) => on.frame(data);
  socket.onclose = ({ code, reason }) => on.end(code, reason);
  return {
    name: "websocket",
    write: (frames) => frames.forEach((it) => socket.send(it)),
    close() {
      socket.onmessage = socket.onclose = null;
      socket.close();
    },
  };
}

/** Server-Sent Events one way, a POST at a time the other. */
function sseLink(url, search, on) {
  const abort = new AbortController();
  const { signal } = abort;
  const headers = {};
  let waiting = [];
  let isPosting = false;
  const fail = ({ code, message }) => {
    if (signal.aborted) return;
    abort.abort();
    on.end(code > 999 ? code : LOST, message);
  };
  const ask = async (path, init) => {
    const response = await fetch(url + path + search, { cache: "no-store", signal, ...init });
    if (response.ok) return response;
    const { code, text } = await response.json().catch(() => ({}));
    throw closed(code, text ?? `HTTP ${response.status}`);
  };
  const post = async () => {
    isPosting = true;
    while (waiting.length) {
      const body = waiting.join("\n");
      waiting = [];
      await ask("/frames", { method: "POST", headers, body });
    }
    isPosting = false;
  };
  const listen = async () => {
    const open = { method: "POST", headers: { "Chat-Protocol": PROTOCOL } };
    headers["Chat-Link"] = (await (await ask("/links", open)).json()).link;
    const reader = (await ask("/events", { headers })).body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw closed(LOST, "The events have ended.");
      const events = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const data = event.match(/^data: ?(.*)$/m)?.[1];
        if (signal.aborted || data === undefined) continue;
        if (!/^event: ?close$/m.test(event)) on.frame(data);
        else throw closed(JSON.parse(data).code, JSON.parse(data).text);
      }
    }
  };
  listen().catch(fail);
  return {
    name: "sse",
    write(frames) {
      waiting.push(...frames);
      if (!isPosting) post().catch(fail);
    },
    close: () => abort.abort(),
  };
}

/** How to connect, in the order of trying: `[open, url, its query]`. */
function routesOf(urls) {
  const routes = [];
  for (const it of [urls].flat()) {
    const { protocol, host, pathname, search } = new URL(it, globalThis.location?.href);
    const place = `://${host}${pathname.replace(/\/+$/, "") || "/chat"}`;
    const s = protocol.endsWith("s:") && protocol !== "ws:" ? "s" : "";
    const isWebSocket = protocol.startsWith("ws");
    if (isWebSocket || !Array.isArray(urls)) routes.push([webSocketLink, `ws${s}${place}`, search]);
    if (!isWebSocket || !Array.isArray(urls)) routes.push([sseLink, `http${s}${place}`, search]);
  }
  return routes;
}

/** Makes keys: UUIDv7 by the server's clock, each above the one before. */
class Keys {
  #ahead = 0;
  #last = 0;

  follow(serverTimeMs) {
    this.#ahead = serverTimeMs - now();
    // Keys that are far ahead are refused.
    if (this.#last > serverTimeMs + 5000) this.#last = 0;
  }

  make() {
    // RFC 9562, 6.2, method 3: after the milliseconds come twelve bits of their fraction.
    const atMs = (this.#last = Math.max(now() + this.#ahead, this.#last + 1 / 1024));
    const part = Math.floor((atMs % 1) * 4096);
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    for (let n = 0; n < 6; n++) bytes[n] = Math.floor(atMs / 256 ** (5 - n)) & 255;
    bytes[6] = 0x70 | (part >> 8);
    bytes[7] = part & 255;
    bytes[8] = 0x80 | (bytes[8] & 63);
    return base64(bytes);
  }
}

/** A UUID as text, as the base64 of its bytes. */
function keyOf(uuid) {
  const hex = uuid.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new TypeError("A key is a UUIDv7.");
  return base64(hex.match(/../g).map((it) => parseInt(it, 16)));
}

// ---- what outlives the page

/** Sessions and unsent messages in IndexedDB; each message belongs to a `scope`. */
class Database {
  #db;
  #open = () => this.#db ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open("chatcore", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("sessions");
      const unsent = opening.result.createObjectStore("unsent", { keyPath: "seq", autoIncrement: true });
      unsent.createIndex("scope", "scope");
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = opening.onblocked = () => reject(opening.error);
  });

  /** What the request of `work(store)` has brought, once its transaction is through. */
  async #transact(name, mode, work) {
    const transaction = (await this.#open()).transaction(name, mode, { durability: "relaxed" });
    const request = work(transaction.objectStore(name));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  session = (scope) => this.#transact("sessions", "readonly", (it) => it.get(scope));
  keepSession = (scope, token) => this.#transact("sessions", "readwrite", (it) => it.put(token, scope));
  forgetSession = (scope, token) => this.#transact("sessions", "readwrite", (store) => {
    // It may be another tab's by now.
    store.get(scope).onsuccess = ({ target }) => target.result === token && store.delete(scope);
  });
  unsent = (scope) => this.#transact("unsent", "readonly", (it) => it.index("scope").getAll(scope));

  /** Each gets its `seq`, in this order. */
  keep(scope, account, messages) {
    return this.#transact("unsent", "readwrite", (store) => {
      for (const message of messages) {
        const { seq, uid, id, to, body, key, isOwnKey, askedAtMs } = message;
        const record = { scope, account, uid, id, to, body, key, isOwnKey, askedAtMs };
        if (seq) record.seq = seq;
        const request = store.put(record);
        request.onsuccess = () => (message.seq = request.result);
      }
    });
  }

  forget(seqs) {
    return this.#transact("unsent", "readwrite", (store) => seqs.forEach((it) => store.delete(it)));
  }

  forgetAll(scope) {
    return this.#transact("unsent", "readwrite", (store) => {
      store.index("scope").openKeyCursor(scope).onsuccess = ({ target: { result: cursor } }) => {
        if (cursor) store.delete(cursor.primaryKey), cursor.continue();
      };
    });
  }
}

/** One person's chat: connects by itself, and comes back when the connection is lost. */
export class Chat extends EventTarget {
  #routes;
  #server; // names the server in what is stored
  #options = {};
  #storage = null;
  #keys = new Keys();

  #state = "closed";
  #code = 0;
  #text = "";
  #ready;
  #session = null;
  #scope = ""; // of what is stored: the server and the account's name

  // Connecting
  #run = 0; // changes whenever what is under way is of no more use
  #link = null;
  #proof;
  #token = "";
  #phase = ""; // of the link: "" until its welcome, "resume", "login", "open"
  #limits = {};
  #closing = null;
  #hasOpened = false; // a WebSocket, once: so that it is tried first again
  #route = 0;
  #attempts = 0;
  #openedAt = 0;
  #retry = 0;
  #heardAt = 0;
  #askedAt = 0;
  #watch = 0;
  #loginAt = 0;
  #passwords = []; // to log in with while it is unknown which one holds
  #unlock = null;

  // What is asked
  #lastId = 0;
  #asked = new Map(); // by id, in order
  #unsent = new Map(); // by id, in order
  #toKeep = new Set();
  #toForget = [];
  #underWay = 0;
  #wantsClock = false; // the next link's, for keys
  #isFlushing = false;
  #flowsOn = null; // the link that unsent messages may be written to

  // Mail
  #mailOf = ""; // the account whose positions these are
  #mail = [];
  #pushes = false;
  #waiter = null;
  #lastSeen = 0; // the highest position that was received
  #lastAtMs = 0; // and the latest time
  #handed = 0;
  #acknowledged = 0;
  #delivered = 0; // on this link
  #written = 0; // the acknowledgement, on this link

  constructor(url, options = {}) {
    super();
    this.#routes = routesOf(url);
    this.#server = this.#routes[0][1].split("://")[1];
    this.#start(options);
  }

  get state() { return this.#state; }
  get code() { return this.#code; }
  get text() { return this.#text; }
  get session() { return this.#session; }
  get ready() { return this.#ready.promise; }
  get transport() { return (this.#phase && this.#link?.name) || ""; }
  get unsent() {
    return [...this.#unsent.values()].map(describe);
  }

  // ---- asking

  /** Send a message; resolves with its receipt. */
  send(to, body, { id, key } = {}) {
    if (this.#state === "closed") return Promise.reject(closed(this.#code, this.#text));
    return new Promise((resolve, reject) => {
      try {
        encodeURIComponent(to + body);
      } catch {
        throw new ChatError(100, "MALFORMED_COMMAND", "A lone surrogate is no text.");
      }
      const uid = crypto.getRandomValues(new Uint32Array(4)).join("-");
      const message = {
        uid, id: id ?? uid, to, body, key: key ? keyOf(key) : "", isOwnKey: !key,
        askedAtMs: Date.now(), resolve, reject,
      };
      this.#add(message);
      this.#toKeep.add(message);
      this.#flush();
    });
  }

  /** Names that match, page by page. */
  async *list(pattern = "", { after = "" } = {}) {
    const pages = [];
    let wake;
    let end = null;
    const command = { list: { pattern, after } };
    const asking = this.#ask(command, { page: ({ entries = [] }) => {
      // A new link goes on after what has come.
      if (entries.length) command.list.after = entries.at(-1).username;
      pages.push(entries);
      wake?.();
    } });
    asking.then(() => (end = {}), (error) => (end = { error })).finally(() => wake?.());
    try {
      for (;;) {
        if (pages.length) {
          for (const { username, online = false } of pages.shift()) yield { username, online };
        } else if (end?.error) throw end.error;
        else if (end) return;
        else await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      for (const [id, it] of this.#asked) if (it.command === command) this.#asked.delete(id);
    }
  }

  /** Delete the account; resolves with what was done, or with `dryRun` would be. */
  async delete({ inbox = "deliver", outbox = "keep", dryRun = false, password } = {}) {
    await this.ready;
    const { username } = this.#session ?? {};
    const command = { delete: { username, inbox: `INBOX_${inbox.toUpperCase()}`, outbox: `OUTBOX_${outbox.toUpperCase()}`, dryRun } };
    password ??= this.#options.password;
    if (password !== undefined) command.delete.password = password;
    else command.delete.proof = await this.#fetchProof();
    if (!dryRun) command.delete.key = this.#keys.make();
    const counts = await this.#ask(command);
    const deleted = { dryRun };
    for (const name of ["delivered", "discarded", "bounces", "kept", "retracted"]) {
      deleted[name] = number(counts[name]);
    }
    if (!dryRun) {
      this.#forget();
      this.#end(DELETED, "The account was deleted.");
    }
    return deleted;
  }

  /** Every other session ends. */
  async changePassword(oldPassword, newPassword) {
    await this.#ask({ changePassword: { old: oldPassword, new: newPassword } });
  }

  /** End the session; forget it, and what is unsent. */
  async logout() {
    if (this.#state === "online") await this.#ask({ logout: {} }, { once: true }).catch(() => {});
    this.#forget();
    this.#end(1000, "Logged out.");
  }

  /** Leave; the session waits for its grace time. */
  close() {
    this.#writeAcknowledgement();
    this.#end(1000, "Closed here.");
  }

  /** Come back after `closed`. */
  connect(options) {
    if (this.#state === "closed") this.#start({ ...this.#options, ...options });
    else this.#look();
  }

  // ---- mail

  /** Mail, for a loop; asking for the next acknowledges the one before. */
  messages() {
    if (this.#pushes) throw new Error("Mail comes as events here.");
    let isOver = false;
    return {
      [Symbol.asyncIterator]() { return this; },
      next: async () => {
        if (this.#waiter) throw new Error("Another loop waits already.");
        if (this.#options.acknowledge !== "manual") this.acknowledge(this.#handed);
        while (!isOver && !this.#mail.length && this.#state !== "closed") {
          await new Promise((resolve) => (this.#waiter = resolve));
          this.#waiter = null;
        }
        isOver ||= !this.#mail.length;
        return { done: isOver, value: isOver ? undefined : this.#handOver() };
      },
      return: async () => {
        isOver = true;
        this.#waiter?.();
        return { done: true, value: undefined };
      },
    };
  }

  /** Acknowledge this and all before it. */
  acknowledge(mail) {
    const position = Math.min(mail.position ?? mail, this.#handed);
    if (!(position > this.#acknowledged)) return;
    this.#acknowledged = position;
    this.#tab(this.#scope, { account: this.#mailOf, lastSeen: position, atMs: this.#lastAtMs });
    queueMicrotask(() => this.#writeAcknowledgement());
  }

  addEventListener(type, ...rest) {
    super.addEventListener(type, ...rest);
    if (type !== "message" && type !== "bounce") return;
    this.#pushes = true;
    // Others may be added in this turn.
    queueMicrotask(() => this.#push());
  }

  #push() {
    while (this.#pushes && this.#mail.length) {
      const mail = this.#handOver();
      this.#tell(mail.kind, mail);
      if (this.#options.acknowledge !== "manual") this.acknowledge(mail);
    }
  }

  /** Begin with what this tab has acknowledged before a reload. */
  #beginMail(account) {
    const left = this.#tab(this.#scope);
    const { lastSeen = 0, atMs = 0 } = left?.account === account ? left : {};
    this.#mail = [];
    this.#lastSeen = this.#handed = this.#acknowledged = lastSeen;
    this.#lastAtMs = atMs;
    this.#mailOf = account;
  }

  #handOver() {
    const mail = this.#mail.shift();
    this.#handed = mail.position;
    return mail;
  }

  #receive(mail, follows) {
    if (follows !== this.#delivered) return this.#drop(LOST, "Mail was lost on the way.");
    this.#delivered = mail.position;
    if (mail.position <= this.#lastSeen && mail.sentAtMs > this.#lastAtMs) {
      // Later, and not after it: the server has a new store, which counts anew.
      this.#lastSeen = this.#handed = this.#acknowledged = follows;
    }
    if (mail.position > this.#lastSeen) {
      this.#lastSeen = mail.position;
      this.#lastAtMs = Math.max(this.#lastAtMs, mail.sentAtMs);
      this.#mail.push(mail);
      this.#push();
      this.#waiter?.();
    } else {
      this.#writeAcknowledgement(); // it was had before
    }
  }

  #writeAcknowledgement() {
    const position = Math.min(this.#acknowledged, this.#delivered);
    if (this.#phase !== "open" || position <= this.#written) return;
    this.#written = position;
    this.#write([{ acknowledge: { position: String(position) } }]);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #become(state, code = 0, text = "", retryInMs = 0) {
    if (state === this.#state && code === this.#code && !retryInMs) return;
    this.#state = state;
    this.#code = code;
    this.#text = text;
    this.#tell("state", { state, code, text, retryInMs });
  }

  // ---- beginning and end

  #start(options) {
    this.#options = options;
    const ready = {};
    ready.promise = new Promise((resolve, reject) => Object.assign(ready, { resolve, reject }));
    ready.promise.catch(() => {}); // `state` tells it as well
    this.#ready = ready;
    this.#token = "";
    this.#passwords = [];
    this.#attempts = this.#loginAt = 0;
    this.#state = "connecting";
    this.#code = 0;
    const run = ++this.#run;
    this.#hear("addEventListener");
    // Its maker adds listeners first.
    queueMicrotask(() => this.#prepare(run));
  }

  #hear(how) {
    for (const type of ["online", "visibilitychange"]) globalThis[how]?.(type, this.#look, true);
  }

  /** Find what was left from before. */
  async #prepare(run) {
    this.#tell("state", { state: "connecting", code: 0, text: "", retryInMs: 0 });
    const { storage, username, password } = this.#options;
    this.#storage = storage !== false && globalThis.indexedDB ? this.#storage ?? new Database() : null;
    const name = username ? username.toLowerCase() : this.#tab(this.#server);
    if (name) {
      this.#enter(name);
      // A password has to be right: no token stands in for it.
      if (password === undefined) this.#token = (await this.#stored((it) => it.session(this.#scope))) ?? "";
      await this.#load();
      this.#flush();
    }
    if (run !== this.#run) return;
    if (!this.#token && !this.#canLogIn) return this.#end(200, "Nobody is logged in.");
    this.#connect(run);
  }

  /** Work for this account from now on. */
  #enter(username) {
    const scope = `${this.#server} ${username}`;
    if (scope === this.#scope) return;
    // What was left there is another's; what was asked here moves.
    for (const [id, it] of this.#unsent) if (it.isLeft) this.#unsent.delete(id);
    this.#toKeep = new Set(this.#unsent.values());
    const kept = [...this.#toKeep].flatMap((it) => it.seq ?? []);
    if (kept.length) this.#stored((it) => it.forget(kept));
    this.#scope = scope;
    for (const it of this.#toKeep) it.seq = undefined;
  }

  get #canLogIn() {
    return this.#options.proof !== undefined || this.#options.password !== undefined;
  }

  #end(code, text) {
    if (this.#state === "closed") return;
    this.#run++;
    this.#hear("removeEventListener");
    this.#leaveLink();
    clearTimeout(this.#retry);
    if (REPLACED.includes(code)) this.#forgetSession();
    this.#unlock?.();
    const error = closed(code, text);
    const waiting = [...this.#asked.values(), ...this.#unsent.values()];
    this.#asked.clear();
    this.#unsent.clear();
    this.#become("closed", code, text);
    this.#ready.reject(error);
    for (const it of waiting) it.reject(error);
    this.#session = null;
    this.#waiter?.();
  }

  #forgetSession() {
    const token = this.#token;
    this.#token = "";
    this.#tab(this.#server, null);
    this.#stored((it) => it.forgetSession(this.#scope, token));
  }

  #forget() {
    this.#forgetSession();
    this.#tab(this.#scope, null);
    this.#toKeep = new Set();
    this.#stored((it) => it.forgetAll(this.#scope));
  }

  /** What this tab remembers over a reload. */
  #tab(name, value) {
    if (this.#options.storage === false) return null;
    const key = `chatcore ${name}`;
    try {
      if (value === undefined) return JSON.parse(sessionStorage.getItem(key));
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(value));
    } catch {}
    return null;
  }

  /** What storage answers; undefined where there is none or it fails. */
  async #stored(work) {
    if (!this.#storage || !this.#scope) return undefined;
    try {
      return await work(this.#storage);
    } catch (error) {
      this.#storage = null;
      this.#tell("error", error);
      return undefined;
    }
  }

  // ---- connecting

  async #connect(run) {
    this.#become("connecting");
    try {
      this.#proof = await this.#fetchProof();
    } catch (error) {
      if (run !== this.#run) return;
      this.#tell("error", error);
      return this.#later(LOST, "There is no proof to show.");
    }
    if (run !== this.#run) return;
    if (this.#hasOpened) this.#route = 0;
    this.#dial(run, this.#routes.length);
  }

  async #fetchProof() {
    const { proof } = this.#options;
    return typeof proof === "function" ? await proof() : proof;
  }

  /** Try the routes, as many as are left, from the one that worked last. */
  #dial(run, left) {
    const [open, url, search] = this.#routes[this.#route];
    let link = null;
    const isGone = () => run !== this.#run || this.#link !== link;
    this.#phase = "";
    this.#closing = null;
    const fail = (code, text) => {
      if (isGone()) return;
      const wasWelcome = this.#phase !== "";
      this.#leaveLink();
      const said = this.#closing ?? { code, text };
      // Who can fetch a new proof may come back with that.
      const isNew = said.code === PROOF_EXPIRED && typeof this.#options.proof === "function";
      if (isFinal(said.code) && !isNew) return this.#end(said.code, said.text);
      if (wasWelcome) return this.#later(said.code, said.text);
      this.#route = (this.#route + 1) % this.#routes.length;
      if (left > 1) return this.#dial(run, left - 1);
      this.#later(said.code, said.text || "The server does not answer, or not this page.");
    };
    try {
      link = open(url, search, {
        frame: (text) => {
          if (isGone()) return;
          this.#heardAt = now();
          try {
            for (const event of JSON.parse(text).events ?? []) {
              if (isGone()) return;
              this.#take(event);
            }
          } catch (error) {
            if (isGone()) return;
            this.#tell("error", error);
            this.#drop(LOST, "The server is not understood.");
          }
        },
        end: fail,
      });
    } catch (error) {
      queueMicrotask(() => fail(LOST, error.message));
    }
    this.#link = link;
    this.#heardAt = now();
    this.#askedAt = 0;
    this.#watch = setTimeout(() => this.#phase || fail(UNRESPONSIVE, "The server says nothing."), WELCOME_MS);
  }

  #leaveLink() {
    clearTimeout(this.#watch);
    this.#link?.close();
    this.#link = this.#flowsOn = null;
    this.#phase = "";
    this.#underWay = 0;
    this.#wantsClock = false;
    for (const it of this.#unsent.values()) it.isWritten = false;
    for (const [id, it] of this.#asked) {
      if (!it.once) continue;
      this.#asked.delete(id);
      it.reject(closed(LOST, "The connection was lost."));
    }
  }

  /** Give the link up, and connect again. */
  #drop(code, text, waitMs = 0) {
    this.#leaveLink();
    this.#later(code, text, waitMs);
  }

  #later(code, text, waitMs = 0) {
    if (this.#openedAt && now() - this.#openedAt > STEADY_MS) this.#attempts = 0;
    this.#openedAt = 0;
    const { longestDelayMs = 15_000 } = this.#options;
    const most = Math.max(CROWDED.includes(code) ? 2000 : 0, FIRST_DELAY_MS << this.#attempts);
    if (this.#attempts < 10) this.#attempts++;
    const delay = Math.max(waitMs, Math.min(most, longestDelayMs) * (0.5 + Math.random() / 2));
    const run = ++this.#run;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(run), delay);
    this.#become("offline", code, text, Math.round(delay));
  }

  /** The page is seen again, or the network is back: do not wait. */
  #look = () => {
    if (this.#state === "offline" && globalThis.document?.visibilityState !== "hidden") {
      clearTimeout(this.#retry);
      this.#connect(++this.#run);
    } else if (this.#phase === "open") {
      this.#probe();
    }
  };

  /** Ask whether the server is still there: a browser's links do not say. */
  #probe() {
    if (this.#askedAt > this.#heardAt) return;
    this.#askedAt = now();
    // A command that no server knows is refused by its name, and that is all (E3).
    this.#write([{ id: this.#newId(), areYouThere: {} }]);
  }

  #watchLink(link) {
    const { silenceMs = 25_000 } = this.#options;
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (link !== this.#link) return;
      if (this.#askedAt > this.#heardAt && now() - this.#askedAt > silenceMs) {
        return this.#drop(UNRESPONSIVE, "The server does not answer.");
      }
      if (now() - this.#heardAt > silenceMs) this.#probe();
      this.#watchLink(link);
    }, Math.min(5000, silenceMs));
  }

  // ---- writing

  #write(commands) {
    const most = this.#phase === "open" ? this.#limits.frameBytes : this.#limits.loginFrameBytes;
    const frames = [];
    let items = [];
    let size = 0;
    const cut = () => {
      if (items.length) frames.push(`{"commands":[${items.join()}]}`);
      items = [];
      size = 16;
    };
    cut();
    for (const command of commands) {
      const item = JSON.stringify(command);
      const bytes = new TextEncoder().encode(item).length + 1;
      if (size + bytes > most) cut();
      if (size + bytes > most) {
        this.#refuse(command.id, refusal({ code: 100, name: "MALFORMED_COMMAND", text: `A frame has at most ${most} bytes.` }));
      } else {
        items.push(item);
        size += bytes;
      }
    }
    cut();
    this.#link?.write(frames);
  }

  #newId() {
    return (this.#lastId = (this.#lastId % 0xffff_ffff) + 1);
  }

  /** Ask, and ask again on each new link, until there is an answer. */
  #ask(command, more = {}) {
    if (this.#state === "closed") return Promise.reject(closed(this.#code, this.#text));
    return new Promise((resolve, reject) => {
      const id = this.#newId();
      this.#asked.set(id, { command, resolve, reject, ...more });
      if (this.#phase === "open") this.#write([{ id, ...command }]);
    });
  }

  #add(message) {
    message.number = this.#newId();
    this.#unsent.set(message.number, message);
  }

  /** What was left from before joins what there is, in order. */
  async #load() {
    const records = (await this.#stored((it) => it.unsent(this.#scope))) ?? [];
    const known = new Set([...this.#unsent.values()].map((it) => it.uid));
    const left = records.filter((it) => !known.has(it.uid));
    if (!left.length || this.#flowsOn) return;
    const nobody = { isLeft: true, resolve() {}, reject() {} };
    const all = [...left.map((it) => ({ ...it, ...nobody, wasTried: !!it.key })), ...this.#unsent.values()];
    all.sort((one, other) => (one.seq ?? Infinity) - (other.seq ?? Infinity) || 0);
    this.#unsent.clear();
    all.forEach((it) => this.#add(it));
  }

  /** Keep what is unsent, and write it then. */
  async #flush() {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    await null; // what is sent in one turn goes in one frame
    for (;;) {
      const done = this.#toForget.splice(0);
      if (done.length) this.#stored((it) => it.forget(done));
      const link = this.#flowsOn;
      const batch = [];
      if (link) {
        for (const it of this.#unsent.values()) {
          if (batch.length + this.#underWay >= MOST_UNDER_WAY) break;
          if (it.isWritten) continue;
          batch.push(it);
          if (it.key) continue;
          it.key = this.#keys.make();
          this.#toKeep.add(it);
        }
      }
      const toKeep = this.#scope ? [...this.#toKeep] : [];
      if (!batch.length && !toKeep.length) break;
      if (toKeep.length) {
        this.#toKeep.clear();
        await this.#stored((it) => it.keep(this.#scope, this.#session?.account, toKeep));
      }
      if (!link || link !== this.#flowsOn) continue;
      for (const it of batch) {
        it.isWritten = true;
        it.wasTried ||= it.isFirst = true;
      }
      this.#underWay += batch.length;
      this.#write(batch.map((it) => ({ id: it.number, send: { recipient: it.to, body: it.body, key: it.key } })));
    }
    this.#isFlushing = false;
  }

  // ---- taking

  #take(event) {
    const { id = 0 } = event;
    const name = Object.keys(event).find((it) => it !== "id");
    const body = event[name];
    if (name === "welcome") return this.#welcome(body);
    if (!this.#phase) return undefined;
    switch (name) {
      case "loggedIn": return this.#attach(body, number(body.acknowledged));
      case "resumed": return this.#attach(body, number(body.lastSeen));
      case "accepted": return this.#accept(id, body);
      case "delivered": return this.#receive(mailOf("message", body), number(body.follows));
      case "bounced": return this.#receive(mailOf("bounce", body), number(body.follows));
      case "received": return this.#tell(name, { ...body, positions: numbers(body.positions) });
      case "listed":
        this.#asked.get(id)?.page?.(body);
        return body.complete ? this.#answer(id, body) : undefined;
      case "passwordChanged": {
        const change = this.#asked.get(id)?.command.changePassword;
        if (change && this.#options.password !== undefined) this.#options.password = change.new;
        if (body.token) this.#keepToken(body.token);
        return this.#answer(id, body);
      }
      case "deleted": case "loggedOut": case "proved": return this.#answer(id, body);
      case "refused": return id ? this.#refuse(id, refusal(body)) : this.#refuseOwn(refusal(body));
      case "ping": return this.#write([{ pong: {} }]);
      case "expiring": return this.#expire(body);
      case "closing": this.#closing = { code: body.code, text: body.text ?? "" };
    }
    return undefined;
  }

  #answer(id, body) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.resolve(body);
  }

  #accept(id, body) {
    const message = this.#remove(id);
    if (!message) return;
    const receipt = { durable: false, ...body, position: number(body.position), sentAtMs: number(body.sentAtMs) };
    message.resolve(receipt);
    this.#tell("accepted", { ...describe(message), receipt });
  }

  #remove(id) {
    const message = this.#unsent.get(id);
    if (!message) return undefined;
    this.#unsent.delete(id);
    if (message.seq) this.#toForget.push(message.seq);
    this.#settle(message);
    return message;
  }

  /** A message is not under way any more. */
  #settle(message) {
    if (message.isWritten) this.#underWay--;
    message.isWritten = false;
    if (!this.#wantsClock) this.#flush();
    else if (!this.#underWay) this.#drop(LOST, "Keys need the server's clock.");
  }

  #refuse(id, error) {
    const message = this.#unsent.get(id);
    if (!message) {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      asked?.reject(error);
      if (asked && this.#phase !== "open") this.#end(error.code, error.message);
      return;
    }
    const isOfKey = error.code === 304 || error.code === 114;
    if (error.code === 502 || error.code === 503) {
      // Unknown, or shutting down: again on the next link, in the same order.
      this.#drop(error.code, error.message, error.retryAfterMs);
    } else if (isOfKey && message.isOwnKey && message.isFirst && !message.isRekeyed) {
      // Nothing is stored under it: the next link's clock makes another, once the others
      // under way are answered.
      message.isRekeyed = this.#wantsClock = true;
      message.wasTried = message.isFirst = false;
      this.#flowsOn = null;
      this.#settle(message);
    } else {
      this.#remove(id);
      message.reject(error);
      this.#tell("refused", { ...describe(message), error });
    }
  }

  // ---- sessions

  #welcome(body) {
    this.#limits = { frameBytes: 1 << 20, loginFrameBytes: 1 << 15, windowMessages: 256, ...body };
    this.#keys.follow(number(body.serverTimeMs));
    if (this.#link.name === "websocket") this.#hasOpened = true;
    this.#watchLink(this.#link);
    if (this.#token) this.#resume();
    else this.#logIn();
  }

  #resume() {
    this.#phase = "resume";
    if (this.#mail.length > this.#limits.windowMessages) {
      // Two links have brought it; it was not acknowledged, and comes again.
      this.#mail = [];
      this.#lastSeen = this.#handed;
    }
    const proof = this.#proof === undefined ? {} : { proof: this.#proof };
    this.#write([{ resume: { token: this.#token, lastSeen: String(this.#lastSeen), ...proof } }]);
  }

  #logIn() {
    this.#phase = "login";
    const { create = false, invitation, password } = this.#options;
    const login = { username: this.#options.username ?? this.#session?.username ?? "" };
    // An account that we have had is not made again.
    if (create && !this.#session) login.create = true;
    if (invitation) login.invitation = invitation;
    if (this.#proof !== undefined) login.proof = this.#proof;
    else login.password = this.#passwords.at(-1) ?? password;
    this.#write([{ login }]);
  }

  #attach(body, after) {
    const { account, username } = body;
    if (this.#phase === "open") return;
    if (this.#session && this.#session.account !== account) {
      // Somebody else has the name by now: nothing of ours is theirs.
      return this.#end(DELETED, "The account was deleted.");
    }
    this.#phase = "open";
    this.#session = { account, username };
    this.#openedAt = now();
    this.#loginAt = 0;
    this.#enter(username);
    if (this.#mailOf !== account) this.#beginMail(account);
    this.#lastSeen = Math.max(this.#lastSeen, after);
    if (!this.#mail.length) this.#handed = Math.max(this.#handed, after);
    this.#delivered = after;
    this.#written = 0;
    if (body.token) this.#keepToken(body.token);
    this.#tab(this.#server, username);
    this.#lock();
    this.#settlePasswords();
    this.#become("online");
    this.#ready.resolve(this.#session);
    if (this.#phase !== "open") return; // a listener has closed it
    this.#write([...this.#asked].map(([id, it]) => ({ id, ...it.command })));
    this.#writeAcknowledgement();
    const link = this.#link;
    this.#load().then(() => {
      if (link !== this.#link) return;
      for (const [id, it] of this.#unsent) {
        // Keys that nobody has seen are made anew, by the clock of this link.
        if (it.isOwnKey && !it.wasTried) it.key = "";
        it.isFirst = false;
        // The name was another account's then, which is gone.
        if (it.isLeft && it.account && it.account !== account) this.#refuse(id, closed(DELETED, "The account was deleted."));
      }
      this.#flowsOn = link;
      this.#flush();
    });
  }

  #keepToken(token) {
    this.#token = token;
    this.#stored((it) => it.keepSession(this.#scope, token));
  }

  /** Of several tabs the one that came last has the session. */
  #lock() {
    if (this.#unlock || !globalThis.navigator?.locks || this.#options.storage === false) return;
    const name = `chatcore ${this.#scope}`;
    let unlock;
    const held = new Promise((resolve) => (unlock = resolve));
    this.#unlock = () => {
      this.#unlock = null;
      unlock();
    };
    navigator.locks.request(name, { steal: true }, () => held).catch(({ name }) => {
      if (!this.#unlock || name !== "AbortError") return;
      this.#unlock = null;
      this.#end(RESUMED_ELSEWHERE, "The session is used in another tab.");
    });
  }

  /** A resume or login is refused, or (of no account) an acknowledgement. */
  async #refuseOwn(error) {
    const { code } = error;
    if (this.#phase === "open") return;
    if (code >= 500) return this.#drop(code, error.message, error.retryAfterMs);
    if (this.#phase === "resume" && [205, 211, 213, 305, 400].includes(code)) {
      // Another's proof ends nobody's session.
      if (code === 205 || code === 305) this.#forgetSession();
      this.#token = "";
      return this.#sessionGone(error);
    }
    if (this.#phase === "login" && code === 203) return this.#inUse(error);
    if (this.#phase === "login" && this.#passwords.length > 1) {
      this.#passwords.pop();
      return this.#logIn();
    }
    this.#end(code, error.message);
  }

  #sessionGone(error) {
    const asked = [...this.#asked];
    const erasing = asked.find(([, it]) => it.command.delete?.key);
    const change = asked.find(([, it]) => it.command.changePassword)?.[1].command.changePassword;
    if (erasing) {
      // It may have been done: the same key gets the first answer, without a session.
      this.#write([{ id: erasing[0], ...erasing[1].command }]);
    } else if (change && this.#proof === undefined) {
      // The newest first: whichever holds says whether the change was made.
      this.#passwords = [change.old, change.new];
      this.#logIn();
    } else if (this.#canLogIn) this.#logIn();
    else this.#end(error.code, error.message);
  }

  #settlePasswords() {
    const [older, newer] = this.#passwords;
    this.#passwords = [];
    if (this.#options.password !== undefined) this.#options.password = newer ?? older ?? this.#options.password;
    if (newer === undefined) return;
    for (const [id, it] of this.#asked) if (it.command.changePassword) this.#answer(id, {});
  }

  /** The account has a session: another tab's, or an earlier try's. */
  async #inUse(error) {
    const link = this.#link;
    if (error.fields.username) this.#enter(error.fields.username);
    const token = await this.#stored((it) => it.session(this.#scope));
    if (link !== this.#link) return;
    this.#loginAt ||= now();
    if (token && !this.#session && this.#token !== token) {
      // What this client has shown is right: it takes that session.
      this.#token = token;
      this.#resume();
    } else if (this.#attempts && now() - this.#loginAt < OWN_LOGIN_MS) {
      this.#drop(error.code, error.message);
    } else this.#end(error.code, error.message);
  }

  async #expire({ expiresInMs }) {
    this.#tell("expiring", { expiresInMs: number(expiresInMs) });
    const link = this.#link;
    for (let n = 0; typeof this.#options.proof === "function" && link === this.#link; n++) {
      try {
        const proof = await this.#fetchProof();
        if (link !== this.#link) return;
        await this.#ask({ prove: { proof } }, { once: true });
        return;
      } catch (error) {
        this.#tell("error", error);
        await new Promise((resolve) => setTimeout(resolve, 1000 << Math.min(n, 5)));
      }
    }
  }
}

const describe = ({ id, to, body, askedAtMs }) => ({ id, to, body, askedAtMs });

/** Mail as a page gets it. */
function mailOf(kind, { follows, ...it }) {
  const mail = { kind, ...it, position: number(it.position), sentAtMs: number(it.sentAtMs) };
  if (kind === "message") mail.senderDeleted ??= false;
  else mail.positions = numbers(it.positions);
  return mail;
}
