// The look budget: how many lesions of each patient are looked at, and what that finds.

import { byId, makeSvg } from "./dom.js";
import { within } from "./lesions.js";
import { count, limits, percent, plural } from "./words.js";

const USUAL = 15; // lesions per patient
const hasLimits = ({ low, high }) => low != null && high != null;
const [WIDTH, HEIGHT] = [100, 40]; // of the drawing, stretched to the slider's

/** The slider. `onChange` is called with the budget. */
export class Budget {
  #slider = byId("budget");
  #measured = [];
  #lesions = [];

  constructor(onChange) {
    this.#slider.addEventListener("input", () => {
      this.#tell();
      onChange(this.n);
    });
  }

  get n() {
    return this.#slider.valueAsNumber;
  }

  /** Take the lesions that are on the page, and what evaluation measured: the look_budget. */
  show(lesions, measured) {
    this.#lesions = lesions;
    this.#measured = [...measured].sort((a, b) => a.n - b.n);
    const most = Math.max(1, ...lesions.map((lesion) => lesion.n_lesions));
    this.#slider.max = this.#measured.at(-1)?.n ?? most;
    this.#slider.value = USUAL;
    byId("budget-most").textContent = `${count(Number(this.#slider.max))} lesions of each patient`;
    this.#draw();
    this.#tell();
  }

  #tell() {
    const { n } = this;
    const asked = this.#lesions.filter((lesion) => within(lesion, n)).length;
    const total = `${count(asked)} of ${plural(this.#lesions.length, "lesion")} to look at`;
    const found = this.#measured.findLast((point) => point.n <= n);
    byId("budget-n").textContent = count(n);
    byId("budget-text").textContent = `${total}. ${this.#inEvaluation(found)}`;
    const sensitivity = found ? `, sensitivity ${percent(found.sensitivity)}` : "";
    this.#slider.setAttribute("aria-valuetext", `${plural(n, "lesion")} per patient${sensitivity}`);
    byId("curve")
      .querySelector(".here")
      ?.setAttribute("d", `M${this.#x(n)} 0V${HEIGHT}`);
  }

  #inEvaluation(found) {
    if (!found) return "What share of the cancers that finds was not measured.";
    const { n, sensitivity, low, high } = found;
    const interval = hasLimits(found) ? ` (${limits(low, high)})` : "";
    const looked =
      n === 1 ? "the most suspicious lesion" : `the ${count(n)} most suspicious lesions`;
    const share = `${percent(sensitivity)}${interval}`;
    return `In evaluation, ${looked} of a patient with cancer held ${share} of their cancers on average.`;
  }

  #x(n) {
    return (WIDTH * (n - 1)) / Math.max(1, this.#slider.max - 1);
  }

  #draw() {
    const y = (share) => HEIGHT * (1 - share);
    const line = (points, key) => points.map((p) => `${this.#x(p.n)} ${y(p[key])}`).join("L");
    const known = this.#measured.filter(hasLimits);
    const band = `M${line(known, "low")}L${line([...known].reverse(), "high")}Z`;
    const svg = byId("curve").querySelector("svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.replaceChildren(
      ...(known.length ? [makeSvg("path", { class: "band", d: band })] : []),
      ...(this.#measured.length
        ? [makeSvg("path", { class: "line", d: `M${line(this.#measured, "sensitivity")}` })]
        : []),
      makeSvg("path", { class: "here" }),
    );
    byId("curve").hidden = !this.#measured.length;
  }
}
