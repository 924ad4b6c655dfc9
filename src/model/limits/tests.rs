//! Limits on their way through JSON.

use super::*;

#[test]
fn limits_survive_the_way_through_json() {
    let limits = Limits { timeout: Some(Duration::from_millis(1500)), ..Limits::default() };

    let json = serde_json::to_string(&limits).unwrap();

    assert_eq!(serde_json::from_str::<Limits>(&json).unwrap(), limits);
}

#[test]
fn a_time_limit_of_zero_is_none_and_a_short_one_is_not_zero() {
    let of = |timeout| {
        let limits = Limits { timeout: Some(timeout), ..Limits::default() };
        serde_json::from_str::<Limits>(&serde_json::to_string(&limits).unwrap()).unwrap().timeout
    };

    assert_eq!(of(Duration::ZERO), None);
    assert_eq!(of(Duration::from_micros(1)), Some(Duration::from_millis(1)));
}

#[test]
fn a_bound_that_an_older_version_did_not_write_has_its_default() {
    let limits: Limits = serde_json::from_str(r#"{"workers":3}"#).unwrap();

    assert_eq!(limits, Limits { workers: 3, ..Limits::default() });
}
