// CSV as RFC 4180 has it: commas, quotes doubled within quotes. Cells stay the texts they are.

const CELL = /("(?:[^"]|"")*"|(?!")[^,\r\n]*)(,|\r\n|\n|\r|$)/y;

/** Read a table: its columns, and its rows as arrays of texts. Empty lines are left out. */
export function parse(text) {
  const lines = [];
  let line = [];
  CELL.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  while (CELL.lastIndex < text.length) {
    const found = CELL.exec(text);
    if (!found) throw new Error(`line ${lines.length + 1} has a quote where none may be`);
    const [, cell, end] = found;
    line.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === ",") {
      if (CELL.lastIndex === text.length) line.push("");
      else continue;
    }
    if (line.length > 1 || line[0] !== "") lines.push(line);
    line = [];
  }
  if (line.length) lines.push(line);
  const [columns = [], ...rows] = lines;
  const odd = rows.findIndex((row) => row.length !== columns.length);
  if (odd >= 0) {
    const found = rows[odd].length;
    throw new Error(`row ${odd + 1} has ${found} cells, the first line ${columns.length} names`);
  }
  return { columns: columns.map((name) => name.trim()), rows };
}

/** Write lines of cells. */
export function format(lines) {
  return lines.map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
}

function quoted(cell) {
  const text = cell == null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
