//! What a manager waits for among the units of a job that has others.

use crate::model::{Seq, UnitFilter};
use crate::postgres_server::Server;
use crate::store::conformance::{LATER, NOW, job_of, lease_on};
use crate::store::{Access, PageBound, Store};
use crate::without::without_tool;

/// Returns a database of its own on a server; none where no server is installed.
fn store(dir: &std::path::Path) -> Option<Store> {
    let server = Server::shared()?;
    let opened = crate::store::postgres::open_in(server.database().as_ref(), Access::Create, dir).unwrap();
    Some(Store::on_server(opened, Access::Create).unwrap())
}

#[test]
fn fault_353_a_manager_waits_for_no_unit_that_it_would_not_get() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut store) = store(dir.path()) else { return without_tool("postgres") };
    let job = job_of(&mut store, 4);
    let lease = lease_on(&mut store, job);
    store.claim(lease, 2, Seq::MAX).unwrap();
    let send_back = |store: &mut Store, seq: i64| {
        store.skip_units(job, &UnitFilter::one(Seq(seq)), "", NOW).unwrap();
        store.retry_units(
            job,
            &UnitFilter { statuses: vec![crate::model::UnitStatus::Skipped], ..UnitFilter::one(Seq(seq)) },
            NOW,
        )
    };

    // Nobody has claimed it.
    assert_eq!(send_back(&mut store, 4).unwrap(), 1);
    let of_nobody = store.next_due(lease, Seq::MAX).unwrap();
    // It has.
    assert_eq!(send_back(&mut store, 1).unwrap(), 1);
    let own = store.next_due(lease, Seq::MAX).unwrap();
    let got = store.due_units(lease, LATER, Seq::MAX, PageBound::units(9)).unwrap().units;

    assert_eq!((of_nobody, own), (None, Some(NOW)));
    assert_eq!(got.iter().map(|unit| unit.id.seq()).collect::<Vec<_>>(), [Seq(1)]);
}
