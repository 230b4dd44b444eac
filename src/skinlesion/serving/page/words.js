// Numbers as a reader wants them.

export const count = (n) => n.toLocaleString("en-GB");

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** A probability as "4 in 1,000", as the service says it. Only rare ones get a larger whole. */
export function inWords(p) {
  const whole = [1e3, 1e4, 1e5].find((n) => Math.round(p * n) > 0);
  if (!whole) return "fewer than 1 in 100,000";
  const n = Math.round(p * whole);
  return n === whole && p < 1
    ? `more than ${count(n - 1)} in ${count(n)}`
    : `${count(n)} in ${count(whole)}`;
}

/** A share as "93 %"; with one decimal where whole ones would all read 100 or 0. */
export function percent(share) {
  const value = 100 * share;
  const digits = (value > 99 && value < 100) || (value > 0 && value < 1) ? 1 : 0;
  return `${value.toFixed(digits)}\u00a0%`;
}

/** The limits of an interval as "88–97 %". */
export const limits = (low, high) => `${percent(low).slice(0, -2)}–${percent(high)}`;

/** What a sum on the logit does to the odds: "× 1.2" or "÷ 1.3". */
export function odds(contribution) {
  const factor = Math.exp(Math.abs(contribution));
  const text = factor < 10 ? factor.toFixed(factor < 1.095 ? 2 : 1) : count(Math.round(factor));
  return `${contribution < 0 ? "÷" : "×"}\u00a0${text}`;
}

/** A value of the table, numbers to three digits. */
export function value(given) {
  if (given == null || given === "" || Number.isNaN(given)) return "not known";
  if (typeof given !== "number") return String(given);
  const short =
    Math.abs(given) < 1000 ? String(Number(given.toPrecision(3))) : count(Math.round(given));
  return short.replace("-", "−");
}

/** The first of some names, and how many more there are. */
export function some(names, n = 5) {
  const rest = names.length - n;
  return names.slice(0, n).join(", ") + (rest > 0 ? ` and ${count(rest)} more` : "");
}

const logit = (p) => Math.log(p / (1 - p));
const risk = (x) => 1 / (1 + Math.exp(-x));

/** The probabilities one standard deviation of the logit below and above. */
export const range = (p, sd) => [risk(logit(p) - sd), risk(logit(p) + sd)];
