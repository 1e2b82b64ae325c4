// The dialogs of an account: another password, logging out, deletion.

import { byId, make } from "./dom.js";

/** Open a dialog with its fields empty. */
export function show(dialog) {
  const form = dialog.querySelector("form");
  form.reset();
  complain(dialog, "");
  dialog.showModal();
}

/**
 * Have a dialog's form do something: it closes when that is done, and says what went
 * wrong where it is not.
 */
export function onSubmit(dialog, act) {
  const form = dialog.querySelector("form");
  for (const button of dialog.querySelectorAll("[data-cancel]")) {
    button.addEventListener("click", () => dialog.close());
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await attempt(dialog, act)) dialog.close();
  });
}

/** Do something for a dialog; whether it was done, to be closed. */
export async function attempt(dialog, act) {
  const buttons = [...dialog.querySelectorAll(".buttons button")];
  complain(dialog, "");
  for (const button of buttons) button.disabled = true;
  try {
    return (await act()) !== false;
  } catch (error) {
    complain(dialog, error.message);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function complain(dialog, text) {
  dialog.querySelector(".error").textContent = text;
}

/**
 * The dialog of deletion, in two steps: what would happen, in counts, and only then the
 * deletion itself. Another choice or password begins anew.
 */
export function prepareDeletion(dialog, { remove, onDeleted }) {
  const preview = byId("delete-preview");
  const look = byId("delete-look");
  const really = byId("delete-really");
  const form = dialog.querySelector("form");

  function beginAnew() {
    preview.hidden = true;
    really.hidden = true;
    look.hidden = false;
  }

  function chosen(dryRun) {
    const fields = new FormData(form);
    return {
      inbox: fields.get("inbox"),
      outbox: fields.get("outbox"),
      password: byId("delete-password").value,
      dryRun,
    };
  }

  form.addEventListener("input", beginAnew);
  dialog.addEventListener("close", beginAnew);
  onSubmit(dialog, async () => {
    if (!look.hidden) {
      const counts = await remove(chosen(true));
      preview.replaceChildren(make("strong", "", "This would happen now:"), listOf(counts));
      preview.hidden = false;
      look.hidden = true;
      really.hidden = false;
      queueMicrotask(() => dialog.querySelector("[data-cancel]").focus());
    }
    return false;
  });
  really.addEventListener("click", async () => {
    const isDone = await attempt(dialog, async () => onDeleted(await remove(chosen(false))));
    if (isDone) dialog.close();
  });
}

/** What a deletion does, or did, line by line. */
export function linesOf({ delivered, discarded, bounces, kept, retracted, dryRun }) {
  const told = (count, what) => {
    const verb = dryRun ? "would be" : count === 1 ? "was" : "were";
    return count ? [`${count} ${count === 1 ? "message" : "messages"} ${verb} ${what}.`] : [];
  };
  return [
    dryRun ? "Your account would be gone, and its name free." : "Your account is gone, and its name free.",
    ...told(delivered, "delivered to you first"),
    ...told(discarded, `discarded; notices to their senders: ${bounces}`),
    ...told(kept, "kept for their recipients"),
    ...told(retracted, "taken back"),
  ];
}

function listOf(counts) {
  const list = make("ul");
  for (const line of linesOf(counts)) list.append(make("li", "", line));
  return list;
}
