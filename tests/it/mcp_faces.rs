//! What other faces of the program do for a model: the page about a job, and a dashboard for the person.

use serde_json::json;

use crate::support::{Host, World};

#[test]
fn a_report_is_the_page_of_the_command_line_in_markdown() {
    let world = World::new();
    world.run(&["run", "-q", "--range", "1-5", "--max-attempts", "1", "--", "sh", "-c", "[ $1 != 3 ]", "-", "{}"]);
    let mut host = Host::bounded(&world, &["--read-only"]);

    let report = host.ok("report", json!({ "job": 1 }));

    assert_eq!(report["markdown"].as_str().unwrap().trim_end(), world.ok(&["report", "--format", "md", "1"]));
    assert!(report["markdown"].as_str().unwrap().contains("Why units failed"), "{report}");
}

#[cfg(feature = "serve")]
#[test]
fn a_dashboard_for_the_person_shows_jobs_and_changes_none_also_not_by_its_token_elsewhere() {
    let world = World::new();
    let mut host = Host::bounded(&world, &["--read-only"]);
    let nothing = host.refused("open_dashboard", json!({}));
    world.ok(&["create", "--", "true"]);

    let url = host.ok("open_dashboard", json!({}))["url"].as_str().unwrap().to_owned();
    let of_job = host.ok("open_dashboard", json!({ "job": 1 }))["url"].clone();
    let (address, token) = url.strip_prefix("http://").unwrap().split_once("/?token=").unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    let origin = format!("http://{address}");
    let asked = |origin: &str, request: &[&str]| {
        let mut curl = world.command("curl");
        curl.args(["-s", "-o", "answer", "-w", "%{http_code}", "-H", &bearer])
            .args(request)
            .arg(format!("{origin}/api/jobs"));
        crate::support::text(&curl.output().unwrap().stdout)
    };
    let read = asked(&origin, &[]);
    let mut post = world.command("curl");
    post.args(["-s", "-X", "POST", "-H", &bearer, &format!("{origin}/api/jobs/1/cancel")]);
    let refused = crate::support::text(&post.output().unwrap().stdout);
    let other = world.serve(&[]);
    let elsewhere = asked(&format!("http://127.0.0.1:{}", other.port), &[]);
    drop(host);

    assert!(nothing.contains("no jobs yet"), "{nothing}");
    assert_eq!(of_job, format!("{url}#/jobs/1"));
    assert_eq!(read, "200");
    assert!(refused.contains("read-only"), "{refused}");
    assert_eq!(elsewhere, "401");
    assert_ne!(other.token, token);
    assert_eq!(world.status("1")["job_status"], "created");
    assert_eq!(asked(&origin, &[]), "000");
}
