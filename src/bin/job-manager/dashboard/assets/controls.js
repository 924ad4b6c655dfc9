// The buttons of the page: what can be done about a job, about one unit, and about all units that are shown.
import { change } from "./api.js";
import * as views from "./views.js";

const { el, stateOf } = views;
const at = (/** @type {string} */ id) => document.getElementById(id);

/**
 * What buttons need of the page: whether nothing may be changed, a place for what came of a press, and to be drawn again.
 * @type {{isReadOnly: () => boolean, tell: (text: string, bad?: boolean) => void, show: () => void, forget: () => void}}
 */
let page;

/** @param {typeof page} of */
export const belongTo = (of) => (page = of);

/** Asks before something that cannot be taken back. @param {string} question @param {string} yes */
function confirmed(question, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (at("ask"));
  at("ask-text").textContent = question;
  at("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

/**
 * A button that asks for a change and says what came of it.
 * @param {string} label @param {string} path @param {object} body
 * @param {{question?: string, danger?: boolean, label?: string, done?: (answer: any) => string}} [options]
 */
export function button(label, path, body, options = {}) {
  const press = async (/** @type {Event} */ event) => {
    if (options.question && !(await confirmed(options.question, label))) return;
    const pressed = /** @type {HTMLButtonElement} */ (event.currentTarget ?? event.target);
    pressed.disabled = true;
    try {
      const answer = await change(path, body);
      page.forget();
      page.tell(options.done?.(answer) ?? "Asked for.");
    } catch (error) {
      page.tell(error.message, true);
    } finally {
      pressed.disabled = false;
    }
    page.show();
  };
  return el("button", { type: "button", class: options.danger ? "danger" : "", click: press, "aria-label": options.label, "data-key": path + JSON.stringify(body) }, label);
}

const unitsChanged = (/** @type {string} */ what) => (/** @type {any} */ answer) => `${views.counted(answer.units_changed, "unit")} ${what}`;
/** A retry starts no manager. @param {any} job */
export const retried = (job) => (/** @type {any} */ answer) =>
  `${views.counted(answer.units_changed, "unit")} pending again${job.status === "running" ? "" : "; Resume runs them"}.` +
  (answer.searched_through ? ` Searched only up to unit ${views.count(answer.searched_through)}: press again to continue.` : "");
const startedAgain = (/** @type {any} */ answer) => `${views.counted(answer.units_changed, "unit")} pending again, and the job goes on.`;
const managerOf = (/** @type {any} */ answer) => (answer.already_running ? "A manager runs it already." : `Started, process ${answer.pid}.`);

/** What can be done about a job. @param {any} job */
export function controls(job) {
  if (page.isReadOnly()) return null;
  const path = `/api/v1/jobs/${job.job.id}`;
  const state = stateOf(job);
  const name = `job ${job.job.id} (${job.job.name})`;
  const made = [];
  if (state === "running") {
    made.push(button("Pause", `${path}/stop`, {}, { done: () => "It pauses when its running units have ended." }));
    made.push(button("Pause now", `${path}/stop`, { now: true }, { question: `End the running units of ${name}? They go back to pending.`, danger: true, done: () => "Running units are ended." }));
  }
  if (state === "created" || state === "paused" || state === "interrupted" || (state === "failed" && job.progress.pending > 0)) {
    made.push(button(state === "created" ? "Start" : "Resume", `${path}/resume`, {}, { done: managerOf }));
  }
  if (state === "awaiting_approval") {
    made.push(button("Approve", `${path}/approve`, {}, { done: managerOf }));
    made.push(button("Reject", `${path}/reject`, {}, { question: `Cancel ${name}, with the units that have not run?`, danger: true, done: unitsChanged("cancelled") }));
  }
  if (job.progress.failed > 0) {
    const all = `all failed (${views.count(job.progress.failed)})`;
    if (state === "running" || state === "awaiting_approval") made.push(button(`Retry ${all}`, `${path}/retry`, { failed: true }, { done: retried(job) }));
    else made.push(button(`Retry and run ${all}`, `${path}/retry`, { failed: true, start: true }, { done: startedAgain }));
  }
  if (["running", "paused", "created", "interrupted"].includes(state)) {
    made.push(button("Cancel job", `${path}/cancel`, { reason: "cancelled on the dashboard" }, { question: `Cancel ${name} permanently? Units that have not ended are cancelled.`, danger: true, done: () => (state === "running" ? "It is being cancelled." : "It is cancelled.") }));
  }
  return made.length > 0 ? el("div", { class: "actions", role: "group", "aria-label": "Controls" }, made) : null;
}

/** What can be done about one unit. @param {any} unit @param {any} job */
export function unitControls(unit, job) {
  if (page.isReadOnly()) return null;
  const path = `/api/v1/jobs/${job.job.id}`;
  const one = `${path}/units/${unit.seq}`;
  const goesOn = ["running", "awaiting_approval"].includes(stateOf(job));
  const is = (/** @type {string[]} */ ...states) => states.includes(unit.status);
  return el("div", { class: "actions", role: "group", "aria-label": "Controls" },
    is("failed", "cancelled") && button("Retry", `${path}/retry`, { unit: unit.seq }, { done: retried(job) }),
    is("failed", "cancelled") && !goesOn && button("Retry and run", `${path}/retry`, { unit: unit.seq, start: true }, { done: startedAgain }),
    is("running") && button("End and retry", `${one}/kill`, { then: "retry" }, { question: `End this attempt at unit ${unit.seq}? The unit is tried again as its job allows.`, danger: true, done: () => "Its attempt is ended." }),
    is("running") && button("End and skip", `${one}/kill`, { then: "skip" }, { question: `End unit ${unit.seq} and skip it?`, danger: true, done: () => "It is ended and skipped." }),
    is("pending", "failed") && button("Skip", `${path}/skip`, { unit: unit.seq }, { done: unitsChanged("skipped") }),
    is("pending", "running") && button("Cancel", `${one}/cancel`, {}, { question: `Cancel unit ${unit.seq}?`, danger: true, done: () => "It is cancelled." }));
}

/** What can be done about all units that are shown, on this page and on the others. @param {string} job @param {any} status @param {import("./address.js").Narrowed} narrowed */
export function bulk(job, status, narrowed) {
  const state = narrowed.cluster ? "failed" : narrowed.status;
  if (page.isReadOnly() || !["failed", "pending", "cancelled"].includes(state ?? "")) return null;
  const path = `/api/v1/jobs/${encodeURIComponent(job)}`;
  const which = Object.fromEntries(Object.entries({ status: state, cluster: narrowed.cluster, match: narrowed.match, group: narrowed.group }).filter(([, value]) => value));
  const known = narrowed.match || narrowed.cluster || narrowed.group ? "all that match" : `all ${views.count(status.progress[state])}`;
  const goesOn = ["running", "awaiting_approval"].includes(stateOf(status));
  return el("p", { class: "actions" },
    state !== "pending" && button(`Retry ${known}`, `${path}/retry`, which, { done: retried(status) }),
    state !== "pending" && !goesOn && button(`Retry and run ${known}`, `${path}/retry`, { ...which, start: true }, { done: startedAgain }),
    state !== "cancelled" && button(`Skip ${known}`, `${path}/skip`, which, { question: `Skip ${known} of the ${state} units? They are not run.`, danger: true, done: unitsChanged("skipped") }));
}
