//! Who is let in to a dashboard, and who is not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::{Reply, Served, World, is_root, text, without};

const VERBS: [&str; 7] = ["stop", "resume", "cancel", "retry", "scale", "approve", "reject"];

fn served(flags: &[&str]) -> (World, Served) {
    let world = World::new();
    world.ok(&["create", "--name", "private", "--", "true"]);
    let dashboard = world.serve(flags);
    (world, dashboard)
}

fn assert_closed(reply: &Reply) {
    assert!(!reply.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{reply:?}");
    assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'none'; script-src 'self';"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(reply.status == 200 || !reply.body.contains("private"), "{reply:?}");
}

#[test]
fn fault_85_only_the_page_itself_and_whoever_has_the_token_are_answered() {
    let (_world, dashboard) = served(&[]);
    let port = dashboard.port;
    let bearer = format!("Bearer {}", dashboard.token);
    let cookie = format!("a=b; {}", dashboard.sign_in());
    let name = format!("job_manager_session_{port}");
    let wrong = format!("Bearer {}", "0".repeat(64));
    let host = format!("127.0.0.1:{port}");
    let named = |name: &str| format!("{name}:{port}");
    let origin = |name: &str| format!("http://{name}:{port}");

    for (status, headers) in [
        (200, vec![("Host", host.clone()), ("Authorization", bearer.clone())]),
        (200, vec![("Host", named("LocalHost")), ("Authorization", bearer.clone())]),
        (200, vec![("Host", named("[::1]")), ("Authorization", bearer.clone())]),
        (200, vec![("Host", host.clone()), ("Cookie", cookie.clone())]),
        (200, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", origin("127.0.0.1"))]),
        (200, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Sec-Fetch-Site", "same-origin".to_owned())]),
        (200, vec![("Host", named("LocalHost")), ("Cookie", cookie.clone()), ("Origin", origin("localhost"))]),
        // A name that was made to lead here.
        (421, vec![("Host", named("evil.example")), ("Authorization", bearer.clone())]),
        (421, vec![("Host", "127.0.0.1".to_owned()), ("Authorization", bearer.clone())]),
        (421, vec![("Host", "127.0.0.1:1".to_owned()), ("Authorization", bearer.clone())]),
        (421, vec![("Host", named("127.0.0.1.evil.example")), ("Authorization", bearer.clone())]),
        (421, vec![("Host", host.clone()), ("Host", named("evil.example")), ("Authorization", bearer.clone())]),
        // A page of somebody else, with the cookie or with the token.
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", "http://evil.example".to_owned())]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", "null".to_owned())]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", "http://127.0.0.1:1".to_owned())]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", format!("https://{host}"))]),
        // Others may listen there.
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", origin("localhost"))]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Origin", origin("[::1]"))]),
        (403, vec![("Host", named("localhost")), ("Cookie", cookie.clone()), ("Origin", origin("127.0.0.1"))]),
        (403, vec![("Host", host.clone()), ("Authorization", bearer.clone()), ("Origin", origin("evil.example"))]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Sec-Fetch-Site", "cross-site".to_owned())]),
        (403, vec![("Host", host.clone()), ("Cookie", cookie.clone()), ("Sec-Fetch-Site", "same-site".to_owned())]),
        // Nobody that is known.
        (401, vec![("Host", host.clone())]),
        (401, vec![("Host", host.clone()), ("Authorization", wrong)]),
        (401, vec![("Host", host.clone()), ("Authorization", bearer[..bearer.len() - 1].to_owned())]),
        (401, vec![("Host", host.clone()), ("Authorization", format!("Basic {}", dashboard.token))]),
        (401, vec![("Host", host.clone()), ("Cookie", format!("{name}="))]),
        // What is shown to programs is no cookie.
        (401, vec![("Host", host.clone()), ("Cookie", format!("{name}={}", dashboard.token))]),
        // Nor is what stands in the address, which is shown once.
        (401, vec![("Host", host.clone()), ("Cookie", format!("{name}={}", dashboard.entry))]),
        (401, vec![("Host", host.clone()), ("Authorization", format!("Bearer {}", dashboard.entry))]),
    ] {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (request, is_public) in [
            ("GET /api/v1/jobs", false),
            ("GET /", true),
            ("GET /metrics", false),
            ("GET /api/v1/about", false),
            ("GET /api/v1/jobs/1/download/log.txt", false),
            ("GET /app.js", true),
        ] {
            let reply = dashboard.bare(request, &headers, "");

            // The files of the page hold nothing of anybody; there is no log yet.
            let status = match status {
                401 if is_public => 200,
                200 if request.contains("log") => 404,
                status => status,
            };
            assert_eq!(reply.status, status, "{request} {headers:?}");
            assert_closed(&reply);
        }
    }
}

#[test]
fn fault_85_nothing_is_changed_by_a_get_or_by_a_page_of_somebody_else() {
    let (world, dashboard) = served(&[]);
    let cookie = dashboard.sign_in();
    let (host, body) = (dashboard.host(), r#"{"workers":9}"#);
    let json = ("Content-Type", "application/json");
    let before = world.status("1");

    for verb in VERBS {
        let path = format!("/api/v1/jobs/1/{verb}");
        let got = dashboard.ask(&format!("GET {path}"), &[json], body);
        // As a form of another page would be sent by an old browser that does not say where it comes from.
        let form = dashboard.bare(&format!("POST {path}"), &[("Host", &host), ("Cookie", &cookie)], "");
        let asked =
            dashboard.bare(&format!("OPTIONS {path}"), &[("Host", &host), ("Origin", "http://evil.example")], "");

        assert_eq!((got.status, form.status, asked.status), (405, 403, 403), "{verb}");
        [got, form, asked].iter().for_each(assert_closed);
    }
    assert_eq!(world.status("1"), before);

    let origin = format!("http://{host}");
    let own = [("Host", host.as_str()), ("Cookie", &cookie), ("Origin", &origin), json];
    assert_eq!(dashboard.bare("POST /api/v1/jobs/1/scale", &own, body).status, 200);
    assert_eq!(world.status("1")["workers"], 9);
}

#[test]
fn fault_85_a_read_only_dashboard_changes_nothing() {
    let (world, dashboard) = served(&["--read-only"]);
    let before = world.status("1");

    for verb in VERBS {
        let reply = dashboard.post(&format!("/api/v1/jobs/1/{verb}"), r#"{"workers":9}"#);

        assert_eq!(
            (reply.status, reply.json()["error"].as_str()),
            (403, Some("this dashboard is read-only")),
            "{verb}"
        );
    }
    assert_eq!(dashboard.get("/api/v1/about")["read_only"], true);
    assert_eq!(world.status("1"), before);
}

#[test]
fn fault_85_opening_the_address_sets_a_cookie_that_no_script_can_read_and_leaves_the_token_out() {
    let (_world, dashboard) = served(&["--read-only"]);
    let host = dashboard.host();
    let origin = format!("http://{host}");
    let enter = |token: &str, more: &[(&str, &str)]| {
        let bearer = format!("Bearer {token}");
        dashboard.bare("POST /api/v1/session", &[&[("Host", &host[..]), ("Authorization", &bearer)], more].concat(), "")
    };

    let opened = enter(&dashboard.entry, &[("Origin", &origin), ("Sec-Fetch-Site", "same-origin")]);
    let by_program = enter(&dashboard.token, &[]);
    let refused = [
        enter("0", &[]),
        enter(&dashboard.entry, &[("Origin", "http://evil.example")]),
        enter(&dashboard.entry, &[("Sec-Fetch-Site", "cross-site")]),
        dashboard.bare(&format!("GET /api/v1/session?token={}", dashboard.entry), &[("Host", &host)], ""),
        dashboard.bare(&format!("GET /api/v1/jobs?token={}", dashboard.token), &[("Host", &host)], ""),
    ];

    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with(&format!("job_manager_session_{}=", dashboard.port)), "{cookie}");
    assert!(!cookie.contains(&dashboard.token) && !cookie.contains(&dashboard.entry), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert_eq!((opened.status, by_program.status), (200, 200));
    let page = dashboard.bare("GET /", &[("Host", &host), ("Cookie", cookie.split(';').next().unwrap())], "");
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
    assert!(!page.body.contains(&dashboard.token) && !page.body.contains(&dashboard.entry));
    assert_eq!(refused.each_ref().map(|reply| reply.status), [401, 403, 403, 401, 401]);
    assert!(refused.iter().all(|reply| reply.header("set-cookie").is_none()));
    refused.iter().chain([&opened, &by_program]).for_each(assert_closed);
}

#[test]
fn fault_85_a_cookie_is_worth_nothing_after_the_dashboard_has_ended() {
    let (world, mut first) = served(&[]);
    let cookie = first.sign_in();
    first.terminate();
    let second = world.serve(&["--port", &first.port.to_string()]);

    let reply = second.bare("GET /api/v1/jobs", &[("Host", &second.host()), ("Cookie", &cookie)], "");

    assert_eq!((reply.status, second.port), (401, first.port));
    assert_ne!(second.sign_in(), cookie);
}

#[test]
fn two_dashboards_in_one_browser_do_not_sign_each_other_out() {
    let (world, one) = served(&[]);
    let other = world.serve(&[]);
    // Cookies know no ports: both get both.
    let cookies = format!("{}; {}", one.sign_in(), other.sign_in());

    for dashboard in [&one, &other] {
        let reply = dashboard.bare("GET /api/v1/jobs", &[("Host", &dashboard.host()), ("Cookie", &cookies)], "");

        assert_eq!(reply.status, 200);
    }
    assert_ne!(one.sign_in().split('=').next(), other.sign_in().split('=').next());
}

#[test]
fn a_person_without_the_cookie_is_shown_the_page_that_says_how_to_sign_in_and_a_program_is_told() {
    let (_world, dashboard) = served(&[]);
    let host = dashboard.host();
    let open = |path: &str| dashboard.bare(&format!("GET {path}"), &[("Host", &host)], "");

    let (page, document) = (open("/"), open("/api/v1/jobs"));

    assert_eq!((page.status, document.status), (200, 401));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    // Strangers keep no connection.
    assert_eq!([&page, &document].map(|reply| reply.header("connection")), [Some("close"); 2]);
    assert!(document.json()["error"].as_str().unwrap().contains("job-manager serve"));
    assert!(open("/app.js").body.contains("You are not signed in"));
    [page, document].iter().for_each(assert_closed);
}

#[test]
fn a_link_of_another_site_opens_the_page_and_nothing_else() {
    let (_world, dashboard) = served(&[]);
    let (host, cookie) = (dashboard.host(), dashboard.sign_in());
    let link = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    let ask = |request: &str, from: &[(&str, &str)], shown: &[(&str, &str)]| {
        dashboard.bare(request, &[&[("Host", host.as_str()), ("Accept", "text/html")], from, shown].concat(), "")
    };
    let framed = [link[0], link[1], ("Sec-Fetch-Dest", "iframe")];
    let fetched = [link[0], ("Sec-Fetch-Mode", "no-cors"), link[2]];
    let known = [("Cookie", cookie.as_str())];

    let (stranger, known_one) = (ask("GET /", &link, &[]), ask("GET /", &link, &known));

    assert_eq!((stranger.status, known_one.status), (200, 200));
    for (request, from) in [
        ("GET /api/v1/jobs", &link),
        ("GET /app.js", &link),
        ("POST /", &link),
        ("GET /", &framed),
        ("GET /", &fetched),
    ] {
        assert_eq!(ask(request, from, &known).status, 403, "{request} {from:?}");
    }
}

#[test]
fn a_browser_that_has_the_page_is_not_sent_it_again() {
    let (_world, dashboard) = served(&[]);

    for path in ["/", "/app.js", "/style.css"] {
        let first = dashboard.ask(&format!("GET {path}"), &[], "");
        let etag = first.header("etag").unwrap();
        let second = dashboard.ask(&format!("GET {path}"), &[("If-None-Match", etag)], "");

        assert_eq!((first.status, second.status, second.body.len()), (200, 304, 0), "{path}");
        assert_closed(&second);
    }
}

#[test]
fn fault_85_another_user_of_the_machine_gets_neither_token_nor_answer() {
    if !is_root() {
        return without("only root can act as another user");
    }
    let (world, dashboard) = served(&[]);
    // Only the file's own mode is left to protect it.
    for dir in [".", "jobs.db.d", "state", "state/job-manager"].into_iter().filter(|dir| world.path(dir).exists()) {
        fs::set_permissions(world.path(dir), Permissions::from_mode(0o755)).unwrap();
    }
    let stranger = |script: &str| {
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script];
        world.command("setpriv").args(user).output().unwrap()
    };
    let request = format!(
        "ls jobs.db.d && exec 3<>/dev/tcp/127.0.0.1/{0} && \
         printf 'GET /api/v1/jobs HTTP/1.1\\r\\nHost: 127.0.0.1:{0}\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3",
        dashboard.port
    );

    let read = stranger("cat jobs.db.d/dashboard.token");
    let answer = text(&stranger(&request).stdout);
    let title = stranger(&format!("tr '\\0' ' ' < /proc/{}/cmdline", dashboard.pid()));

    assert!(!read.status.success() && read.stdout.is_empty(), "{read:?}");
    assert!(answer.contains("dashboard.token") && answer.contains("HTTP/1.1 401"), "{answer}");
    assert!(!answer.contains("private"), "{answer}");
    assert!(text(&title.stdout).contains("serve") && !text(&title.stdout).contains(&dashboard.token));
}
