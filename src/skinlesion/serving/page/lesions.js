// Scored lesions: what is said of them, their order, and the list as a file.

import { format } from "./csv.js";
import { asObject } from "./files.js";
import { count, inWords, range } from "./words.js";

// From one model to the next, the odds differ at least twofold.
const UNCERTAIN = Math.LN2;
const EACH_SIDE = 4; // reasons that are shown

/** The lesions of an answer, each with its row and its tile. */
export function joined(patient, answer) {
  const places = new Map(patient.isicIds.map((isicId, i) => [isicId, i]));
  return answer.lesions.map((lesion) => {
    const row = asObject(patient.columns, patient.rows[places.get(lesion.isic_id)]);
    const tile = patient.tiles.get(lesion.isic_id) ?? null;
    return { ...lesion, patient_id: patient.id, row, tile, bundle: answer.bundle };
  });
}

/** The rank in words. */
export const place = ({ rank, n_lesions }) =>
  rank == null
    ? `not ranked, of ${count(n_lesions)}`
    : `rank ${count(rank)} of ${count(n_lesions)}`;

/** What to be careful about: [{name, why}]. */
export function marks(lesion) {
  const found = [];
  if (lesion.unreadable) found.push({ name: "no tile", why: `${lesion.unreadable}` });
  if (lesion.uncertainty >= UNCERTAIN) {
    const [low, high] = range(lesion.probability, lesion.uncertainty).map(inWords);
    found.push({ name: "uncertain", why: `from one model to the next, about ${low} to ${high}` });
  }
  if (lesion.shift?.length) {
    found.push({ name: "unlike the training data", why: lesion.shift.join("; ") });
  }
  return found;
}

/** The strongest of what speaks for it, then of what speaks against it, the strongest last. */
export function reasons(lesion) {
  const all = [...(lesion.reasons ?? [])].sort((a, b) => b.contribution - a.contribution);
  const pro = all.filter((reason) => reason.contribution > 0);
  const con = all.filter((reason) => reason.contribution < 0);
  return [...pro.slice(0, EACH_SIDE), ...con.slice(-EACH_SIDE)];
}

/** Whether a lesion is one to look at. One that could not be ranked always is. */
export const within = (lesion, budget) => lesion.rank == null || lesion.rank <= budget;

// What has no probability comes first: nothing says that it is harmless.
const risk = ({ probability }) => probability ?? Infinity;
const byRisk = (a, b) => {
  if (risk(a) !== risk(b)) return risk(b) - risk(a);
  return a.rank - b.rank || (a.isic_id < b.isic_id ? -1 : 1);
};

/** Sort lesions by risk; or patient by patient, the patient with the highest risk first. */
export function sorted(lesions, order) {
  const all = [...lesions].sort(byRisk);
  if (order === "risk") return all;
  const patients = new Map();
  for (const lesion of all) {
    if (!patients.has(lesion.patient_id)) patients.set(lesion.patient_id, []);
    patients.get(lesion.patient_id).push(lesion);
  }
  return [...patients.values()].flat();
}

const COLUMNS = {
  isic_id: (l) => safe(l.isic_id),
  patient_id: (l) => safe(l.patient_id),
  probability: (l) => l.probability,
  in_words: (l) => l.in_words,
  rank: (l) => l.rank,
  n_lesions: (l) => l.n_lesions,
  within_look_budget: (l, budget) => Number(within(l, budget)),
  look_budget: (l, budget) => budget,
  operating_points: (l) => l.operating_points.join("; "),
  uncertainty: (l) => l.uncertainty,
  shift: (l) => (l.shift ?? []).join("; "),
  unreadable: (l) => safe(l.unreadable ?? ""),
  probability_network: (l) => l.members?.network,
  probability_table: (l) => l.members?.table,
  reasons: (l) =>
    reasons(l)
      .map((r) => `${r.label}: ${r.contribution}`)
      .join("; "),
  version: (l) => l.bundle.version,
  checksum: (l) => l.bundle.checksum,
};

// A text that a spreadsheet would take for a formula is marked as text.
const safe = (text) => (/^[=+@\-\t\r]/.test(text) ? `'${text}` : text);

/** The list as CSV, in the order given. */
export function asCsv(lesions, budget) {
  const cells = Object.values(COLUMNS);
  const rows = lesions.map((lesion) => cells.map((cell) => cell(lesion, budget)));
  return format([Object.keys(COLUMNS), ...rows]);
}
