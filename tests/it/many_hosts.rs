//! What the hosts of a job spend together.

use crate::support::Hosts;

#[test]
fn fault_459_what_four_managers_bill_exceeds_their_budget_by_what_the_workers_of_three_take_at_most() {
    const COST: usize = 5;
    const BUDGET: usize = 150;
    const WORKERS: usize = 3;
    for length in ["0.02", "0.4"] {
        let Some(hosts) = Hosts::new() else { return };
        let names = ["one", "two", "three", "four"];
        let options =
            ["-j", "3", "--budget", "usd=150", "--reserve", "usd=5", "--meter", "usd=.cost", "--result", "json"];
        let script =
            format!("until [ -e go ]; do sleep 0.01; done; echo 1 >>bill; sleep {length}; echo '{{{{\"cost\": 5}}}}'");
        let job = hosts.create(400, &options, &script);

        hosts.start_on(&names, &job);
        hosts.let_go();
        hosts.wait_for_status(&job, "paused");

        let billed = hosts.lines("bill").len() * COST;
        let spent = hosts.count("SELECT spent / 1000000 FROM meters");
        println!("units of {length} s: {billed} billed of a budget of {BUDGET}");
        assert_eq!(usize::try_from(spent).unwrap(), billed);
        assert!(
            (BUDGET - COST..=BUDGET + 3 * WORKERS * COST).contains(&billed),
            "{billed} billed, units of {length} s"
        );
    }
}
