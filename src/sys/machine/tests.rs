//! Machines made of files.

use super::*;

const MIB: u64 = 1 << 20;

/// A machine of four processors with 1000 MiB available, on which two threads run, one of them ours.
fn machine(dir: &tempfile::TempDir, files: &[(&str, &str)]) -> Machine {
    let plain = [
        ("proc/meminfo", "MemTotal: 4096000 kB\nMemAvailable:    1024000 kB\n"),
        ("proc/loadavg", "9.00 9.00 9.00 2/300 4711\n"),
        ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-2,5\n"),
        ("proc/self/task/7/stat", "7 (x) R 1"),
        ("proc/7/stat", "7 (x) R 1"),
    ];
    for (path, text) in plain.iter().chain(files) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Machine { root: dir.path().to_owned() }
}

fn memory(files: &[(&str, &str)]) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    machine(&dir, files).available_memory().unwrap() / MIB
}

fn load(files: &[(&str, &str)]) -> (u64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let load = machine(&dir, files).load(|load| load.runnable > 2).unwrap();
    (load.runnable, load.processors)
}

#[test]
fn without_a_group_the_machine_counts() {
    assert_eq!(memory(&[]), 1000);
    assert_eq!(load(&[]), (1, 4.0));
}

#[test]
fn the_smallest_limit_on_the_way_up_counts() {
    let files = [
        ("proc/self/cgroup", "0::/a/b\n"),
        ("sys/fs/cgroup/cgroup.controllers", "memory cpu\n"),
        ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ("sys/fs/cgroup/a/b/memory.high", "max\n"),
        ("sys/fs/cgroup/a/memory.max", "314572800\n"),
        ("sys/fs/cgroup/a/memory.current", "209715200\n"),
        ("sys/fs/cgroup/a/memory.stat", "active_file 5\ninactive_file 104857600\n"),
        ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/a/cgroup.threads", ""),
        ("sys/fs/cgroup/a/b/cgroup.threads", "7\n8\n9\n10\n"),
        ("proc/8/stat", "8 (a) b) R 1"),
        ("proc/9/stat", "9 (x) S 1"),
    ];

    assert_eq!(memory(&files), 200);
    assert_eq!(load(&files), (1, 1.5));
}

#[test]
fn groups_of_version_1_count_too() {
    let files = [
        ("proc/self/cgroup", "4:memory:/a\n1:cpu,cpuacct:/a\n0::/\n"),
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "104857600\n"),
        ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "52428800\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "200000\n"),
        ("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/cpu/a/tasks", "7\n8\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("proc/8/stat", "8 (x) R 1"),
    ];

    assert_eq!(memory(&files), 50);
    assert_eq!(load(&files), (1, 2.0));
}

#[test]
fn a_container_whose_path_is_that_of_the_host_has_its_limit_at_the_top() {
    let files = [
        ("proc/self/cgroup", "0::/docker/abc\n"),
        ("sys/fs/cgroup/cgroup.controllers", "memory\n"),
        ("sys/fs/cgroup/memory.max", "104857600\n"),
        ("sys/fs/cgroup/memory.current", "209715200\n"),
    ];

    assert_eq!(memory(&files), 0);
}

#[test]
fn own_threads_are_not_load() {
    let busy = [
        ("proc/loadavg", "9.00 9.00 9.00 5/300 4711\n"),
        ("proc/self/task/8/stat", "8 (x) R 1"),
        ("proc/8/stat", "8 (x) R 1"),
    ];

    assert_eq!(load(&busy), (3, 4.0));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let broken = machine(&dir, &[("proc/meminfo", "MemTotal: 5 kB\n"), ("proc/loadavg", "1\n")]);

    assert!(broken.available_memory().is_err());
    assert!(broken.load(|_| false).is_err());
    assert!(broken.free_space(&dir.path().join("gone")).is_err());
}

#[test]
fn this_machine_can_be_read() {
    let this = Machine::this();

    assert!(this.available_memory().unwrap() > 0);
    assert!(this.load(|_| true).unwrap().processors > 0.0);
}
