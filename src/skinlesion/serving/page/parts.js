// The parts of a model card, whatever they are: texts as paragraphs, the rest by name.

import { make } from "./dom.js";
import { value } from "./words.js";

/** A key as a heading; names of files and versions stay as they are. */
export const title = (key) =>
  /^[a-z_]+$/.test(key)
    ? sentence(key.replace(/^n_/, "number of ").replaceAll("_", " ")).slice(0, -1)
    : key;

/** A text with a capital and a full stop. */
export const sentence = (text) =>
  text.replace(/^./, (c) => c.toUpperCase()).replace(/[^.]$/, "$&.");

/** A table: the first cell of a row names it. Cells are texts or elements. */
export function table(caption, heads, rows) {
  const cell = (content, i) =>
    make(i ? "td" : "th", i ? { "data-label": heads[i] } : { scope: "row" }, content);
  return make(
    "table",
    { class: "rows" },
    caption && make("caption", { text: caption }),
    make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

/** Names and what they stand for. */
export function definitions(pairs) {
  const known = Object.entries(pairs).filter(([, given]) => given != null);
  const items = known.map(([name, given]) => [make("dt", { text: name }), make("dd", {}, given)]);
  return make("dl", {}, ...items.flat());
}

/** Any part. */
export function part(given) {
  if (Array.isArray(given)) return list(given);
  if (!isRecord(given)) return make("p", { text: text(given) });
  const pairs = Object.entries(given).map(([key, inner]) => [title(key), part(inner)]);
  return definitions(Object.fromEntries(pairs));
}

function list(items) {
  if (items.length && items.every(isRecord)) {
    const keys = Object.keys(items[0]);
    return table(
      null,
      keys.map(title),
      items.map((item) => keys.map((key) => text(item[key]))),
    );
  }
  return make("ul", {}, ...items.map((item) => make("li", { text: text(item) })));
}

const isInterval = (given) => given != null && typeof given === "object" && "low" in given;
const isRecord = (given) => given != null && typeof given === "object" && !isInterval(given);

function text(given) {
  if (isInterval(given)) {
    const { value: middle, low, high } = given;
    return low == null ? value(middle) : `${value(middle)} (${value(low)} to ${value(high)})`;
  }
  if (isRecord(given)) return JSON.stringify(given);
  return typeof given === "boolean" ? (given ? "yes" : "no") : value(given);
}
