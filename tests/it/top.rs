//! `top` in a pseudo terminal: what it shows, what its keys do, and how it leaves the terminal.

use std::process::Output;

use crate::support::{World, text};

/// Runs `top` in a terminal of its own. Its arguments are pairs: a text to wait for, and keys to press then, TERM for the
/// signal, or CLOSE to have the terminal disappear. Prints the exit code or negative signal, and whether the terminal's
/// settings are as before and the other screen was left; of a terminal that has disappeared, whether the end came within
/// 2 seconds and took next to no processor time. With NO_HANGUP the terminal is not the controlling one, so that its end
/// sends no signal. Standard error goes elsewhere.
const IN_TERMINAL: &str = r#"
import fcntl, os, pty, select, signal, struct, sys, termios, time
steps = list(zip(sys.argv[1::2], sys.argv[2::2]))
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    if 'NO_HANGUP' not in os.environ: fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (0, 1): os.dup2(slave, number)
    for number in (master, slave): os.close(number)
    os.execvp(os.environ['BIN'], [os.environ['BIN'], 'top'])
seen, deadline, closed = b'', time.time() + 50, None
def more():
    if closed:
        time.sleep(0.01)
        return b''
    ready = select.select([master], [], [], 0.05)[0]
    return os.read(master, 65536) if ready else b''
while True:
    seen += more()
    if steps and steps[0][0].encode() in seen:
        action, seen = steps.pop(0)[1], b''
        if action == 'TERM': os.kill(pid, signal.SIGTERM)
        elif action == 'CLOSE':
            os.close(slave)
            os.close(master)
            closed = time.time()
        else: os.write(master, action.encode())
    ended, status, used = os.wait4(pid, os.WNOHANG)
    if ended: break
    if time.time() > deadline:
        os.kill(pid, signal.SIGKILL)
        sys.exit('gave up: ' + repr(steps) + repr(seen))
code = os.waitstatus_to_exitcode(status)
if closed:
    print(code, time.time() - closed < 2, used.ru_utime + used.ru_stime < 1)
    sys.exit()
while rest := more(): seen += rest
print(code, termios.tcgetattr(slave) == before, b'\x1b[?1049l' in seen)
"#;

fn in_terminal(world: &World, steps: &[&str]) -> Output {
    in_terminal_with(world, steps, "HANGUP")
}

fn in_terminal_with(world: &World, steps: &[&str], variable: &str) -> Output {
    world
        .command("python3")
        .args(["-c", IN_TERMINAL])
        .args(steps)
        .env("TERM", "xterm")
        .env(variable, "1")
        .output()
        .unwrap()
}

#[test]
fn top_shows_a_job_and_leaves_the_terminal_as_it_was() {
    let world = World::new();
    world.ok(&["submit", "-q", "--name", "a job to see", "--", "sleep", "600"]);

    let ran = in_terminal(&world, &["a job to see", "q"]);

    assert_eq!(text(&ran.stdout), "0 True True\n", "{}", text(&ran.stderr));
    assert_eq!(world.status("1")["job_status"], "running");
}

#[test]
fn top_gives_the_terminal_back_before_it_dies_of_a_signal() {
    let world = World::new();
    world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);

    let ran = in_terminal(&world, &["a job to see", "TERM"]);

    assert_eq!(text(&ran.stdout), "-15 True True\n", "{}", text(&ran.stderr));
}

#[test]
fn top_ends_with_its_terminal_and_without_a_busy_wait() {
    let world = World::new();
    world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);

    let hung_up = in_terminal(&world, &["a job to see", "CLOSE"]);
    let unsaid = in_terminal_with(&world, &["a job to see", "CLOSE"], "NO_HANGUP");

    // The signal may come a moment too late to be what it ends of.
    assert!(matches!(text(&hung_up.stdout).as_str(), "-1 True True\n" | "0 True True\n"), "{hung_up:?}");
    assert_eq!(text(&unsaid.stdout), "0 True True\n", "{}", text(&unsaid.stderr));
}

#[test]
fn half_an_escape_sequence_keeps_nobody_from_ending_top() {
    let world = World::new();
    world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);

    // The sequence is read by the time the help that a key before it asked for is seen.
    let ended = in_terminal(&world, &["a job to see", "?\u{1b}[", "canary", "TERM"]);
    let closed = in_terminal_with(&world, &["a job to see", "?\u{1b}[", "canary", "CLOSE"], "NO_HANGUP");

    assert_eq!(text(&ended.stdout), "-15 True True\n", "{}", text(&ended.stderr));
    assert_eq!(text(&closed.stdout), "0 True True\n", "{}", text(&closed.stderr));
}

#[test]
fn a_key_stops_the_selected_job_and_the_screen_shows_it() {
    let world = World::new();
    world.ok(&["submit", "-q", "-j", "1", "--name", "a job to see", "--range", "1-1000", "--", "sleep", "0.{}"]);

    let ran = in_terminal(&world, &["a job to see", "s", "paused", "q"]);

    assert_eq!(text(&ran.stdout), "0 True True\n", "{}", text(&ran.stderr));
    assert_eq!(world.status("1")["job_status"], "paused");
}

#[test]
fn what_the_last_keys_asked_for_is_done_and_told_before_top_ends() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);

    let ran = in_terminal(&world, &["a job to see", "rq"]);

    assert_eq!(text(&ran.stdout), "0 True True\n", "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains(&format!("job {job} goes on")), "{}", text(&ran.stderr));
    world.ok(&["wait", &job]);
}

#[test]
fn what_the_last_keys_asked_for_in_vain_is_an_error() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);
    let _lock = world.hold_write_lock();

    let ran = in_terminal(&world, &["a job to see", "cyq"]);

    assert_eq!(text(&ran.stdout), "5 True True\n", "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("error: "), "{}", text(&ran.stderr));
    assert_eq!(world.status(&job)["job_status"], "created");
}

#[test]
fn a_signal_ends_the_wait_for_what_the_last_keys_asked_for() {
    let world = World::new();
    world.ok(&["create", "-q", "--name", "a job to see", "--", "true"]);
    let _lock = world.hold_write_lock();

    let ran = in_terminal(&world, &["a job to see", "cyq", "\u{1b}[?1049l", "TERM"]);

    assert_eq!(text(&ran.stdout), "-15 True False\n", "{}", text(&ran.stderr));
}

#[test]
fn without_a_terminal_top_names_other_ways() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    let piped = world.fails(2, &["top"]);

    assert!(piped.contains("`list`") && piped.contains("`watch`"), "{piped}");
}
