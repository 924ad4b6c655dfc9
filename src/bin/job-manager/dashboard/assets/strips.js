// Pictures so small that they stand beside the name of a job: when its units ended, with the numbers in words.
import { shape } from "./charts.js";
import { count, el, span } from "./views.js";

const HEIGHT = 20;

/** @param {any} strip @param {string} label */
function drawn({ ends }, label) {
  const most = Math.max(1, ...ends.map((/** @type {any} */ part) => part.completed + part.failed));
  const boxes = ends.flatMap((/** @type {any} */ part, /** @type {number} */ index) => {
    const height = (/** @type {number} */ value) => (value > 0 ? Math.max(1, (value / most) * HEIGHT) : 0);
    const [done, failed] = [height(part.completed), height(part.failed)];
    return [["completed", done, HEIGHT - done], ["failed", failed, Math.max(0, HEIGHT - done - failed)]]
      .filter(([, tall]) => Number(tall) > 0)
      .map(([kind, tall, y]) => shape("rect", { class: kind, x: index + 0.1, y, width: 0.8, height: tall }));
  });
  return shape("svg", { class: "chart strip", viewBox: `0 0 ${ends.length} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    shape("title", {}, label), ...boxes);
}

/** @param {any} strip */
const sums = ({ ends }) => {
  const sum = (/** @type {"completed" | "failed"} */ of) => count(ends.reduce((/** @type {number} */ all, /** @type {any} */ part) => all + part[of], 0));
  return `${sum("completed")} completed, ${sum("failed")} failed`;
};

/** The strip of a job, if some of its units have ended. @param {any} strips @param {number} job */
export function stripOf(strips, job) {
  const strip = strips.jobs.find((/** @type {any} */ one) => one.id === job);
  return strip ? drawn(strip, `Over ${span(strip.bucket_seconds * strip.ends.length)}: ${strip.is_estimate ? "about " : ""}${sums(strip)}`) : "";
}

/** The strip of the database; none when nothing has ended for a day. @param {any} strips */
export function stripOfAll({ database, of_jobs, is_part }) {
  if (!database) return null;
  const said = `Last 24 hours${is_part ? `, from the latest ${count(of_jobs)} jobs` : ""}: about ${sums(database)}`;
  return el("p", { class: "day" }, drawn(database, said), el("span", { class: "quiet" }, `${said}.`));
}
