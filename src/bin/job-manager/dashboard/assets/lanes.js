// Who ran when in which worker slot: a lane for each, a bar for each attempt, and the same as tables.
import { figure, legend, shape } from "./charts.js";
import { count, el, row, span, table, when } from "./views.js";

const LANE = 12;
const WIDTH = 1000;
/** Attempts that the table names, the latest. */
const IN_TABLE = 200;
const KINDS = { completed: "completed", retried: "did not complete", failed: "failed", skipped: "skipped", running: "running" };

/** @param {string} job @param {number} seq */
const address = (job, seq) => `#/jobs/${encodeURIComponent(job)}/units/${seq}`;

/** @param {any} lanes @param {string} job */
function bars({ slots, seconds, runs }, job) {
  const x = (/** @type {number} */ at) => (at / seconds) * WIDTH;
  const drawn = runs.map((/** @type {any} */ run) => {
    const width = x(run.to_s) - x(run.from_s);
    const bar = shape("rect", { class: run.kind, x: Math.min(x(run.from_s), WIDTH - 1), y: run.lane * LANE + 1, height: LANE - 2, width: Math.max(1, width > 4 ? width - 0.6 : width) });
    const tip = `unit ${run.seq}, slot ${slots[run.lane]}: ${KINDS[run.kind]}, ${span(run.to_s - run.from_s)}`;
    // The table beside it has the same links for those who use keys.
    return shape("a", { href: address(job, run.seq), tabindex: -1 }, shape("title", {}, tip), bar);
  });
  const size = { viewBox: `0 0 ${WIDTH} ${slots.length * LANE}`, height: slots.length * LANE };
  const names = slots.map((/** @type {number} */ slot, /** @type {number} */ lane) => el("li", {}, slots[lane - 1] === slot ? "″" : slot));
  return el("div", { class: "lanes", "aria-hidden": "true" }, el("ol", {}, names),
    shape("svg", { class: "chart rows", preserveAspectRatio: "none", ...size }, ...drawn));
}

/** How each slot was used. @param {any} lanes */
function bySlot({ slots, seconds, runs }) {
  const titles = ["Slot", "Attempts", "Failed", "Did not complete", "Busy"];
  const rows = slots.map((/** @type {number} */ slot, /** @type {number} */ lane) => {
    const own = runs.filter((/** @type {any} */ run) => run.lane === lane);
    const busy = own.reduce((/** @type {number} */ sum, /** @type {any} */ run) => sum + run.to_s - run.from_s, 0);
    const of = (/** @type {string} */ kind) => count(own.filter((/** @type {any} */ run) => run.kind === kind).length);
    return row([slot, count(own.length), of("failed"), of("retried"), `${Math.round((100 * busy) / seconds)} %`], titles);
  });
  return table(titles, rows, "Slots");
}

/** The latest attempts, each with a link to its unit. @param {any} lanes @param {string} job */
function attempts({ from, slots, runs }, job) {
  const titles = ["Unit", "Slot", "How it ended", "From", "For"];
  const latest = [...runs].sort((one, other) => other.to_s - one.to_s).slice(0, IN_TABLE);
  const rows = latest.map((run) => row([
    el("a", { href: address(job, run.seq) }, run.seq), slots[run.lane], KINDS[run.kind],
    when(new Date(Date.parse(from) + run.from_s * 1000).toISOString()), span(run.to_s - run.from_s),
  ], titles));
  const note = runs.length > latest.length && el("p", { class: "quiet" }, `The latest ${count(latest.length)} of ${count(runs.length)} attempts.`);
  return [note, table(titles, rows, "Attempts by slot")];
}

/** Of a picture that was drawn before nothing is drawn again. @type {WeakMap<object, any>} */
const known = new WeakMap();

/** The lanes of a job; none before an attempt is known with its slot. @param {any} lanes @param {string} job */
export function lanes(lanes, job) {
  if (lanes.runs.length === 0) return null;
  const made = known.get(lanes) ?? draw(lanes, job);
  known.set(lanes, made);
  return made;
}

/** @param {any} lanes @param {string} job */
function draw(lanes, job) {
  const { from, seconds, slots, runs, more_lanes, is_cut } = lanes;
  const busy = runs.reduce((/** @type {number} */ sum, /** @type {any} */ run) => sum + run.to_s - run.from_s, 0);
  const ended = runs.filter((/** @type {any} */ run) => run.kind !== "running").length;
  const ends = `${count(ended)} ${ended === 1 ? "attempt" : "attempts"}`;
  const said = [
    is_cut ? `the latest ${ends}` : ends,
    `${Math.round((100 * busy) / (seconds * slots.length))} % busy`,
    more_lanes > 0 && `${count(slots.length)} of ${count(slots.length + more_lanes)} lanes`,
  ].filter(Boolean).join(", ");
  const at = (/** @type {number} */ after) => when(new Date(Date.parse(from) + after * 1000).toISOString());
  const kinds = Object.entries(KINDS).filter(([kind]) => runs.some((/** @type {any} */ run) => run.kind === kind));
  const numbers = el("div", {});
  const made = figure("Slots over time", bars(lanes, job), [at(0), at(seconds / 2), at(seconds)], said, numbers, legend(kinds));
  // Many rows, made when somebody looks.
  made.querySelector("details").addEventListener("toggle", (/** @type {any} */ event) => {
    if (event.currentTarget.open && numbers.childElementCount === 0) numbers.append(bySlot(lanes), ...attempts(lanes, job).filter(Boolean));
  });
  return el("div", { class: "figures whole" }, made);
}
