// Where the network looks: the drop of its logit under each hidden patch, as colours over the tile.

// Those of the report: vermilion and blue, which colour-blind people tell apart.
const WARM = [213, 94, 0];
const COOL = [0, 114, 178];
const MAX_OPACITY = 0.7; // so that the tile is still to be seen
const PLACES = [
  ["upper left", "top", "upper right"],
  ["left", "centre", "right"],
  ["lower left", "bottom", "lower right"],
];

/** Draw a map into a canvas, one pixel per patch; the browser smooths it to the tile's size. */
export function draw(canvas, { rows, columns, drop }) {
  const values = drop.flat();
  const limit = Math.max(...values.map(Math.abs)) || 1;
  const pixels = new ImageData(columns, rows);
  values.forEach((value, i) => {
    const opacity = (MAX_OPACITY * Math.abs(value)) / limit;
    pixels.data.set([...(value > 0 ? WARM : COOL), 255 * opacity], 4 * i);
  });
  [canvas.width, canvas.height] = [columns, rows];
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** What the map shows, in words. */
export function inWords({ rows, columns, drop }) {
  const values = drop.flat();
  const third = (i, n) => Math.floor((3 * i) / n);
  const said = (change, verb) => {
    const at = values.indexOf(change);
    const where = PLACES[third(Math.floor(at / columns), rows)][third(at % columns, columns)];
    return `at the ${where} ${verb} by up to ${Math.abs(change).toPrecision(2)}`;
  };
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const parts = [
    highest > 0 && said(highest, "lowers it"),
    lowest < 0 && said(lowest, "raises it"),
  ].filter(Boolean);
  if (!parts.length) return "No hidden patch changes the network’s logit.";
  return `The network’s logit: hiding a patch ${parts.join(", one ")}.`;
}
