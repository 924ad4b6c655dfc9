// The limits of a job that can be changed while it has not ended, each with what was wrong with it.
import { change } from "./api.js";
import { el } from "./views.js";

const FIELDS = [
  ["workers", "Workers", "8"],
  ["rate", "Rate", "60/min"],
  ["timeout", "Timeout", "30s"],
  ["max_attempts", "Attempts", "4"],
  ["max_failures", "Failures at which it pauses", "20 or 5%"],
  ["deadline", "Time at which it pauses", "8h"],
];
/** States in which nothing is changed any more. */
const ENDED = ["completed", "failed", "cancelled"];

/** What was refused, by job and field: it stays until the field is set again. @type {Map<string, {typed: string, message: string}>} */
const refused = new Map();

/** @param {any} job */
export const canBeSet = (job) => !ENDED.includes(job.job_status);

/** Forgets what was refused on another page. */
export const forget = () => refused.clear();

/**
 * A field for each setting, with its present value and a button of its own.
 * @param {any} job @param {Record<string, string>} settings @param {{tell: (text: string) => void, show: () => void}} page
 */
export function settingsOf(job, settings, { tell, show }) {
  const path = `/api/v1/jobs/${job.job.id}/settings`;
  return el("div", { class: "settings", role: "group", "aria-label": "Settings" }, FIELDS.map(([name, label, example]) => {
    const key = `${path}/${name}`;
    const wrong = refused.get(key);
    const input = /** @type {HTMLInputElement} */ (el("input", {
      value: settings[name], placeholder: example, autocomplete: "off", spellcheck: "false", "data-key": key,
      inputmode: ["workers", "max_attempts"].includes(name) ? "numeric" : null,
      ...(wrong && { "aria-invalid": "true", "aria-describedby": `wrong-${name}` }),
    }));
    if (wrong) input.value = wrong.typed;
    const set = async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        const answer = await change(path, { [name]: input.value });
        refused.delete(key);
        input.defaultValue = input.value = answer.settings[name];
        tell(`${label}: ${answer.settings[name]}.`);
      } catch (error) {
        refused.set(key, { typed: input.value, message: error.message });
        // What was typed is kept by the next drawing.
        input.defaultValue = input.value;
      }
      show();
    };
    return el("form", { class: "setting", submit: set },
      el("label", {}, label, input), el("button", { "aria-label": `Set ${label}`, "data-key": `${key}/set` }, "Set"),
      wrong && el("p", { class: "wrong", role: "alert", id: `wrong-${name}` }, wrong.message));
  }));
}
