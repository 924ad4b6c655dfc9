//! Shares of one batch on several machines: the examples that docs/many-machines.md names, run as its readers would.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

use nix::sys::signal::Signal;

use crate::support::{
    BIN, Batch, Cluster, SHARE, World, children_of, is_root, kill_world, repeat, send, text, wait_for, without,
    without_tool,
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
const STOPPED: Option<i32> = Some(12);

fn stop(mut process: Child) -> ExitStatus {
    send(process.id(), Signal::SIGTERM);
    process.wait().unwrap()
}

#[test]
fn a_share_that_is_stopped_goes_on_where_it_was() {
    let world = World::new();
    let batch = Batch::new(&world, 40);
    let first = batch.share("a", 1, 2).spawn().unwrap();
    let second = batch.share("b", 2, 2).spawn().unwrap();
    batch.wait_for_half();

    let stopped = [stop(first), stop(second)];
    let report = world.lines("out/files-1-of-2.jsonl");
    batch.let_go();
    let again = [("a", 1), ("b", 2)].map(|(machine, number)| batch.share(machine, number, 2).status().unwrap());

    assert_eq!(stopped.map(|status| status.code()), [STOPPED; 2]);
    assert_eq!(report.iter().filter(|line| line.contains("\"completed\"")).count(), 10, "{report:?}");
    assert!(again.iter().all(ExitStatus::success), "{again:?}");
    batch.assert_whole();
    assert_eq!(world.lines("out/files-2-of-2.jsonl").len(), 20);
    // Nothing is left on the machines.
    assert_eq!(world.sh("ls local-a local-b").stdout, b"local-a:\n\nlocal-b:\n");
    world.assert_no_process_left();
}

#[test]
fn what_a_dead_machine_had_made_is_not_made_again_on_another_one() {
    let world = World::new();
    let batch = Batch::new(&world, 40);
    let mut dying = batch.share("a", 1, 1).spawn().unwrap();
    batch.wait_for_half();

    kill_world(&world);
    dying.wait().unwrap();
    batch.let_go();
    let status = batch.share("b", 1, 1).status().unwrap();

    assert!(status.success(), "{status}");
    batch.assert_whole();
}

#[test]
fn a_share_without_its_list_fails() {
    let world = World::new();

    let output = world.command("sh").arg(SHARE).args(["1", "2", "/nowhere/list"]).arg(world.path("out")).output();

    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("/nowhere/list"), "{}", text(&output.stderr));
}

#[test]
fn an_array_of_slurm_makes_what_one_command_makes_although_tasks_are_queued_again_and_a_node_dies() {
    let world = World::new();
    if let Some(program) = Cluster::missing(&world) {
        return without_tool(program);
    }
    if !is_root() {
        return without("Slurm's daemons need root");
    }
    let batch = Batch::new(&world, repeat(300, 2_000));
    let mut cluster = Cluster::start(&world);
    let mut sbatch = batch.on("unused", cluster.command("sbatch"));
    sbatch.env_remove("STATE").args(["--parsable", "--export=ALL"]);
    let submitted = sbatch.arg(format!("{EXAMPLES}/slurm-array/array.sbatch")).output().unwrap();
    let array = text(&submitted.stdout).trim().to_owned();
    batch.wait_for_half();
    let tasks = cluster.tasks(&array);
    let on = |node: &str| -> Vec<String> {
        tasks.iter().filter(|task| task.2 == node).map(|task| format!("{array}_{}", task.0)).collect()
    };
    assert!(tasks.len() == 6 && ["n1", "n2", "n3"].iter().all(|node| on(node).len() == 2), "{tasks:?}");

    // The limit of time comes near one task, one is put back by hand, one cancelled, and a node dies with its two.
    cluster.ok("scancel", &["--batch", "--signal=USR1", &on("n1")[0]]);
    cluster.ok("scontrol", &["requeue", &on("n2")[0]]);
    cluster.ok("scancel", &[&on("n2")[1]]);
    wait_for(&world, "three tasks to be stopped", || {
        let states = states_of(&cluster, &array);
        states.iter().filter(|state| *state == "PENDING").count() == 2 && states.contains(&"CANCELLED".to_owned())
    });
    cluster.kill_last_node();
    wait_for(&world, "the tasks of the node to be queued again", || {
        states_of(&cluster, &array).iter().filter(|state| *state == "PENDING").count() == 4
    });
    let made = batch.made();
    cluster.ok("scontrol", &["requeue", &on("n2")[1]]);
    batch.let_go();
    // Slurm waits for two minutes before such a task may start; it refuses one of the second in which it was ended.
    for task in [&on("n1")[..1], &on("n2"), &on("n3")].concat() {
        cluster.ok("scontrol", &["update", &format!("jobid={task}"), "starttime=now+2"]);
    }
    wait_for(&world, "six tasks to complete", || states_of(&cluster, &array) == ["COMPLETED"; 6]);

    assert_eq!(made, batch.files / 2, "something was done that was held back");
    batch.assert_whole();
}

fn states_of(cluster: &Cluster<'_>, array: &str) -> Vec<String> {
    cluster.tasks(array).into_iter().map(|task| task.1).collect()
}

/// Returns the command of the container, with the paths of a world in the place of its volumes.
fn command_of_container(world: &World) -> String {
    let manifest = fs::read_to_string(format!("{EXAMPLES}/kubernetes-indexed-job/job.yaml")).unwrap();
    let command = manifest.lines().find_map(|line| line.trim().strip_prefix("- exec sh ")).expect("a command");
    let dir = world.path("").display().to_string();
    format!("exec sh {command}").replace("/share/share.sh", SHARE).replace("/batch/", &dir)
}

#[test]
fn pods_that_are_ended_or_lost_are_replaced_by_ones_that_make_the_rest() {
    let world = World::new();
    if !is_root() {
        return without("a namespace of processes needs root");
    }
    let batch = Batch::new(&world, 60);
    let script = command_of_container(&world);
    let pod = |index: usize, try_: usize| {
        let mut command = batch.on(&format!("pod-{index}-{try_}"), world.command("unshare"));
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &script]);
        command.env("JOB_COMPLETION_INDEX", index.to_string()).spawn().unwrap()
    };
    let mut pods: Vec<Child> = (0..6).map(|index| pod(index, 1)).collect();
    batch.wait_for_half();

    // What is sent to the first process of a pod, and to nothing else in it.
    for ended in &pods[..3] {
        children_of(ended.id()).iter().for_each(|first| send(*first, Signal::SIGTERM));
    }
    pods[3..].iter_mut().for_each(|lost| lost.kill().unwrap());
    let ends: Vec<Option<i32>> = pods.iter_mut().map(|pod| pod.wait().unwrap().code()).collect();
    world.assert_no_process_left();
    batch.let_go();
    let again: Vec<Child> = (0..6).map(|index| pod(index, 2)).collect();
    let again = again.into_iter().map(|mut pod| pod.wait().unwrap()).collect::<Vec<_>>();

    assert_eq!(ends, [STOPPED, STOPPED, STOPPED, None, None, None]);
    assert!(again.iter().all(ExitStatus::success), "{again:?}");
    batch.assert_whole();
}

#[test]
fn the_manifest_is_one_that_kubernetes_takes() {
    let world = World::new();
    let installed = PathBuf::from(BIN).ancestors().nth(2).unwrap().join("python/bin/kubernetes-validate");
    let program = if installed.exists() { installed } else { "kubernetes-validate".into() };

    let checked =
        world.command(program).arg("--strict").arg(format!("{EXAMPLES}/kubernetes-indexed-job/job.yaml")).output();

    let Ok(checked) = checked else { return without("no kubernetes-validate") };
    assert!(checked.status.success(), "{}{}", text(&checked.stdout), text(&checked.stderr));
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_of_a_share() {
    let world = World::new();
    let unit = format!("{EXAMPLES}/systemd/job-manager-share@1.service");

    let verified = world.command("systemd-analyze").arg("verify").arg(unit).output();

    let Ok(verified) = verified else { return without("systemd-analyze is not installed") };
    let said = text(&verified.stderr);
    assert!(verified.status.success() && !said.contains("job-manager"), "{said}");
}

#[test]
fn gnu_parallel_gives_the_share_of_a_host_that_does_not_answer_to_another_one() {
    let world = World::new();
    if world.command("parallel").arg("--version").output().is_err() {
        return without_tool("parallel");
    }
    let batch = Batch::new(&world, 40);
    batch.let_go();
    // Stands for ssh, which sets SHELL at the other end: a host is a directory, and one of them is down.
    let ssh = "#!/bin/sh\nhost=$1; shift; [ \"$1\" != -- ] || shift\n[ $host != down ] || exit 255\n\
        echo $host >>hosts; SHELL=/bin/sh STATE=$PWD/local-$host exec sh -c \"$*\"\n";
    let ssh = world.write("bin/ssh", ssh);
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();

    let mut run = batch.on("unused", world.command("sh"));
    run.arg(format!("{EXAMPLES}/parallel-ssh/run.sh")).args(["4", "one,two,down"]).arg(SHARE);
    run.arg(world.path("files")).arg(world.path("out")).env("PARALLEL_SSH", &ssh);
    let output = run.output().unwrap();

    assert!(output.status.success(), "{}", text(&output.stderr));
    batch.assert_whole();
    let hosts = world.lines("hosts");
    assert!(["one", "two"].iter().all(|host| hosts.contains(&(*host).to_owned())), "{hosts:?}");
}

#[test]
fn the_page_names_every_example_for_many_machines() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/many-machines.md")).unwrap();

    for dir in ["share", "slurm-array", "kubernetes-indexed-job", "systemd", "parallel-ssh"] {
        for file in fs::read_dir(format!("{EXAMPLES}/{dir}")).unwrap() {
            let link = format!("(../examples/{dir}/{})", file.unwrap().file_name().to_str().unwrap());
            assert!(page.contains(&link), "docs/many-machines.md has no {link}");
        }
    }
}
