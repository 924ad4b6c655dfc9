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
const MORE = [
  ["adapt", "Minimum workers (adaptive)", "2"],
  ["backoff", "Time between attempts", "1s..5m"],
  ["max_later", "Longest wait of a unit", "2d"],
  ["idle_timeout", "Time without output", "5m"],
  ["kill_after", "Time between TERM and KILL", "10s"],
  ["memory", "Memory of an attempt", "4G..16G"],
  ["lease", "Lease of a manager", "60s"],
  ["memfree", "Free memory to start", "2G"],
  ["load", "Load below which units start", "80%"],
  ["diskfree", "Free space to start, one a line", "/data=10G"],
  ["window", "Times of day to start", "22:00-06:00"],
  ["not_before", "Not before", "22:00"],
  ["after", "After job (can only be removed)", "none"],
  ["hold", "Held until (can only be lifted)", "none"],
  ["per_group", "Running units of a group", "2"],
  ["group_rate", "Rate of a group", "6/min"],
  ["group_failures", "Failures at which a group stops", "20"],
];
const METERS = [["budget", "Budget", "50 or 20/day"], ["reserve", "Assumed cost of the first five", "0.5"], ["rate", "Rate", "90000/min"], ["meter", "Path", ".usage.cost"]];
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
  /** Sets what is typed; what stands in the field then. @param {string} key @param {any} input @param {() => Promise<string>} set */
  const submit = (key, input, set) => async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const now = await set();
      refused.delete(key);
      input.defaultValue = input.value = now;
    } catch (error) {
      refused.set(key, { typed: input.value, message: error.message });
      // What was typed is kept by the next drawing.
      input.defaultValue = input.value;
    }
    show();
  };
  /** @param {string} name @param {string} label @param {string} value @param {string} example @param {(input: any) => Promise<string>} set */
  const form = (name, label, value, example, set) => {
    const key = `${path}/${name}`;
    const wrong = refused.get(key);
    const id = `wrong-${name.replace(/[^A-Za-z0-9_-]/g, "-")}`;
    const lines = name === "diskfree";
    const input = /** @type {any} */ (el(lines ? "textarea" : "input", {
      placeholder: example, autocomplete: "off", spellcheck: "false", "data-key": key, rows: lines ? 1 : null,
      inputmode: ["workers", "max_attempts"].includes(name) ? "numeric" : null,
      ...(wrong && { "aria-invalid": "true", "aria-describedby": id }),
    }));
    input.defaultValue = value;
    if (wrong) input.value = wrong.typed;
    return el("form", { class: "setting", submit: submit(key, input, () => set(input)) },
      el("label", {}, label, input), el("button", { "aria-label": `Set ${label}`, "data-key": `${key}/set` }, "Set"),
      wrong && el("p", { class: "wrong", role: "alert", id }, wrong.message));
  };
  const field = (/** @type {string[]} */ [name, label, example]) =>
    form(name, label, settings[name], example, async (input) => {
      const answer = await change(path, { [name]: input.value });
      const now = answer.settings[name] ?? "none";
      tell(`${label}: ${now}.`);
      return now;
    });
  const another = form("another", "Another, such as group:NAME=2", "", "meter.NAME=PATH", async (input) => {
    const [name, ...value] = input.value.split("=");
    if (value.length === 0) throw new Error(`write NAME=VALUE, such as rate=60/min, or ${name.trim() || "rate"}=none to take it away`);
    await change(path, { [name.trim()]: value.join("=") });
    tell(`${input.value}: set.`);
    return "";
  });
  const has = (/** @type {string[]} */ [name]) => settings[name] != null && (!["after", "hold"].includes(name) || settings[name] !== "none");
  const meters = Object.keys(settings).map((name) => name.split(".")).filter(([, meter]) => meter)
    .map(([kind, ...meter]) => ({ meter: meter.join("."), of: METERS.find(([known]) => known === kind) }))
    .flatMap(({ meter, of }) => (of ? [[`${of[0]}.${meter}`, `${of[1]} of ${meter}`, of[2]]] : []));
  return el("div", { role: "group", "aria-label": "Settings" },
    el("div", { class: "settings" }, FIELDS.map(field)),
    el("details", {}, el("summary", {}, "More settings"),
      el("div", { class: "settings" }, MORE.filter(has).map(field), meters.map(field), another)));
}
