// The page: signing in, and the chat of who has.

import { Chat } from "./chatcore.js";
import { ChatView } from "./chat_view.js";
import { byId } from "./dom.js";
import { forgetStale } from "./history.js";

const NO_SESSION = 200;
const WRONG_CREDENTIALS = 202;
const OF_CLIENT = "chatcore ";

const entry = byId("entry");
const form = byId("entry-form");
const username = byId("username");
const password = byId("password");
const error = byId("entry-error");
const notice = byId("entry-notice");
const enter = byId("enter");
const showPassword = byId("show-password");

let urls = [];
let registration = "open";
let life = "";
let makesAccount = false;

await begin();

async function begin() {
  const chat = new URL("chat", document.baseURI).href;
  try {
    const told = await (await fetch("page.json")).json();
    ({ registration, life } = told);
    urls = told.websocket ? [told.websocket, chat] : [chat];
  } catch {
    urls = [chat];
  }
  forgetStale(life);
  byId("entry-switch").hidden = !["open", "invite"].includes(registration);
  byId("switch").addEventListener("click", () => choose(!makesAccount));
  showPassword.addEventListener("click", () => reveal(password.type === "password"));
  form.addEventListener("submit", signIn);
  // What this tab was logged in as before a reload goes on.
  const waiting = setTimeout(() => ask("Connecting…"), 600);
  const { refused } = await talk({});
  clearTimeout(waiting);
  if (refused) ask(refused.code === NO_SESSION ? "" : refused.message);
}

/** Talk as somebody until that ends; or why not. */
async function talk(options) {
  const chat = new Chat(urls, { ...options, acknowledge: "manual" });
  const view = new ChatView(chat, { life, onEnd: ask });
  try {
    await chat.ready;
  } catch (refused) {
    view.stop();
    return { refused };
  }
  entry.hidden = true;
  form.reset();
  reveal(false);
  await view.start();
  return {};
}

async function signIn(event) {
  event.preventDefault();
  error.textContent = "";
  const name = username.value.trim();
  const missing = name ? (password.value ? null : password) : username;
  if (missing) {
    error.textContent = missing === username ? "A name is missing." : "A password is missing.";
    missing.focus();
    return;
  }
  forgetPositions();
  enter.disabled = true;
  enter.textContent = makesAccount ? "Creating…" : "Signing in…";
  const { refused } = await talk({
    username: name,
    password: password.value,
    create: makesAccount,
    invitation: byId("invitation").value.trim() || undefined,
  });
  enter.disabled = false;
  choose(makesAccount && Boolean(refused));
  if (refused) {
    const isTaken = makesAccount && refused.code === WRONG_CREDENTIALS;
    error.textContent = isTaken ? `The name ${name} is taken, with another password.` : refused.message;
    (isTaken ? username : password).focus();
  }
}

/**
 * Have a login begin without the position that the client remembers for this tab. A server
 * whose store was made anew counts from 1 again, and its mail would be passed over; what
 * comes again of a server that was not is known by what is kept of the talk.
 */
function forgetPositions() {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(OF_CLIENT)) sessionStorage.removeItem(key);
    }
  } catch {
    // Where nothing can be kept, nothing is remembered.
  }
}

/** Ask who it is, with a word about why. */
function ask(said) {
  notice.textContent = said;
  notice.hidden = !said;
  document.title = "chatcore";
  if (!entry.hidden) return;
  entry.hidden = false;
  choose(false);
  username.focus();
}

/** Sign in, or make an account. */
function choose(makes) {
  makesAccount = makes;
  const title = makes ? "Create account" : "Sign in";
  byId("entry-title").textContent = enter.textContent = title;
  byId("switch-text").textContent = makes ? "Have an account?" : "No account yet?";
  byId("switch").textContent = makes ? "Sign in" : "Create one";
  byId("password-hint").hidden = !makes;
  byId("invitation-field").hidden = !makes || registration !== "invite";
  password.autocomplete = makes ? "new-password" : "current-password";
  error.textContent = "";
}

function reveal(isShown) {
  password.type = isShown ? "text" : "password";
  showPassword.textContent = isShown ? "Hide" : "Show";
  showPassword.setAttribute("aria-pressed", String(isShown));
}
