// Jobs that do nothing, fetched and completed by four loops of pg-boss: `node pg-boss.mjs URL JOBS` prints how many a second.
import PgBoss from "pg-boss";

const [url, jobs] = [process.argv[2], Number(process.argv[3])];
const boss = new PgBoss({ connectionString: url, max: 10 });
boss.on("error", (error) => {
  throw error;
});
await boss.start();
await boss.createQueue("nothing");
for (let first = 0; first < jobs; first += 1000) {
  await boss.insert(Array.from({ length: 1000 }, (_, n) => ({ name: "nothing", data: { n: first + n } })));
}
let done = 0;
const began = process.hrtime.bigint();
const loop = async () => {
  for (;;) {
    const fetched = await boss.fetch("nothing", { batchSize: 1000 });
    if (fetched.length === 0) return;
    await boss.complete("nothing", fetched.map((job) => job.id));
    done += fetched.length;
  }
};
await Promise.all([loop(), loop(), loop(), loop()]);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
if (done !== jobs) throw new Error(`${done} of ${jobs} jobs`);
console.log(jobs / seconds);
process.exit(0);
