"""Jobs that do nothing, run by procrastinate: `procrastinate_peer.py URL JOBS` prints how many a second."""

import asyncio
import sys
import time

import procrastinate

url, jobs = sys.argv[1], int(sys.argv[2])
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))


@app.task(name="nothing")
async def nothing(n: int) -> None:
    pass


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await nothing.batch_defer_async(*({"n": n} for n in range(jobs)))
        began = time.monotonic()
        await app.run_worker_async(concurrency=24, wait=False, install_signal_handlers=False)
        print(jobs / (time.monotonic() - began))


asyncio.run(main())
