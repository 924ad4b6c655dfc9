// Jobs that do nothing, run by graphile-worker: `node graphile-worker.mjs URL JOBS` prints how many a second.
import { Logger, run } from "graphile-worker";
import pg from "pg";

const [url, jobs] = [process.argv[2], Number(process.argv[3])];
const pool = new pg.Pool({ connectionString: url, max: 10 });
const settings = {
  connectionString: url,
  maxPoolSize: 10,
  concurrentJobs: 24,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
const quiet = { worker: { ...settings, logger: new Logger(() => () => {}) } };

const setup = await run({ preset: quiet, taskList: { other: () => {} } });
await setup.stop();
await pool.query(
  "SELECT graphile_worker.add_jobs((SELECT array_agg(('nothing', to_json(n), NULL, NULL, NULL, NULL, NULL, NULL)::graphile_worker.job_spec) FROM generate_series(1, $1::int) AS n))",
  [jobs],
);
let done = 0;
const began = process.hrtime.bigint();
await new Promise((resolve, reject) => {
  const nothing = () => {
    done += 1;
    if (done === jobs) resolve();
  };
  run({ preset: quiet, taskList: { nothing } }).then((runner) => (globalThis.runner = runner), reject);
});
await globalThis.runner.stop();
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
console.log(jobs / seconds);
process.exit(0);
