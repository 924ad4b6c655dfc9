// Which page is shown, what its buttons do, and keeping it true.
import { NoConnection, Refused, change, listen, read } from "./api.js";
import * as views from "./views.js";

const { el, stateOf } = views;
const at = (/** @type {string} */ id) => document.getElementById(id);
const main = at("main");

let about = { read_only: true, version: "", db: "" };

/** What the units of a job are narrowed to; each job's page begins again. */
let narrowed = { job: "", status: "", cluster: "", pages: [0] };

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
      known.at = 0;
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
    made.push(button(`Retry all failed (${views.count(job.progress.failed)})`, `${path}/retry`, { failed: true }, { done: retried(job) }));
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

/** @param {string} job */
function unitFilter(job) {
  const choose = (/** @type {Event} */ event) => {
    narrowed = { job, status: /** @type {HTMLSelectElement} */ (event.target).value, cluster: "", pages: [0] };
    show();
  };
  const states = ["", "pending", "running", "completed", "failed", "skipped", "cancelled"];
  const select = el("select", { change: choose, "data-key": "status" }, states.map((state) =>
    el("option", { value: state, selected: state === narrowed.status }, state || "all states")));
  return el("label", {}, "State ", select);
}

/** @param {any} page */
function pager(page) {
  const turn = (/** @type {number[]} */ pages) => () => {
    narrowed = { ...narrowed, pages };
    show();
  };
  const { pages } = narrowed;
  return el("p", { class: "actions" },
    el("button", { type: "button", "data-key": "back", disabled: pages.length === 1, click: turn(pages.slice(0, -1)) }, "‹ Back"),
    el("button", { type: "button", "data-key": "more", disabled: page.next_after == null, click: turn([...pages, page.next_after]) }, "More ›"));
}

// --- pages ---------------------------------------------------------------------------------------------------------

/** @param {string} job */
async function jobPage(job) {
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  if (narrowed.job !== job) narrowed = { job, status: "", cluster: "", pages: [0] };
  const query = new URLSearchParams({ after: String(narrowed.pages.at(-1)), limit: "50" });
  if (narrowed.cluster) query.set("cluster", narrowed.cluster);
  else if (narrowed.status) query.set("status", narrowed.status);
  const [status, why, page] = await Promise.all([read(path), read(`${path}/explain`), read(`${path}/units?${query}`)]);
  const report = status.progress.failed > 0 ? await failuresOf(job, path, status) : { failed: 0, clusters: [] };
  const retry = about.read_only ? null : (/** @type {any} */ cluster) =>
    button("Retry", `${path}/retry`, { cluster: cluster.cluster }, { label: `Retry the ${cluster.count} units of cluster ${cluster.cluster}`, done: retried(status) });
  const showCluster = (/** @type {any} */ cluster) =>
    el("button", { type: "button", "data-key": `show${cluster.cluster}`, "aria-label": `Show the units of cluster ${cluster.cluster}`, click: () => {
      narrowed = { job, status: "", cluster: cluster.cluster, pages: [0] };
      show();
    } }, "Show");
  return {
    title: `${status.job.name} – Job Manager`,
    parts: [
      ...views.head(status, why, controls(status)),
      ...views.hosts(status),
      ...views.failures(report, retry, showCluster),
      el("div", { class: "between" },
        el("h2", {}, narrowed.cluster ? `Units of cluster ${narrowed.cluster}` : "Units"), unitFilter(job)),
      views.units(page, job),
      pager(page),
    ],
  };
}

const FAILURES_MS = 5_000;
let known = { job: "", failed: -1, at: 0, report: null };

/** Reads the kinds of failures again when there are others; it costs more than the rest. @param {string} job @param {string} path @param {any} status */
async function failuresOf(job, path, status) {
  const { failed } = status.progress;
  const isOld = known.failed !== failed && Date.now() - known.at > FAILURES_MS;
  if (known.job !== job || isOld) known = { job, failed, at: Date.now(), report: await read(`${path}/failures`) };
  return known.report;
}

/** @param {string} job @param {string} seq */
async function unitPage(job, seq) {
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  const number = encodeURIComponent(seq);
  const [view, status, why] = await Promise.all([read(`${path}/units/${number}`), read(path), read(`${path}/explain?unit=${number}`)]);
  const again = ["failed", "cancelled"].includes(view.unit.status) && !about.read_only;
  const buttons = again && el("div", { class: "actions" }, button("Retry", `${path}/retry`, { unit: view.unit.seq }, { done: retried(status) }));
  return { title: `Unit ${view.unit.seq} – Job Manager`, parts: views.unit(view, status, why, buttons || null) };
}

const JOBS = 50;
const MAX_JOBS = 500;
let jobsShown = JOBS;

async function jobsPage() {
  const list = await read(`/api/jobs?limit=${jobsShown}`);
  const more = () => {
    jobsShown = Math.min(MAX_JOBS, jobsShown * 2);
    show();
  };
  const hasMore = list.jobs.length === jobsShown && jobsShown < MAX_JOBS;
  const button = hasMore && el("p", { class: "actions" }, el("button", { type: "button", "data-key": "more", click: more }, `The newest ${jobsShown}; show more`));
  return { title: "Job Manager", parts: [...views.jobs(list), button] };
}

function route() {
  const [, kind, job, , seq] = location.hash.replace(/^#/, "").split("/").map(decodeURIComponent);
  if (kind === "jobs" && job && seq) return () => unitPage(job, seq);
  if (kind === "jobs" && job) return () => jobPage(job);
  return jobsPage;
}

// --- keeping the page true -----------------------------------------------------------------------------------------

let turn = 0;
let shown = "";

/** Draws the page again; of several that are under way only the latest is drawn. */
async function show() {
  const mine = ++turn;
  const place = location.hash;
  try {
    const { title, parts } = await route()();
    if (mine === turn) draw(title, parts, place);
  } catch (error) {
    if (mine !== turn) return;
    // The page says so already.
    if (error instanceof NoConnection) return;
    if (!(error instanceof Refused)) tell(`This page has a fault: ${error.message}`, true);
    // So does it when the session is over.
    if (error.status === 401) return;
    if (shown === place) tell(error.message, true);
    else draw("Job Manager", [el("p", { class: "back" }, el("a", { href: "#/" }, "‹ all jobs")), el("p", {}, error.message)], place);
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

/** @param {string} title @param {any[]} parts @param {string} place */
function draw(title, parts, place) {
  const active = document.activeElement;
  const samePlace = shown === place;
  const hold = samePlace ? busyWith(active) : "";
  at("link").textContent = hold ? `● held while ${hold}` : LIVE;
  if (hold) return;
  const key = main.contains(active) ? active.dataset?.key ?? active.getAttribute("href") : null;
  const opened = [...main.querySelectorAll("details")].map((details) => details.open);
  const scrolled = [...main.querySelectorAll("pre")].map((pre) => pre.scrollTop);
  document.title = title;
  main.replaceChildren(...parts.flat(3).filter((part) => part != null && part !== false));
  shown = place;
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
begin();
listen(changed, linked);
