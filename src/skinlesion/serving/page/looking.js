// The tile of a lesion, and on a click the map of where the network looks, over it.

import { make, showFile } from "./dom.js";
import { draw, inWords } from "./occlusion.js";

export class Looking {
  #askMap;
  #maps = new WeakMap(); // by lesion, so that each is asked for once
  #pending = null;

  /** `askMap(lesion, signal)` gives a map. */
  constructor(askMap) {
    this.#askMap = askMap;
  }

  /** Wait for a map no longer. */
  stop() {
    this.#pending?.abort();
  }

  /** The tile, with a button for its map. */
  figure(lesion) {
    const img = make("img", { class: "tile", alt: `Tile of ${lesion.isic_id}.` });
    showFile(img, lesion.tile);
    const canvas = make("canvas", { class: "map", hidden: true, role: "img" });
    const button = make("button", {
      type: "button",
      "aria-pressed": "false",
      text: "Where the network looks",
    });
    const said = make("div", { role: "status" });
    const stack = make("div", { class: "stack" }, img, canvas);
    button.addEventListener("click", () => this.#toggle(lesion, { stack, canvas, button, said }));
    return make("figure", {}, stack, make("p", { class: "actions" }, button), said);
  }

  async #toggle(lesion, { stack, canvas, button, said }) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    if (!on) this.stop();
    const map = on ? await this.#map(lesion, said) : null;
    const shown = map !== null && button.getAttribute("aria-pressed") === "true";
    if (on && !map) button.setAttribute("aria-pressed", "false");
    canvas.hidden = !shown;
    stack.classList.toggle("mapped", shown);
    if (!on) said.replaceChildren();
    if (!shown) return;
    draw(canvas, map);
    canvas.setAttribute("aria-label", `Map of ${lesion.isic_id}: where the network looks.`);
    said.replaceChildren(legend(), make("p", { class: "note", text: inWords(map) }));
  }

  /** The map of a lesion; null where there is none, which is said. */
  async #map(lesion, said) {
    if (this.#maps.has(lesion)) return this.#maps.get(lesion);
    said.replaceChildren(make("p", { class: "note", text: "Hiding the tile patch by patch …" }));
    this.#pending = new AbortController();
    try {
      const map = await this.#askMap(lesion, this.#pending.signal);
      this.#maps.set(lesion, map);
      return map;
    } catch (error) {
      if (error.name === "AbortError") said.replaceChildren();
      else said.replaceChildren(make("p", { class: "problem", text: refusal(error) }));
      return null;
    }
  }
}

function refusal(error) {
  const why = (error.detail ?? []).map(({ field, expected, found }) =>
    [field, expected && `expected ${expected}`, found && `found ${found}`]
      .filter(Boolean)
      .join(", "),
  );
  return [error.message, ...why].join(". ");
}

function legend() {
  return make(
    "div",
    { class: "legend" },
    make("div", { class: "ramp" }),
    make(
      "div",
      { class: "ends" },
      make("span", { text: "hiding it raises the score" }),
      make("span", { text: "hiding it lowers the score" }),
    ),
  );
}
