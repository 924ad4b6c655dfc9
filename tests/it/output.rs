//! What is kept of the output of units.

use crate::support::World;

#[test]
fn output_that_nobody_wants_is_not_kept_and_what_a_unit_leaves_behind_is_ended_all_the_same() {
    let world = World::new();
    // It leaves the unit's group, and keeps nothing of the unit but its standard input.
    let script = "echo noise; exec 3<&0; setsid sh -c 'echo >started; exec sleep 600' <&3 3<&- >/dev/null 2>&1 & \
        while ! test -e started; do sleep 0.01; done; echo {} >>done";

    world.ok(&["run", "-q", "-j", "1", "--output", "none", "--kill-after", "1s", "--shell", "--", script, ":::", "a"]);

    let unit = &world.units("1")[0];
    assert_eq!((unit["status"].as_str(), unit["stdout"].as_str()), (Some("completed"), None), "{unit}");
    assert_eq!(world.lines("done"), ["a"]);
    world.assert_no_process_left();
    world.assert_sound("1");
}
