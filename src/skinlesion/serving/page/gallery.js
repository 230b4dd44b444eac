// The gallery: a card per lesion. Arrow keys go from card to card, one of which takes the focus.

import { makeCard } from "./card.js";
import { byId, make } from "./dom.js";
import { within } from "./lesions.js";
import { count, plural } from "./words.js";

const AT_ONCE = 60; // cards, so that a page of thousands stays quick

export class Gallery {
  #place = byId("gallery");
  #more = byId("more");
  #cards = []; // {lesion, button}, in the order shown
  #current = null;
  #onSelect;
  #onOpen;

  /** `onSelect(lesion)` when a card is gone to, `onOpen()` when it is to be read. */
  constructor({ onSelect, onOpen }) {
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.#place.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /**
   * Show lesions, with a heading per patient if asked. How many patients and operating points there
   * are decides what a card must say.
   */
  show(lesions, { budget, byPatient, patients, points }) {
    this.#cards = [];
    this.#current = null;
    this.#place.replaceChildren();
    let shown = 0;
    const next = () => {
      const some = lesions.slice(shown, shown + AT_ONCE);
      this.#append(some, { byPatient, patients, points });
      shown += some.length;
      this.setBudget(budget);
      const rest = lesions.length - shown;
      this.#more.hidden = !rest;
      byId("cut").textContent = rest
        ? `The first ${count(shown)} of ${count(lesions.length)}.`
        : "";
      this.#more.textContent = `Show ${count(Math.min(rest, AT_ONCE))} more of ${count(rest)}`;
      return some.length;
    };
    next();
    this.#more.onclick = () => {
      const first = this.#cards.length;
      next();
      this.#go(first);
    };
    if (this.#cards.length) this.#cards[0].button.tabIndex = 0;
  }

  /** Grey out what lies beyond the look budget. */
  setBudget(budget) {
    for (const { lesion, button, beyond } of this.#cards) {
      const out = !within(lesion, budget);
      button.classList.toggle("beyond", out);
      beyond.hidden = !out;
    }
  }

  /** Select the first card without moving the focus. */
  selectFirst() {
    if (this.#cards.length) this.#select(this.#cards[0]);
  }

  focusCurrent() {
    this.#current?.button.focus();
  }

  #append(lesions, { byPatient, patients, points }) {
    let list = this.#place.lastElementChild;
    for (const lesion of lesions) {
      const patient = byPatient ? lesion.patient_id : "";
      if (list?.dataset.patient !== patient) {
        const heading = `${patient || "Patient"}: ${plural(lesion.n_lesions, "lesion")}`;
        if (byPatient) this.#place.append(make("h3", { text: heading }));
        list = make("ol", { class: "tiles", "data-patient": patient });
        this.#place.append(list);
      }
      const card = makeCard(lesion, { named: patients > 1 && !byPatient, points });
      card.button.addEventListener("focus", () => this.#select(card));
      card.button.addEventListener("click", () => {
        card.button.focus();
        this.#onSelect(lesion);
      });
      list.append(make("li", {}, card.button));
      this.#cards.push(card);
    }
  }

  #select(card) {
    if (card === this.#current) return;
    for (const { button } of this.#cards) {
      button.tabIndex = button === card.button ? 0 : -1;
      button.toggleAttribute("aria-current", false);
    }
    card.button.setAttribute("aria-current", "true");
    this.#current = card;
    this.#onSelect(card.lesion);
  }

  #go(index) {
    this.#cards.at(Math.min(index, this.#cards.length - 1))?.button.focus();
  }

  #onKey(event) {
    const here = this.#cards.indexOf(this.#current);
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = {
      ArrowRight: () => here + 1,
      ArrowLeft: () => Math.max(0, here - 1),
      ArrowDown: () => this.#beside(here, 1),
      ArrowUp: () => this.#beside(here, -1),
      Home: () => 0,
      End: () => this.#cards.length - 1,
    }[event.key];
    if (to) this.#go(to());
    else if (event.key === "Enter") this.#onOpen();
    else return;
    event.preventDefault();
  }

  /** The card above (-1) or below (1), as it stands on the screen. */
  #beside(here, step) {
    const place = (i) => this.#cards[i].button.getBoundingClientRect();
    const { top, left } = place(here);
    let [best, row] = [here, null];
    for (let i = here + step; i >= 0 && i < this.#cards.length; i += step) {
      const other = place(i);
      if (Math.abs(other.top - top) < 1) continue;
      row ??= other.top;
      if (Math.abs(other.top - row) >= 1) break;
      const nearer =
        best === here || Math.abs(other.left - left) < Math.abs(place(best).left - left);
      if (nearer) best = i;
    }
    return best;
  }
}
