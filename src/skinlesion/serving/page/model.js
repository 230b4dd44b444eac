// The model: which one it is, what it needs, where its limits are, and its card.

import { byId, make } from "./dom.js";
import { definitions, part, sentence, table, title } from "./parts.js";
import { count, inWords, limits, percent, value } from "./words.js";

// Of the card: what the page shows elsewhere.
const SHOWN = ["name", "notice", "operating_points", "look_budget"];
const OPEN = ["intended_use", "out_of_scope", "limits"];

/** Say all that the service says of its model. */
export function showModel(model) {
  const { name, version, checksum, notice, operating_points, columns, card } = model;
  if (notice) byId("notice").textContent = sentence(notice);
  byId("model-card").replaceChildren(
    definitions({
      Name: name,
      Version: version,
      "Checksum (SHA-256)": make("code", { text: checksum }),
    }),
    ...(operating_points?.length ? [pointsTable(operating_points)] : []),
    ...(columns?.length
      ? [folded("Columns of the table that it reads", columnsTable(columns))]
      : []),
    ...(model.limits ? [folded("Limits of a request", definitions(ofRequest(model.limits)))] : []),
    ...Object.entries(card ?? {})
      .filter(([key]) => !SHOWN.includes(key))
      .map(([key, given]) => folded(title(key), part(given), OPEN.includes(key))),
  );
}

function folded(name, content, open = false) {
  return make("details", { open }, make("summary", { text: name }), content);
}

function pointsTable(points) {
  const rate = (point, key) => {
    if (point[key] == null) return "–";
    const [low, high] = [point[`${key}_low`], point[`${key}_high`]];
    return percent(point[key]) + (low == null ? "" : ` (${limits(low, high)})`);
  };
  const rows = points.map((point) => [
    point.name,
    inWords(point.threshold),
    rate(point, "sensitivity"),
    rate(point, "specificity"),
  ]);
  return table(
    "Operating points, as evaluation measured them",
    ["Point", "From a risk of", "Sensitivity", "Specificity"],
    rows,
  );
}

function columnsTable(columns) {
  const rows = columns.map((column) => [
    make("code", { text: column.name }),
    column.kind,
    column.unit ?? "",
    values(column),
    (column.members ?? []).join(", "),
  ]);
  return table(
    "A column that is absent is an error that names it",
    ["Column", "Kind", "Unit", "Values", "Read by"],
    rows,
  );
}

function values({ low, high, categories }) {
  if (categories?.length) return categories.join(", ");
  if (low != null && high != null) return `${value(low)} to ${value(high)}`;
  if (low != null) return `${value(low)} or more`;
  return high == null ? "" : `${value(high)} or less`;
}

function ofRequest({ tile_bytes, tile_px, tiles, body_bytes, seconds, requests }) {
  const of = (n, unit) => (n == null ? null : `${count(n)} ${unit}`);
  return {
    "A tile": [of(tile_bytes, "bytes"), of(tile_px, "pixels, width times height")]
      .filter(Boolean)
      .join(", "),
    "Tiles in one request": of(tiles, "tiles"),
    "All of a request": of(body_bytes, "bytes"),
    "Time of a request": of(seconds, "seconds"),
    "Requests at once": of(requests, "requests"),
  };
}
