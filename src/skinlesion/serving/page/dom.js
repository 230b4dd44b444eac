// Elements, made without any text being read as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Make an element. `attributes` are set as such, but for text, and on: {event: handler}. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function makeSvg(tag, attributes = {}) {
  return filled(document.createElementNS(SVG, tag), attributes, []);
}

function filled(element, { text, on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const [event, handler] of Object.entries(on)) element.addEventListener(event, handler);
  if (text != null) element.textContent = text;
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Say what goes on; screen readers read it out. */
export function say(text) {
  byId("status").textContent = text;
}

/** Put sentences into a list. */
export function list(id, sentences) {
  const items = sentences.map((text) => make("li", { text: `${text.replace(/\.$/, "")}.` }));
  byId(id).replaceChildren(...items);
}

/** Show a file in an image. Its URL is revoked as soon as the picture is there. */
export function showFile(img, file) {
  const url = URL.createObjectURL(file);
  const revoke = () => URL.revokeObjectURL(url);
  img.addEventListener("load", revoke, { once: true });
  img.addEventListener("error", revoke, { once: true });
  img.src = url;
}

/** Hand a text to the user as a file. */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
