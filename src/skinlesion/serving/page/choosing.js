// The first step: files are chosen or dropped, and what will be scored is said.

import { byId, list, make, say } from "./dom.js";
import { Chosen } from "./files.js";
import { plural, some } from "./words.js";

export class Choosing {
  patients = [];
  #chosen = new Chosen();

  constructor() {
    byId("table").addEventListener("change", () => this.#read());
  }

  /** Take more files, beside those taken before. */
  async take(files) {
    if (!files.length) return;
    say(`Reading ${plural(files.length, "file")} …`);
    await this.#chosen.add(files);
    const names = this.#chosen.tableNames();
    byId("table").replaceChildren(
      ...names.map((name) => make("option", { value: name, text: name })),
    );
    byId("table-field").hidden = names.length < 2;
    await this.#read();
  }

  /** Forget all files. */
  clear() {
    this.#chosen = new Chosen();
    this.patients = [];
    byId("chosen").hidden = true;
    for (const id of ["drop", "needs"]) byId(id).hidden = false;
  }

  async #read() {
    const hints = [...this.#chosen.unused];
    this.patients = [];
    try {
      if (this.#chosen.tables.size)
        this.patients = await this.#chosen.patients(byId("table").value);
      else hints.push("The table is still to come: a CSV file with a row per lesion");
    } catch (error) {
      hints.push(error.message);
    }
    list("hints", [...hints, ...this.#unmatched()]);
    byId("found").textContent = this.#found();
    byId("chosen").hidden = false;
    byId("needs").hidden = this.patients.length > 0;
    say("");
    const ready = this.patients.some(({ tiles }) => tiles.size > 0);
    byId("score").disabled = !ready;
    if (ready) byId("score").focus();
  }

  #found() {
    const { patients } = this;
    const tiles = plural(this.#chosen.tiles.size, "tile");
    if (!patients.length) return `${tiles} chosen`;
    const rows = patients.reduce((sum, { rows }) => sum + rows.length, 0);
    return `${plural(rows, "lesion")} of ${plural(patients.length, "patient")}, ${tiles}`;
  }

  /** What of the rows and tiles has no counterpart. */
  #unmatched() {
    if (!this.patients.length) return [];
    const { tiles } = this.#chosen;
    const rows = this.patients.flatMap(({ isicIds }) => isicIds);
    const known = new Set(rows);
    const without = rows.filter((isicId) => !tiles.has(isicId));
    const spare = [...tiles.keys()].filter((isicId) => !known.has(isicId));
    return [
      without.length && `${plural(without.length, "row")} without a tile: ${some(without)}`,
      spare.length && `${plural(spare.length, "tile")} without a row, left out: ${some(spare)}`,
    ].filter(Boolean);
  }
}
