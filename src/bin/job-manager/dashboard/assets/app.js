// Which page is shown, what its buttons do, and keeping it true.
import { NoConnection, Refused, change, listen, read } from "./api.js";
import { jobAddress, pathOf, place, queryOf } from "./address.js";
import { charts } from "./charts.js";
import * as filters from "./filters.js";
import { listenForKeys } from "./keys.js";
import * as views from "./views.js";

const { el, stateOf } = views;
const at = (/** @type {string} */ id) => document.getElementById(id);
const main = at("main");

let about = { read_only: true, version: "", db: "" };

// --- buttons -------------------------------------------------------------------------------------------------------

/** Asks before something that cannot be taken back. @param {string} question @param {string} yes */
function confirmed(question, yes) {
  const dialog = /** @type {HTMLDialogElement} */ (at("ask"));
  at("ask-text").textContent = question;
  at("ask-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

let noticeTimer;
/** @param {string} text @param {boolean} [bad] */
function tell(text, bad = false) {
  clearTimeout(noticeTimer);
  const notice = at("notice");
  notice.textContent = text;
  notice.className = bad ? "bad" : "";
  notice.hidden = false;
  noticeTimer = setTimeout(() => (notice.hidden = true), bad ? 20_000 : 6_000);
}

/**
 * A button that asks for a change and says what came of it.
 * @param {string} label @param {string} path @param {object} body
 * @param {{question?: string, danger?: boolean, label?: string, done?: (answer: any) => string}} [options]
 */
function button(label, path, body, options = {}) {
  const press = async (/** @type {Event} */ event) => {
    if (options.question && !(await confirmed(options.question, label))) return;
    const pressed = /** @type {HTMLButtonElement} */ (event.currentTarget ?? event.target);
    pressed.disabled = true;
    try {
      const answer = await change(path, body);
      failuresOf.forget();
      tell(options.done?.(answer) ?? "Asked for.");
    } catch (error) {
      tell(error.message, true);
    } finally {
      pressed.disabled = false;
    }
    show();
  };
  return el("button", { type: "button", class: options.danger ? "danger" : "", click: press, "aria-label": options.label, "data-key": path + JSON.stringify(body) }, label);
}

const unitsChanged = (/** @type {string} */ what) => (/** @type {any} */ answer) => `${views.count(answer.units_changed)} units ${what}`;
/** A retry starts no manager. @param {any} job */
const retried = (job) => (/** @type {any} */ answer) =>
  `${views.count(answer.units_changed)} units pending again${job.status === "running" ? "" : "; Resume runs them"}.` +
  (answer.searched_through ? ` Looked for up to unit ${views.count(answer.searched_through)} only: press again.` : "");
const startedAgain = (/** @type {any} */ answer) => `${views.count(answer.units_changed)} units pending again, and the job goes on.`;
const managerOf = (/** @type {any} */ answer) => (answer.already_running ? "A manager runs it already." : `Started, process ${answer.pid}.`);

/** @param {any} job */
function controls(job) {
  if (about.read_only) return null;
  const path = `/api/jobs/${job.job.id}`;
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
    const workers = /** @type {HTMLInputElement} */ (el("input", { type: "number", min: "1", max: "1024", value: job.workers, "aria-label": "Workers", "data-key": `${path}/workers` }));
    const scale = async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        const answer = await change(`${path}/scale`, { workers: Number(workers.value) });
        workers.defaultValue = workers.value;
        tell(`${answer.workers} units may run at the same time.`);
      } catch (error) {
        tell(error.message, true);
      }
      show();
    };
    made.push(el("form", { class: "scale", submit: scale }, el("label", {}, "Workers ", workers), el("button", { "data-key": `${path}/scale` }, "Set")));
    made.push(button("Cancel job", `${path}/cancel`, { reason: "cancelled on the dashboard" }, { question: `Cancel ${name} permanently? Units that have not ended are cancelled.`, danger: true, done: () => (state === "running" ? "It is being cancelled." : "It is cancelled.") }));
  }
  return made.length > 0 ? el("div", { class: "actions", role: "group", "aria-label": "Controls" }, made) : null;
}

// --- pages ---------------------------------------------------------------------------------------------------------

/** @param {string} job @param {import("./address.js").Narrowed} narrowed */
async function jobPage(job, narrowed) {
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  const query = `${queryOf({ ...narrowed, name: "" })}&limit=50`;
  const [status, why, page] = await Promise.all([read(path), read(`${path}/explain`), read(`${path}/units?${query}`)]);
  const [report, drawn] = await Promise.all([
    status.progress.failed > 0 ? failuresOf(job, path, status) : { failed: 0, clusters: [] },
    chartsOf(job, path, status),
  ]);
  const retry = about.read_only ? null : (/** @type {any} */ cluster) =>
    button("Retry", `${path}/retry`, { cluster: cluster.cluster }, { label: `Retry the ${cluster.count} units of cluster ${cluster.cluster}`, done: retried(status) });
  const showCluster = (/** @type {any} */ cluster) =>
    el("a", { href: jobAddress(job, { cluster: cluster.cluster }), "aria-label": `Show the units of cluster ${cluster.cluster}` }, "Show");
  const sorted = (/** @type {string} */ sort) => jobAddress(job, { ...narrowed, sort, after: "" });
  return {
    title: `${status.progress.percentage} % ${status.job.name} – Job Manager`,
    parts: [
      ...views.head(status, why, controls(status)),
      ...views.hosts(status),
      ...charts(drawn, jobAddress(job, { sort: "duration" })),
      ...views.failures(report, retry, showCluster),
      el("div", { class: "between" }, el("h2", {}, "Units"), filters.search(job, narrowed)),
      filters.tabs(job, narrowed, status.progress),
      filters.chips(job, narrowed),
      bulk(job, status, narrowed),
      views.units(page, job, narrowed.sort ?? "", sorted),
      filters.pager(job, narrowed, page),
    ],
  };
}

const OLD_MS = 5_000;

/**
 * A document that costs more than the rest: it is read again when it may be another one, and not more often than every few seconds.
 * @param {string} name @param {(status: any) => any} what
 */
function seldom(name, what) {
  let known = { job: "", of: null, at: 0, document: null };
  const read_ = async (/** @type {string} */ job, /** @type {string} */ path, /** @type {any} */ status) => {
    const of = what(status);
    const isOld = known.of !== of && Date.now() - known.at > OLD_MS;
    if (known.job !== job || isOld) known = { job, of, at: Date.now(), document: await read(`${path}/${name}`) };
    return known.document;
  };
  const forget = () => (known.at = 0);
  return Object.assign(read_, { forget });
}

const failuresOf = seldom("failures", (status) => status.progress.failed);
/** It depends on all counters, and of a job that runs on the time. */
const chartsOf = seldom("charts", (status) => (status.status === "running" ? Date.now() : JSON.stringify(status.progress)));

/** What can be done about one unit. @param {any} unit @param {any} job */
function unitControls(unit, job) {
  if (about.read_only) return null;
  const path = `/api/jobs/${job.job.id}`;
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
function bulk(job, status, narrowed) {
  const state = narrowed.cluster ? "failed" : narrowed.status;
  if (about.read_only || !["failed", "pending", "cancelled"].includes(state ?? "")) return null;
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  const which = Object.fromEntries(Object.entries({ status: state, cluster: narrowed.cluster, match: narrowed.match }).filter(([, value]) => value));
  const known = narrowed.match || narrowed.cluster ? "all that match" : `all ${views.count(status.progress[state])}`;
  const goesOn = ["running", "awaiting_approval"].includes(stateOf(status));
  return el("p", { class: "actions" },
    state !== "pending" && button(`Retry ${known}`, `${path}/retry`, which, { done: retried(status) }),
    state !== "pending" && !goesOn && button(`Retry and run ${known}`, `${path}/retry`, { ...which, start: true }, { done: startedAgain }),
    state !== "cancelled" && button(`Skip ${known}`, `${path}/skip`, which, { question: `Skip ${known} of the ${state} units? They are not run.`, danger: true, done: unitsChanged("skipped") }));
}

/** @param {string} job @param {string} seq */
async function unitPage(job, seq) {
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  const number = encodeURIComponent(seq);
  const [view, status, why] = await Promise.all([read(`${path}/units/${number}`), read(path), read(`${path}/explain?unit=${number}`)]);
  return { title: `Unit ${view.unit.seq} – Job Manager`, parts: views.unit(view, status, why, unitControls(view.unit, status)) };
}

const JOBS = 50;
const MAX_JOBS = 500;
let jobsShown = JOBS;

/** @param {import("./address.js").Narrowed} narrowed */
async function jobsPage(narrowed) {
  const list = await read(`/api/jobs?${queryOf({ status: narrowed.status, name: narrowed.name })}&limit=${jobsShown}`);
  const more = () => {
    jobsShown = Math.min(MAX_JOBS, jobsShown * 2);
    show();
  };
  const hasMore = list.jobs.length === jobsShown && jobsShown < MAX_JOBS;
  const button = hasMore && el("p", { class: "actions" }, el("button", { type: "button", "data-key": "more", click: more }, `${jobsShown} are shown; show more`));
  const [title, ...rest] = views.jobs(list, Boolean(narrowed.status || narrowed.name));
  return {
    title: "Job Manager",
    parts: [el("div", { class: "between" }, title, filters.searchJobs(narrowed)), filters.jobTabs(narrowed), filters.jobChips(narrowed), ...rest, button],
  };
}

function route() {
  const { kind, job, seq, narrowed } = place();
  if (kind === "jobs" && job && seq) return () => unitPage(job, seq);
  if (kind === "jobs" && job) return () => jobPage(job, narrowed);
  return () => jobsPage(narrowed);
}

// --- keeping the page true -----------------------------------------------------------------------------------------

let turn = 0;
let shown = "";

/** Draws the page again; of several that are under way only the latest is drawn. */
async function show() {
  const mine = ++turn;
  const address = location.hash;
  try {
    const { title, parts } = await route()();
    if (mine === turn) draw(title, parts, address);
  } catch (error) {
    if (mine !== turn) return;
    // The page says so already.
    if (error instanceof NoConnection) return;
    if (!(error instanceof Refused)) tell(`This page has a fault: ${error.message}`, true);
    // So does it when the session is over.
    if (error.status === 401) return;
    if (shown === address) tell(error.message, true);
    else draw("Job Manager", [el("p", { class: "back" }, el("a", { href: "#/" }, "‹ all jobs")), el("p", {}, error.message)], address);
  }
}

const LIVE = "● live";
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => (pressed = false)), true);

/** What a person is at that a redraw would spoil. @param {any} active */
function busyWith(active) {
  if (pressed) return "the pointer is down";
  if (main.contains(active) && active.tagName === "INPUT" && active.value !== active.defaultValue) return "you type";
  if (main.contains(active) && active.tagName === "SELECT" && CSS.supports("selector(:open)") && active.matches(":open")) return "you choose";
  const selection = getSelection();
  return selection && !selection.isCollapsed && main.contains(selection.anchorNode) ? "text is selected" : "";
}

/** @param {string} title @param {any[]} parts @param {string} address */
function draw(title, parts, address) {
  const active = document.activeElement;
  // Other units of the same job leave the page where it is.
  const samePlace = pathOf(shown) === pathOf(address);
  const hold = shown === address ? busyWith(active) : "";
  at("link").textContent = hold ? `● held while ${hold}` : LIVE;
  if (hold) return;
  const key = main.contains(active) ? active.dataset?.key ?? active.getAttribute("href") : null;
  const opened = [...main.querySelectorAll("details")].map((details) => details.open);
  const scrolled = [...main.querySelectorAll("pre")].map((pre) => pre.scrollTop);
  document.title = title;
  main.replaceChildren(...parts.flat(3).filter((part) => part != null && part !== false));
  shown = address;
  if (!samePlace) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    return;
  }
  main.querySelectorAll("details").forEach((details, index) => (details.open = opened[index] ?? false));
  main.querySelectorAll("pre").forEach((pre, index) => (pre.scrollTop = scrolled[index] ?? 0));
  if (key) [...main.querySelectorAll("[data-key], [href]")].find((found) => (found.dataset.key ?? found.getAttribute("href")) === key)?.focus({ preventScroll: true });
}

const AT_MOST_EVERY_MS = 1_000;
const AT_LEAST_EVERY_MS = 5_000;
let due, last = 0;

/** Draws soon, but not more than once a second. */
function changed() {
  if (due) return;
  due = setTimeout(() => {
    due = undefined;
    last = Date.now();
    show();
  }, Math.max(0, last + AT_MOST_EVERY_MS - Date.now()));
}

const LINKS = {
  live: { mark: LIVE, text: [] },
  lost: { mark: "○ no connection", text: ["The connection is lost: what you see may be old. Trying again…"] },
  "signed out": {
    mark: "○ signed out",
    text: ["The dashboard was started again, what you see may be old: open the address that ", el("code", {}, "job-manager serve"), " has printed."],
  },
};

let link;
/** @param {import("./api.js").Link} now */
function linked(now) {
  if (now === link) return;
  link = now;
  const live = link === "live";
  at("link").textContent = LINKS[link].mark;
  at("link").className = live ? "live" : "dead";
  at("lost").hidden = live;
  at("lost").replaceChildren(...LINKS[link].text);
  document.body.classList.toggle("old", !live);
  if (live) begin();
}

/** Reads what the page is about; after a lost connection it may be another dashboard. */
async function begin() {
  try {
    about = await read("/api/about");
    at("about").textContent = `${about.db}${about.read_only ? " (read-only)" : ""}`;
    at("about").title = `version ${about.version}`;
  } catch (error) {
    if (error.status === 401) return;
    if (!(error instanceof NoConnection)) tell(error.message, true);
  }
  show();
}

addEventListener("hashchange", () => {
  at("notice").hidden = true;
  show();
});
// The death of a manager changes nothing in the database, and is seen only by looking.
setInterval(() => document.visibilityState === "visible" && link === "live" && changed(), AT_LEAST_EVERY_MS);
listenForKeys(/** @type {HTMLDialogElement} */ (at("keys")));
begin();
listen(changed, linked);
