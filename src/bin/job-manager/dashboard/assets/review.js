// Units that completed and are doubtful: what they say, and what a person decides about them.
import { change } from "./api.js";
import { el, item, said, table, row } from "./views.js";

/** What is typed about a decision, by job: it outlives a redraw. @type {Map<number, string>} */
const notes = new Map();

/**
 * Buttons that decide about units, and a field for what is said about it.
 * @param {number} job @param {any} about What differs from one place to the other: whether nothing may be changed, and the page.
 */
function decider(job, { tell, show }) {
  const note = /** @type {HTMLInputElement} */ (el("input", {
    placeholder: "told when it is done again", autocomplete: "off", "data-key": `note ${job}`,
    input: () => notes.set(job, note.value),
  }));
  note.defaultValue = note.value = notes.get(job) ?? "";
  const decide = (/** @type {string} */ label, /** @type {string} */ what, /** @type {number[]} */ seqs, /** @type {string} */ of) => {
    const press = async (/** @type {Event} */ event) => {
      const pressed = /** @type {HTMLButtonElement} */ (event.currentTarget);
      pressed.disabled = true;
      try {
        const answer = await change(`/api/v1/jobs/${job}/review`, { [what]: seqs, note: note.value });
        notes.delete(job);
        tell(`${answer.accepted.length} accepted, ${answer.redone.length} to be done again, ${answer.undecided} undecided${answer.started ? "; the job goes on" : ""}.`);
      } catch (error) {
        tell(error.message, true);
        pressed.disabled = false;
      }
      show();
    };
    return el("button", { type: "button", click: press, "aria-label": `${label} ${of}`, "data-key": `${what} ${seqs}` }, label);
  };
  return { field: el("label", {}, "Note ", note), decide };
}

/** @param {any} reviewed @param {number} job @param {any} page */
export function toReview(reviewed, job, page) {
  if (!reviewed || reviewed.undecided === 0) return null;
  const { field, decide } = decider(job, page);
  const titles = ["Unit", "Item", "Why", "Result", "Actions"];
  const rows = reviewed.units.map((/** @type {any} */ unit) =>
    row([
      el("a", { href: `#/jobs/${job}/units/${unit.seq}` }, unit.seq),
      el("bdi", { class: "cut" }, item(unit.payload)),
      el("bdi", {}, unit.flag ?? ""),
      el("bdi", { class: "cut", title: said(unit) }, said(unit)),
      page.readOnly ? "" : el("span", { class: "actions" }, decide("Accept", "accept", [unit.seq], `unit ${unit.seq}`), decide("Do again", "redo", [unit.seq], `unit ${unit.seq}`)),
    ], titles));
  const shown = reviewed.units.map((/** @type {any} */ unit) => unit.seq);
  return [
    el("div", { class: "between" }, el("h2", {}, `To review (${reviewed.undecided})`), !page.readOnly && field),
    table(titles, rows, "Units to review"),
    !page.readOnly && shown.length > 1 && el("p", { class: "actions" }, decide(`Accept these ${shown.length}`, "accept", shown, "")),
  ];
}

/** The doubt about one unit. @param {any} flag @param {any} unit @param {number} job @param {any} page */
export function flagOf(flag, unit, job, page) {
  if (!flag) return null;
  const { field, decide } = decider(job, page);
  const decided = [flag.decision, flag.decided_by && `by ${flag.decided_by}`, flag.note && `: ${flag.note}`].filter(Boolean).join(" ");
  return [
    el("p", { class: "why" }, el("span", {}, "Flagged: ", el("bdi", {}, flag.text)), el("span", { class: "quiet" }, decided || "nobody has decided")),
    !flag.decision && !page.readOnly && el("div", { class: "actions", role: "group", "aria-label": "Review" },
      decide("Accept", "accept", [unit.seq], `unit ${unit.seq}`), decide("Do again", "redo", [unit.seq], `unit ${unit.seq}`), field),
  ];
}
