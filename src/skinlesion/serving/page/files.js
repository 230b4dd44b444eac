// What a user drops or chooses: tables, tiles, and what is neither.

import { parse } from "./csv.js";
import { openTiles } from "./hdf5.js";
import { some } from "./words.js";

const TABLE = /\.csv$/i;
const TILE = /\.(jpe?g|png)$/i;
const HDF5 = /\.(hdf5|h5)$/i;
// Of the tables in a challenge folder, the one to be scored.
const PREFERRED = /^test-metadata\.csv$/i;

/** All that was chosen so far. */
export class Chosen {
  tables = new Map(); // File by name
  tiles = new Map(); // File or Blob by isic_id
  unused = []; // why a file is, one sentence each

  async add(files) {
    for (const file of files) {
      if (TABLE.test(file.name)) this.tables.set(file.name, file);
      else if (TILE.test(file.name)) this.tiles.set(file.name.replace(TILE, ""), file);
      else if (HDF5.test(file.name)) await this.#addHdf5(file);
      else if (!file.name.startsWith(".")) this.unused.push(`${file.name} is no table and no tile`);
    }
  }

  async #addHdf5(file) {
    try {
      for (const [isicId, tile] of await openTiles(file)) this.tiles.set(isicId, tile);
    } catch (error) {
      this.unused.push(error.message);
    }
  }

  /** Names of the tables, the one to be scored first. */
  tableNames() {
    const rank = (name) => (PREFERRED.test(name) ? 0 : 1);
    return [...this.tables.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  }

  /**
   * Read a table, and group its rows by patient, in the table's order.
   * A patient: {id, columns, rows, isicIds, tiles}, tiles by isic_id, of the rows that have one.
   */
  async patients(tableName) {
    const { columns, rows } = parse(await this.tables.get(tableName).text());
    const lesion = columns.indexOf("isic_id");
    const patient = columns.indexOf("patient_id");
    if (lesion < 0) {
      throw new Error(`${tableName} must have a column isic_id; it has ${some(columns)}`);
    }
    if (!rows.length) throw new Error(`${tableName} has no rows`);
    const found = new Map();
    for (const row of rows) {
      // The service takes ids without the spaces around them.
      const id = patient < 0 ? "" : row[patient].trim();
      const isicId = row[lesion].trim();
      if (!found.has(id)) found.set(id, { id, columns, rows: [], isicIds: [], tiles: new Map() });
      const { rows: own, isicIds, tiles } = found.get(id);
      own.push(row);
      isicIds.push(isicId);
      if (this.tiles.has(isicId)) tiles.set(isicId, this.tiles.get(isicId));
    }
    return [...found.values()];
  }
}

/** The files of a drop, those within folders, too. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader hands out a hundred entries at a time, and none at the end.
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}

/** A row as JSON: numbers as numbers, empty cells as null. */
export function asObject(columns, row) {
  const value = (name, cell) => {
    if (cell === "") return null;
    if (name === "isic_id" || name === "patient_id") return cell;
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(cell) ? Number(cell) : cell;
  };
  return Object.fromEntries(columns.map((name, i) => [name, value(name, row[i])]));
}
