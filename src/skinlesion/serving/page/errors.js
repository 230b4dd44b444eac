// Refusals, as a table: where, what was expected, what was found.

import { byId, make } from "./dom.js";
import { table } from "./parts.js";
import { plural, some } from "./words.js";

/** Show refusals, [{patient, error}]; those of one kind together. */
export function showProblems(refused) {
  const kinds = new Map();
  for (const { patient, error } of refused) {
    const kind = JSON.stringify([error.message, error.detail]);
    if (!kinds.has(kind)) kinds.set(kind, { error, patients: [] });
    if (patient) kinds.get(kind).patients.push(patient.id || "the patient");
  }
  byId("errors").replaceChildren(...[...kinds.values()].flatMap(problem));
}

function problem({ error, patients }) {
  const whom =
    patients.length > 1
      ? `${plural(patients.length, "patient")} were not scored: `
      : "Not scored: ";
  return [
    make("h3", { text: `${error.message}.` }),
    patients.length ? make("p", { text: `${whom}${some(patients, 3)}.` }) : null,
    error.detail?.length ? table(null, ["Where", "Expected", "Found"], rows(error.detail)) : null,
  ].filter(Boolean);
}

const rows = (detail) =>
  detail.map(({ field, expected, found }) => [
    make("code", { text: field || "the request" }),
    expected,
    found,
  ]);
