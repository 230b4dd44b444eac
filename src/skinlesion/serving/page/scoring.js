// The second step: patients are scored one by one. A refusal of one does not stop the others.

import { joined } from "./lesions.js";
import { count } from "./words.js";

const HOPELESS = [0, 401]; // no answer, no token: it would be so for the others

/**
 * Score patients.
 * `most`: how many tiles a request may have. `onPatient(patient, i)` is called before each.
 * Gives {lesions, refused, warnings, cancelled}; refused is [{patient, error}].
 */
export async function score(service, patients, { most, signal, onPatient }) {
  const [lesions, refused, warnings] = [[], [], new Set()];
  for (const [i, patient] of patients.entries()) {
    onPatient(patient, i);
    try {
      if (patient.rows.length > most) throw new TooMany(patient.rows.length, most);
      const answer = await service.patient(patient, signal);
      lesions.push(...joined(patient, answer));
      for (const line of answer.warnings ?? []) warnings.add(line);
    } catch (error) {
      if (error.name === "AbortError") break;
      refused.push({ patient, error });
      if (HOPELESS.includes(error.status)) break;
    }
  }
  return { lesions, refused, warnings: [...warnings], cancelled: signal.aborted };
}

class TooMany extends Error {
  constructor(found, most) {
    super("Too many lesions of a patient for one request");
    this.detail = [{ field: "tiles", expected: `at most ${count(most)}`, found: count(found) }];
  }
}
