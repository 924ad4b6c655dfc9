//! What a start waits for, in words.

use super::*;

#[test]
fn what_is_waited_for_is_said_with_its_figures() {
    let (gib, path) = (|count: u64| Bytes(count << 30), RawText::from("/data"));
    let until = Timestamp::from_micros(1_780_000_000_000_000);
    for (waits, cause, limit, text) in [
        (
            Waits::Memory { available: gib(1), wanted: gib(2), again: gib(2) },
            Why::WaitingForMemory,
            "memfree",
            "memory: 1 GiB of 2 GiB available",
        ),
        (
            Waits::Memory { available: gib(2), wanted: gib(2), again: gib(3) },
            Why::WaitingForMemory,
            "memfree",
            "memory: 2 GiB of 2 GiB available, goes on at 3 GiB",
        ),
        (
            Waits::Load { runnable: 4, processors: 2.0, limit: Percent(80) },
            Why::WaitingForLoad,
            "load",
            "load: 4 runnable, fewer than 1.6 wanted (80% of 2 processors)",
        ),
        (
            Waits::Disk { path: path.clone(), free: Bytes(5), wanted: gib(1), again: gib(1) },
            Why::WaitingForDisk,
            "diskfree",
            "disk space: 5 B of 1 GiB free on the file system of /data",
        ),
        (
            Waits::Unreadable { what: Resource::Disk(path), error: "gone".to_owned() },
            Why::WaitingForDisk,
            "diskfree",
            "disk space: cannot look at /data: gone",
        ),
        (
            Waits::Lack { what: Lack::OpenFiles, error: "too many".to_owned() },
            Why::LacksResources,
            "workers",
            "open files: too many",
        ),
        (
            Waits::Window { windows: "22:00-06:00 (UTC)".to_owned(), until },
            Why::WaitingForWindow,
            "window",
            "the window 22:00-06:00 (UTC), which opens at 2026-05-28T20:26:40.000Z",
        ),
        (
            Waits::Budget { said: "budget of 20 usd a day: 20 spent today".to_owned(), until },
            Why::OverBudget,
            "budget",
            "the next day of its budget, which begins at 2026-05-28T20:26:40.000Z (budget of 20 usd a day: 20 spent today)",
        ),
        (
            Waits::MeterRate { rate: "90000/1m00s tokens".to_owned(), until },
            Why::RateLimited,
            "rate",
            "its rate of 90000/1m00s tokens",
        ),
        (Waits::Time { until }, Why::WaitingForTime, "not-before", "2026-05-28T20:26:40.000Z (not-before)"),
    ] {
        assert_eq!((waits.cause(), waits.limit(), waits.to_string().as_str()), (cause, limit, text));
        let json = serde_json::to_string(&waits).unwrap();
        assert_eq!(serde_json::from_str::<Waits>(&json).unwrap(), waits);
    }
}
