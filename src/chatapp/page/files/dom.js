// Elements, made without any markup: what people write is text and nothing else.

const HUES = 6;

export const byId = (id) => document.getElementById(id);

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** Have an avatar stand for a name: its first letter, and a hue of its own. */
export function paint(avatar, name) {
  const sum = [...name].reduce((total, it) => total + it.codePointAt(0), 0);
  avatar.className = `avatar hue-${sum % HUES}`;
  avatar.textContent = [...name][0] ?? "";
  return avatar;
}

/** Text that may change often, written only where it has. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
