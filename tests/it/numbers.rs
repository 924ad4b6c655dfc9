//! Numbers that people and scripts write down name one thing for ever.

use crate::support::World;

#[test]
fn fault_255_the_number_of_a_deleted_job_is_never_given_to_another_one() {
    let world = World::new();
    let create = || world.ok(&["create", "-q", "--", "true"]);
    for number in ["1", "2"] {
        assert_eq!(create(), number);
    }

    world.ok(&["rm", "-y", "2"]);
    assert_eq!(create(), "3");
    world.sql("UPDATE jobs SET status = 'cancelled', finished_at = 1, pending = 0, cancelled = 1");
    world.ok(&["prune", "-y"]);

    assert_eq!(create(), "4");
}
