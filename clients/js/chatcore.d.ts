// The types of chatcore.js. Ids are strings: nothing is to be computed with them.

/** How far the connection is. `closed` is the end, until `connect()` is called. */
export type ChatState = "connecting" | "online" | "offline" | "closed";

/** Fetches a proof of who the user is, such as a JWT of the application's. */
export type FetchProof = () => string | Promise<string>;

export interface ChatOptions {
  /** A proof, or what fetches one: at each login and resume, and before it expires. */
  proof?: string | FetchProof;
  /** Who logs in; with a proof it may be left out. */
  username?: string;
  /** Kept in memory only. */
  password?: string;
  /** Make the account first when the name is free. */
  create?: boolean;
  /** Where accounts are made by invitation. */
  invitation?: string;
  /**
   * When mail is acknowledged: `auto` (default) once its listeners have returned, or once
   * the loop over `messages()` asks for the next; `manual` by `acknowledge(mail)` alone.
   */
  acknowledge?: "auto" | "manual";
  /** Keep unsent messages and the session over a reload; on where the browser can. */
  storage?: boolean;
  /** The longest wait between two attempts to connect; 15,000 ms. */
  longestDelayMs?: number;
  /** After so long a silence the server is asked whether it is there, and as long is waited
   * for its answer; 25,000 ms. */
  silenceMs?: number;
}

/** The server has stored the message. */
export interface Receipt {
  recipientId: string;
  /** With `recipientId`, names the message for ever; `received` events have both. */
  position: number;
  sentAtMs: number;
  /** Whether it survives a crash of the server. */
  durable: boolean;
}

export interface Message {
  kind: "message";
  position: number;
  sender: string;
  senderId: string;
  /** The sender's account is gone; the name may be somebody else's by now. */
  senderDeleted: boolean;
  body: string;
  sentAtMs: number;
}

/** Messages of ours that were dropped with their recipient's account. */
export interface Bounce {
  kind: "bounce";
  position: number;
  recipient: string;
  recipientId: string;
  positions: number[];
  sentAtMs: number;
}

export type Mail = Message | Bounce;

/** A recipient has acknowledged these messages of ours (told to who is online only). */
export interface Received {
  recipient: string;
  recipientId: string;
  positions: number[];
}

/** A message of ours that has no receipt yet. */
export interface Unsent {
  /** What `send` was given as `id`, or a name made for it. */
  id: string;
  to: string;
  body: string;
  /** When `send` was called, by this machine's clock. */
  askedAtMs: number;
}

export interface Session {
  account: string;
  /** As the server writes it, in lower case. */
  username: string;
}

export interface StateChange {
  state: ChatState;
  /** Why: a close code (4000…) or a refusal's code; 0 where there is none. */
  code: number;
  text: string;
  /** While `offline`: when the next attempt begins. */
  retryInMs: number;
}

export interface Entry {
  username: string;
  online: boolean;
}

export interface DeleteOptions {
  /** `deliver` (default) brings the mail that waits first; `discard` drops it. */
  inbox?: "deliver" | "discard";
  /** `keep` (default) leaves what we have sent; `retract` takes back what is not
   * acknowledged. */
  outbox?: "keep" | "retract";
  /** Only count what would happen now. */
  dryRun?: boolean;
  /** Asked for again where the page was reloaded and does not know it any more. */
  password?: string;
}

export interface Deleted {
  dryRun: boolean;
  delivered: number;
  discarded: number;
  bounces: number;
  kept: number;
  retracted: number;
}

/** A refusal (code below 1000), or why there is no connection (a close code). */
export class ChatError extends Error {
  constructor(code: number, reason: string, text: string, fields?: Record<string, string>);
  readonly code: number;
  /** The code's name, such as `MAILBOX_FULL`. */
  readonly reason: string;
  readonly fields: Record<string, string>;
  /** How long to wait before asking again; 0 where nothing is said of it. */
  readonly retryAfterMs: number;
}

export interface ChatEventMap {
  state: CustomEvent<StateChange>;
  /** Adding a listener makes mail come as events, and no more from `messages()`. */
  message: CustomEvent<Message>;
  /** Comes as events wherever `message` does. */
  bounce: CustomEvent<Bounce>;
  received: CustomEvent<Received>;
  /** A message has its receipt, also one that was left from before a reload. */
  accepted: CustomEvent<Unsent & { receipt: Receipt }>;
  /** A message was refused, also one that was left from before a reload. */
  refused: CustomEvent<Unsent & { error: ChatError }>;
  /** The proof expires; it is fetched anew by itself. */
  expiring: CustomEvent<{ expiresInMs: number }>;
  /** Something failed that nobody waits for: a proof that could not be fetched, storage
   * that does not store. The chat goes on. */
  error: CustomEvent<unknown>;
}

/**
 * One person's chat. It connects by itself, and comes back when the connection is lost.
 *
 * @param url Where the chat is: `https://…/chat` (or `wss:`, or a path of the page's own
 *   server) is tried by WebSocket and, where that fails, by Server-Sent Events. A list is
 *   tried in order, each by its own scheme: `["wss://a/chat", "https://b/chat"]`.
 * @param options Who it is. Without a proof or password the session that this tab has had
 *   before a reload goes on; where there is none, the chat is `closed` with code 200.
 */
export class Chat extends EventTarget {
  constructor(url: string | URL | readonly (string | URL)[], options?: ChatOptions);

  readonly state: ChatState;
  /** Of the last change of `state`. */
  readonly code: number;
  readonly text: string;
  /** Who is logged in; null before. */
  readonly session: Session | null;
  /** Resolves when `online` comes for the first time; rejects with a ChatError when
   * `closed` comes before. */
  readonly ready: Promise<Session>;
  /** How the connection is made now: "" while there is none. */
  readonly transport: "" | "websocket" | "sse";
  /** Messages of ours without a receipt, in the order of sending. */
  readonly unsent: readonly Unsent[];

  /**
   * Send a message: resolves with the receipt once it is stored, however often the
   * connection is lost meanwhile. It may be called in any state but `closed`.
   *
   * Rejects with a ChatError: a refusal, or the close code where the chat is closed
   * first; then the message is still kept, and goes out with the next session of this
   * account in this browser, but after `logout()`, which forgets it.
   *
   * @param options `id` is a name of the caller's own, which events and `unsent` tell
   *   again, also after a reload. `key` is an idempotency key (a UUIDv7) of the caller's
   *   own: without one, a key is made.
   */
  send(to: string, body: string, options?: { id?: string; key?: string }): Promise<Receipt>;

  /**
   * Mail, each piece once, in order. Asking for the next acknowledges the one before; who
   * leaves the loop by `break` or an error leaves the last one unacknowledged, until
   * `acknowledge(mail)` or the next loop. One loop at a time. It ends when the chat is closed.
   */
  messages(): AsyncIterableIterator<Mail>;

  /** Acknowledge this and all before it. */
  acknowledge(mail: Mail | number): void;

  /** Names that match: `*` and `?` match over the whole name, a pattern without them
   * matches any name that contains it. In pages, as the loop goes on. */
  list(pattern?: string, options?: { after?: string }): AsyncIterableIterator<Entry>;

  /** Delete the account that is logged in; afterwards the chat is closed. */
  delete(options?: DeleteOptions): Promise<Deleted>;

  /** Every other session ends; this one goes on. */
  changePassword(oldPassword: string, newPassword: string): Promise<void>;

  /** End the session, and forget it and what is unsent. */
  logout(): Promise<void>;

  /** Leave without ending the session: it waits for its grace time. */
  close(): void;

  /** Connect again after `closed`: also takes the session back from another tab. New
   * options, such as a password, take the place of those before. */
  connect(options?: ChatOptions): void;

  addEventListener<K extends keyof ChatEventMap>(
    type: K,
    listener: ((this: Chat, event: ChatEventMap[K]) => void) | { handleEvent(event: ChatEventMap[K]): void } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof ChatEventMap>(
    type: K,
    listener: ((this: Chat, event: ChatEventMap[K]) => void) | { handleEvent(event: ChatEventMap[K]): void } | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
