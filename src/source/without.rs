//! Tests whose tool is missing.

/// Says that a test could not be run here because a program is missing that `.ci/run` installs; fails it there.
pub(super) fn without_tool(test: &str, tool: &str) {
    assert!(std::env::var_os("JM_TEST_REQUIRE_ALL").is_none(), "{test}: no {tool}, and JM_TEST_REQUIRE_ALL is set");
    println!("skipped: {test}: no {tool}");
}
