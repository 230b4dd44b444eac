// A card of the gallery: the tile of a lesion, and what is said of it in short.

import { make, showFile } from "./dom.js";
import { marks, place, reasons } from "./lesions.js";
import { odds, plural } from "./words.js";

const PRINTED = 2; // reasons for, and as many against
const size = ({ contribution }) => Math.abs(contribution);

/**
 * Make a card: {lesion, button, beyond}, beyond being what says that it is beyond the look budget.
 * `named`: with the patient's name. `points`: how many operating points there are.
 */
export function makeCard(lesion, { named, points }) {
  const beyond = make("span", { class: "unseen", text: "beyond the look budget", hidden: true });
  const button = make(
    "button",
    { type: "button", class: "card", tabindex: -1, "data-id": lesion.isic_id },
    picture(lesion),
    make("b", { class: "risk", text: lesion.in_words }),
    make("span", { text: place(lesion) }),
    make("small", { text: lesion.isic_id }),
    named ? make("small", { text: lesion.patient_id }) : null,
    passed(lesion, points),
    ...marks(lesion).map(({ name }) => make("span", { class: "mark", text: name })),
    beyond,
    printed(lesion),
  );
  return { lesion, button, beyond };
}

function picture(lesion) {
  if (!lesion.tile || lesion.unreadable) {
    return make("span", { class: "tile none", text: "no tile that can be read" });
  }
  const img = make("img", { class: "tile", alt: `Tile of ${lesion.isic_id}.`, decoding: "async" });
  showFile(img, lesion.tile);
  return img;
}

function passed(lesion, points) {
  if (!points) return null;
  const n = lesion.operating_points.length;
  const pips = Array.from({ length: points }, (_, i) =>
    make("i", { class: i < n ? "pip" : "pip off" }),
  );
  const text = `passes ${n} of ${plural(points, "operating point")}`;
  return make(
    "span",
    { class: "passed" },
    make("span", { class: "pips", "aria-hidden": "true" }, ...pips),
    make("span", { class: "unseen", text }),
  );
}

/** On paper there is no panel, so a card says the most of what speaks for and against. */
function printed(lesion) {
  const strongest = reasons(lesion).sort((a, b) => size(b) - size(a));
  const side = (name, sign) => {
    const some = strongest.filter((reason) => sign * reason.contribution > 0).slice(0, PRINTED);
    const said = some.map(({ label, contribution }) => `${label} (${odds(contribution)})`);
    return said.length ? `${name}: ${said.join(", ")}` : "";
  };
  const [pro, con] = [side("For", 1), side("Against", -1)];
  const explained = marks(lesion).map(({ name, why }) => `${name}: ${why}`);
  return make("small", {
    class: "printed",
    text: [pro, con, ...explained].filter(Boolean).join(". "),
  });
}
