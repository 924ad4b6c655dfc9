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
    let (address, token) = url.strip_prefix("http://").unwrap().split_once("/#token=").unwrap();
    let origin = format!("http://{address}");
    let writing = world.serve(&[]);
    let other = format!("http://127.0.0.1:{}", writing.port);
    let of_programs = std::fs::read_to_string(world.path("jobs.db.d/dashboard.read-only.token")).unwrap();
    let curl = |args: &[&str]| {
        let mut curl = world.command("curl");
        let output = curl.args(["-s", "-w", "%{http_code}", "-b", "jar", "-c", "jar"]).args(args).output().unwrap();
        crate::support::text(&output.stdout)
    };
    let asked = |origin: &str, request: &[&str], path: &str, token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        curl(&[&["-o", "answer", "-H", &bearer][..], request, &[&format!("{origin}/api/v1/{path}")]].concat())
    };
    let session = ["-X", "POST"];
    let elsewhere = [asked(&other, &session, "session", token), asked(&other, &[], "jobs", of_programs.trim())];
    let entered = [asked(&origin, &session, "session", token), asked(&origin, &[], "jobs", of_programs.trim())];
    let read = curl(&["-o", "answer", &format!("{origin}/api/v1/jobs")]);
    let from_the_page = format!("Origin: {origin}");
    let refused = curl(&["-X", "POST", "-H", &from_the_page, &format!("{origin}/api/v1/jobs/1/cancel")]);
    drop(host);

    assert!(nothing.contains("no jobs yet"), "{nothing}");
    assert_eq!(of_job, format!("{url}/jobs/1"));
    assert_eq!((entered, read.as_str()), (["200", "200"].map(str::to_owned), "200"));
    assert!(refused.contains("read-only"), "{refused}");
    assert_eq!(elsewhere, ["401", "401"]);
    assert_eq!(world.status("1")["job_status"], "created");
    assert_eq!(asked(&origin, &session, "session", token), "000");
}
