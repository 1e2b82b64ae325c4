// The messages of one talk, of which a window is in the document: as many as a person can
// scroll through at once, however many there are.

import { make } from "./dom.js";

const SHOWN = 90;
const STEP = 40;
const PAGE = 200;
const NEAR_PX = 400;
const AT_END_PX = 40;
const TOGETHER_MS = 5 * 60 * 1000;

const MARKS = {
  sending: ["◷", "sending"],
  stored: ["✓", "stored"],
  received: ["✓✓", "received"],
  discarded: ["✕", "not received: the account was deleted"],
};
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export class Timeline {
  #frame;
  #list;
  #latest;
  #onAgain;
  #entries = [];
  #loadBefore = null;
  #isLoading = false;
  #hasMore = false;
  #start = 0;
  #end = 0;
  #rows = new Map();
  #isAsked = false;
  #unseen = 0;
  #isAtEnd = true;

  /**
   * @param frame What scrolls; `list` in it has the rows; `latest` goes to the end.
   * @param onAgain Called with a message that was refused, to be written again.
   */
  constructor({ frame, list, latest, onAgain }) {
    this.#frame = frame;
    this.#list = list;
    this.#latest = latest;
    this.#onAgain = onAgain;
    frame.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    latest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => { if (this.#isAtEnd) this.#stick(); }).observe(frame);
  }

  get entries() {
    return this.#entries;
  }

  /** Show a talk: its last entries, and what loads those before an entry. */
  open(entries, loadBefore) {
    this.#entries = entries;
    this.#loadBefore = loadBefore;
    this.#hasMore = entries.length >= PAGE;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.toEnd();
  }

  static get pageSize() {
    return PAGE;
  }

  append(entries) {
    const wasAtEnd = this.#isAtEnd && this.#end === this.#entries.length;
    this.#entries.push(...entries);
    if (wasAtEnd) this.#moveTo(this.#entries.length);
    else this.#unseen += entries.filter((it) => it.kind === "theirs").length;
    this.refresh();
  }

  toEnd() {
    this.#moveTo(this.#entries.length);
    this.#isAtEnd = true;
    this.refresh();
  }

  /** Draw what has changed, with the next frame. */
  refresh() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#draw();
    });
  }

  #moveTo(end) {
    this.#end = end;
    this.#start = Math.max(0, end - SHOWN);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#frame;
    const below = scrollHeight - clientHeight - scrollTop;
    this.#isAtEnd = below < AT_END_PX && this.#end === this.#entries.length;
    if (this.#isAtEnd) {
      // Also where the rows of what has just come are not drawn yet.
    } else if (scrollTop < NEAR_PX && this.#start > 0) {
      this.#start = Math.max(0, this.#start - STEP);
      this.#end = Math.min(this.#entries.length, this.#start + SHOWN);
      this.#drawInPlace();
    } else if (scrollTop < NEAR_PX && this.#hasMore) {
      this.#load();
    } else if (below < NEAR_PX && this.#end < this.#entries.length) {
      this.#moveTo(Math.min(this.#entries.length, this.#end + STEP));
      this.#drawInPlace();
    }
    this.#showLatest();
  }

  async #load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const entries = this.#entries;
    try {
      const earlier = await this.#loadBefore(entries[0].seq, PAGE);
      if (entries !== this.#entries) return; // another talk is open by now
      this.#hasMore = earlier.length >= PAGE;
      entries.unshift(...earlier);
      this.#start += earlier.length;
      this.#end += earlier.length;
      this.#scrolled();
    } finally {
      this.#isLoading = false;
    }
  }

  /** Draw, and keep in its place what is being read. */
  #drawInPlace() {
    const kept = [...this.#list.children].find((row) => row.offsetTop >= this.#frame.scrollTop);
    const before = kept?.offsetTop ?? 0;
    this.#draw();
    if (kept?.isConnected) this.#frame.scrollTop += kept.offsetTop - before;
  }

  #draw() {
    const wanted = this.#wanted();
    for (const key of this.#rows.keys()) {
      if (!wanted.has(key)) this.#drop(key);
    }
    let place = this.#list.firstElementChild;
    for (const [key, { look, build }] of wanted) {
      let row = this.#rows.get(key);
      if (row?.look !== look) {
        const element = build();
        if (row) {
          if (place === row.element) place = element;
          row.element.replaceWith(element);
        }
        row = { look, element };
        this.#rows.set(key, row);
      }
      if (row.element === place) place = place.nextElementSibling;
      else this.#list.insertBefore(row.element, place);
    }
    if (this.#isAtEnd) this.#stick();
    this.#showLatest();
  }

  #drop(key) {
    this.#rows.get(key).element.remove();
    this.#rows.delete(key);
  }

  /** The rows of the window, each with all that its look depends on. */
  #wanted() {
    const wanted = new Map();
    let before = this.#entries[this.#start - 1];
    for (let at = this.#start; at < this.#end; at += 1) {
      const entry = this.#entries[at];
      const day = new Date(entry.atMs).toDateString();
      if (!before || new Date(before.atMs).toDateString() !== day) {
        wanted.set(day, { look: day, build: () => make("li", "day", dayOf(entry.atMs)) });
      }
      const follows = before && belong(before, entry);
      const next = this.#entries[at + 1];
      const joined = next && belong(entry, next) && next.state === entry.state
        && clock.format(next.atMs) === clock.format(entry.atMs);
      const look = [entry.state, follows, joined, entry.why].join();
      wanted.set(entry, { look, build: () => this.#rowOf(entry, follows, joined) });
      before = entry;
    }
    return wanted;
  }

  #rowOf(entry, follows, joined) {
    if (entry.kind === "note") return make("li", "note", entry.body);
    const isMine = entry.kind === "mine";
    const row = make("li", "message");
    row.classList.toggle("mine", isMine);
    row.classList.toggle("follows", Boolean(follows));
    row.classList.toggle("joined", Boolean(joined) && entry.state !== "failed");
    if (!this.#rows.has(entry) && Date.now() - entry.atMs < 1000) row.classList.add("is-new");
    if (isMine) row.dataset.state = entry.state;
    const bubble = make("div", "bubble");
    bubble.dir = "auto";
    bubble.append(make("span", "unseen", isMine ? "You: " : `${entry.person}: `), entry.body);
    const meta = make("div", "meta");
    const time = make("time", "", clock.format(entry.atMs));
    time.dateTime = new Date(entry.atMs).toISOString();
    meta.append(time);
    if (isMine) meta.append(" · ", ...this.#stateOf(entry));
    else if (entry.state === "deleted") meta.append(" · from an account that was deleted");
    row.append(bubble, meta);
    return row;
  }

  #stateOf(entry) {
    if (entry.state === "failed") {
      const again = make("button", "link", "Write again");
      again.type = "button";
      again.addEventListener("click", () => this.#onAgain(entry));
      return [`not sent: ${entry.why} `, again];
    }
    const [mark, text] = MARKS[entry.state] ?? MARKS.sending;
    const sign = make("span", "mark", mark);
    sign.setAttribute("aria-hidden", "true");
    return [sign, make("span", "", text)];
  }

  #stick() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#unseen = 0;
  }

  #showLatest() {
    if (this.#isAtEnd) this.#unseen = 0;
    this.#latest.hidden = this.#isAtEnd;
    this.#latest.textContent = this.#unseen ? `${this.#unseen} new` : "Latest messages";
  }
}

function belong(one, other) {
  return one.kind === other.kind && one.kind !== "note" && other.atMs - one.atMs < TOGETHER_MS
    && new Date(one.atMs).toDateString() === new Date(other.atMs).toDateString();
}

function dayOf(atMs) {
  const day = new Date(atMs).toDateString();
  const today = new Date();
  if (day === today.toDateString()) return "Today";
  today.setDate(today.getDate() - 1);
  return day === today.toDateString() ? "Yesterday" : calendar.format(atMs);
}
