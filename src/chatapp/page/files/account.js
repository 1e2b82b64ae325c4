// The menu of an account, and what its dialogs do.

import { onSubmit, prepareDeletion, show } from "./dialogs.js";
import { byId, say } from "./dom.js";

/** Have the menu and its dialogs act on whom `current` gives: the view of who is here. */
export function prepareAccount(current) {
  document.addEventListener("click", ({ target }) => {
    const isButton = Boolean(target.closest("#menu-button"));
    openMenu(isButton && !isMenuOpen());
  });
  for (const item of document.querySelectorAll("[data-dialog]")) {
    item.addEventListener("click", () => {
      const { unsent } = current();
      byId("unsent").hidden = !unsent;
      say(byId("unsent"), `Not sent yet, and lost then: ${unsent} of your messages.`);
      show(byId(item.dataset.dialog));
    });
  }
  onSubmit(byId("password-dialog"), () => current().changePassword(byId("old-password").value, byId("new-password").value));
  onSubmit(byId("logout-dialog"), () => current().logOut({ forgets: byId("forget").checked }));
  onSubmit(byId("deleted-dialog"), () => current().forget());
  prepareDeletion(byId("delete-dialog"), {
    remove: (options) => current().remove(options),
    onDeleted: (counts) => current().deleted(counts),
  });
}

export function isMenuOpen() {
  return !byId("menu").hidden;
}

export function openMenu(isOpen) {
  byId("menu").hidden = !isOpen;
  byId("menu-button").setAttribute("aria-expanded", String(isOpen));
}

/** Close all that is open. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  openMenu(false);
}
