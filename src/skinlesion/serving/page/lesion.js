// The panel of one lesion: its tile, where the network looks, and what is said of it.

import { byId, make } from "./dom.js";
import { marks, place, reasons } from "./lesions.js";
import { Looking } from "./looking.js";
import { inWords, odds, value } from "./words.js";

export class Panel {
  #place = byId("lesion");
  #looking;
  #onClose;
  #lesion = null;

  /** `askMap(lesion, signal)` gives a map; `onClose()` gives the focus back. */
  constructor({ askMap, onClose }) {
    this.#looking = new Looking(askMap);
    this.#onClose = onClose;
    this.#place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#onClose();
    });
  }

  /** Show a lesion, as judged at the operating points of the model. */
  show(lesion, points) {
    if (lesion === this.#lesion) return;
    this.hide();
    this.#lesion = lesion;
    this.#place.hidden = false;
    this.#place.scrollTop = 0;
    const close = { type: "button", class: "close", text: "Close", on: { click: this.#onClose } };
    this.#place.append(
      make("h3", { id: "lesion-heading", tabindex: -1, text: lesion.isic_id }),
      make("button", close),
      ...(lesion.tile && !lesion.unreadable ? [this.#looking.figure(lesion)] : []),
      risk(lesion),
      ...marked(lesion),
      ...reasoned(lesion),
      ...judged(lesion, points),
    );
  }

  hide() {
    this.#looking.stop();
    this.#lesion = null;
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  focus() {
    byId("lesion-heading")?.focus();
  }
}

function risk(lesion) {
  const where = lesion.patient_id ? `, patient ${lesion.patient_id}` : "";
  const members = Object.entries(lesion.members ?? {}).filter(([, p]) => p != null);
  const alone = members.map(([name, p]) => `${name} ${inWords(p)}`).join(", ");
  return make(
    "p",
    { class: "verdict" },
    make("b", { class: "risk", text: lesion.in_words }),
    make("span", { text: `${place(lesion)}${where}` }),
    alone ? make("small", { text: `Each by itself, before calibration: ${alone}.` }) : null,
  );
}

function marked(lesion) {
  return marks(lesion).map(({ name, why }) =>
    make("p", { class: "caution" }, make("b", { class: "mark", text: name }), ` ${why}.`),
  );
}

/** The table expert's contributions as bars: to the right for cancer, to the left against. */
function reasoned(lesion) {
  const found = reasons(lesion);
  if (!found.length) return [];
  const limit = Math.max(...found.map((r) => Math.abs(r.contribution)));
  const items = found.map((reason) => {
    const { label, contribution } = reason;
    const side = contribution > 0 ? "for" : "against";
    const bar = make("span", { class: `bar ${side}` });
    bar.style.setProperty("--length", Math.abs(contribution) / limit);
    return make(
      "li",
      {},
      make("span", { class: "label" }, label, make("small", { text: ` ${value(reason.value)}` })),
      make("span", { class: "axis", "aria-hidden": "true" }, bar),
      make(
        "span",
        { class: "odds" },
        make("span", { class: "unseen", text: `speaks ${side}: odds ` }),
        odds(contribution),
      ),
    );
  });
  return [
    make("h4", { text: "What the table says" }),
    make(
      "p",
      { class: "ends", "aria-hidden": "true" },
      make("span", { text: "against" }),
      make("span", { text: "for cancer" }),
    ),
    make("ul", { class: "reasons" }, ...items),
    make("p", {
      class: "note",
      text: "Each number’s part in the table’s score, as the factor by which it changes the odds.",
    }),
  ];
}

function judged(lesion, points) {
  if (!points.length) return [];
  const items = points.map(({ name, threshold }) => {
    const passes = lesion.operating_points.includes(name);
    return make(
      "li",
      { class: passes ? "yes" : "no" },
      make("span", { text: passes ? "passed" : "not passed" }),
      make("span", { text: `${name}, from ${inWords(threshold)}` }),
    );
  });
  return [make("h4", { text: "Operating points" }), make("ul", { class: "judged" }, ...items)];
}
