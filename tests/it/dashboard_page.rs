//! The page of a dashboard, in a real browser where there is one.

use std::process::Command;

use crate::support::{Browser, CHROMIUM, Served, World, node, node_script, text, wait_for, without, without_tool};

fn address(dashboard: &Served, place: &str) -> String {
    format!("http://127.0.0.1:{}/#token={}{place}", dashboard.port, dashboard.entry)
}

fn browser(world: &World) -> Option<Browser<'_>> {
    let browser = Browser::start(world);
    if browser.is_none() {
        without_tool(CHROMIUM);
    }
    browser
}

#[test]
fn fault_87_names_and_output_with_markup_are_shown_as_text() {
    let world = World::new();
    let name = "<img src=x onerror=window.hacked=1> \u{202e}\u{61c}live \u{1b}[2J";
    let script = ": {}; echo '<script>window.hacked=1</script>'; echo '<svg onload=window.hacked=1>' >&2; exit 1";
    world.run(&["run", "-q", "--name", name, "--max-attempts", "1", "--shell", "--", script, ":::", "<b>item</b>"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };

    browser.open(&address(&dashboard, "/jobs/1/units/1"));
    for shown in ["<script>window.hacked=1</script>", "<svg onload=window.hacked=1>", "<b>item</b>"] {
        browser.wait_for_text(shown);
    }
    browser.eval("location.hash = '#/jobs/1'");
    browser.wait_for_text("exited with code 1: <svg onload=window.hacked=<n>>");
    browser.eval("location.hash = '#/'");
    browser.wait_for_text("<img src=x onerror=window.hacked=1> \u{fffd}\u{fffd}live \u{fffd}[2J");

    assert_eq!(browser.eval("typeof window.hacked"), "undefined");
    assert_eq!(
        browser.eval("document.querySelectorAll('main img, main svg:not(.chart), main b, main script').length"),
        0
    );
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn a_page_follows_a_job_and_its_buttons_steer_it() {
    let world = World::new();
    let script = "n={}; test -e \"ok-$n\" || { echo \"no file $n\" >&2; exit 1; }";
    let script = script.replace("|| { ", "|| {{ ").replace("; }", "; }}");
    world.run(&["run", "-q", "--name", "files", "--max-attempts", "1", "--range", "1-3", "--shell", "--", &script]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };

    browser.open(&address(&dashboard, "/"));
    browser.wait_for_text("files");
    let in_address = browser.eval("location.href");
    browser.eval("location.hash = '#/jobs/1'");
    browser.wait_for_text("exited with code 1: no file <n>");
    (1..=3).for_each(|number| drop(world.write(&format!("ok-{number}"), "")));
    browser.press("Retry");
    browser.wait_for_text("3 units pending again; Resume runs them.");
    browser.wait_for_text("paused");
    browser.press("Resume");
    browser.wait_for_text("3 completed");
    let waiting = world.ok(&["create", "--name", "later", "--", "true"]);
    browser.eval("location.hash = '#/jobs/2'");
    browser.wait_for_text("never started");
    browser.press("Cancel job");
    browser.wait_for_text("Cancel job 2 (later) permanently?");
    browser.press("Leave it");
    let left = world.status(&waiting)["job_status"].clone();
    browser.press("Cancel job");
    browser.eval("document.getElementById('ask-yes').click()");
    browser.wait_for_text("1 cancelled");
    let listed = "[...document.querySelectorAll('table[aria-label=Jobs] bdi')].map((name) => name.innerText).join()";
    let mut narrowed = |query: &str, names: &str| {
        browser.eval(&format!("location.hash = '#/?{query}'"));
        wait_for(&world, query, || browser.eval(listed) == names);
    };
    narrowed("status=cancelled", "later");
    narrowed("status=interrupted,completed", "files");
    narrowed("name=later", "later");
    narrowed("", "later,files");

    assert!(!in_address.as_str().unwrap().contains("token"), "{in_address}");
    assert_eq!(left, "created");
    assert_eq!(world.status("1")["job_status"], "completed");
    assert_eq!(world.status(&waiting)["job_status"], "cancelled");
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn a_page_says_that_the_connection_is_lost_and_after_a_restart_that_its_address_has_to_be_opened_again() {
    let world = World::new();
    world.ok(&["create", "--name", "first", "--", "true"]);
    let mut dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    browser.open(&address(&dashboard, "/jobs/1"));
    browser.wait_for_text("Start");
    browser.wait_for_text("live");

    dashboard.terminate();
    browser.wait_for_text("The connection is lost");
    let again = world.serve(&["--read-only", "--port", &dashboard.port.to_string()]);
    browser.wait_for_text("Open the new address that job-manager serve printed");
    let hidden = browser.eval("document.getElementById('lost').hidden");
    // As in another window: the page that waits comes back by itself.
    browser.eval(&format!(
        "fetch('/api/v1/session', {{ method: 'POST', headers: {{ Authorization: 'Bearer {}' }} }}).then((answer) => answer.status)",
        again.entry
    ));
    browser.wait_for_text("live");
    browser.wait_for_text("(read-only)");
    world.ok(&["start", "1"]);
    browser.wait_for_text("1 completed");

    assert_eq!(hidden, false);
    assert_eq!(browser.eval("document.getElementById('lost').hidden"), true);
    assert_eq!(browser.eval("[...document.querySelectorAll('main button')].map((b) => b.innerText).join()"), "");
}

#[test]
fn a_link_of_another_site_leads_to_the_page_with_and_without_the_token() {
    let world = World::new();
    world.ok(&["create", "--name", "first", "--", "true"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let plain = format!("http://127.0.0.1:{}/", dashboard.port);
    let mut follow = |to: &str, shown: &str| {
        // A page of another name.
        browser.open(&format!("http://localhost:{}/", dashboard.port));
        browser.wait_for_text("You are not signed in");
        browser.eval(&format!("location.href = '{to}'"));
        wait_for(&world, "the page of the other name", || browser.eval("location.hostname") == "127.0.0.1");
        browser.wait_for_text(shown);
        browser.eval("location.hash")
    };

    let unknown = follow(&plain, "You are not signed in");
    let with_token = follow(&address(&dashboard, "/jobs/1"), "never started");
    let without_token = follow(&format!("{plain}#/jobs/1"), "never started");

    assert_eq!([unknown, with_token, without_token], ["", "#/jobs/1", "#/jobs/1"]);
}

#[test]
fn a_page_that_was_not_signed_in_says_how_and_goes_to_the_place_asked_for() {
    let world = World::new();
    world.ok(&["create", "--name", "first", "--", "true"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };

    let put_in = |browser: &mut Browser, text: &str| {
        browser.wait_for_text("You are not signed in");
        browser.eval(&format!("document.getElementById('token').value = '{text}'"));
        browser.press("Sign in");
    };

    browser.open(&format!("http://127.0.0.1:{}/#/jobs/1?status=pending", dashboard.port));
    put_in(&mut browser, &format!("http://127.0.0.1/#token={}", "0".repeat(64)));
    browser.wait_for_text("not this dashboard's address");
    put_in(&mut browser, &address(&dashboard, "/"));
    browser.wait_for_text("never started");
    let at = browser.eval("location.hash");
    // The address of another start, opened in the same tab, and that of this one.
    browser.eval(&format!("location.hash = '#token={}/'", "0".repeat(64)));
    browser.wait_for_text("That address belongs to another dashboard");
    let kept = browser.eval("location.href");
    let entries = browser.eval("document.cookie");

    assert_eq!(at, "#/jobs/1?status=pending");
    assert!(!kept.as_str().unwrap().contains("token"), "{kept}");
    assert_eq!(entries, "");
}

#[test]
fn a_page_fits_a_narrow_screen_and_a_wide_one() {
    let world = World::new();
    let long = "x".repeat(255);
    world.run(&["run", "-q", "--name", &long, "--max-attempts", "1", "--", "false", ":::", &long, "b"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    browser.open(&address(&dashboard, "/"));
    browser.wait_for_text(&long);

    for (place, shown) in [("#/", "Jobs"), ("#/jobs/1", "Failures"), ("#/jobs/1/units/1", "Attempts that")] {
        browser.eval(&format!("location.hash = '{place}'"));
        browser.wait_for_text(shown);
        for width in [400, 1400] {
            browser.resize(width);

            let beyond = browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");

            assert_eq!(beyond, 0, "{place} at {width}");
        }
    }
}

#[test]
fn what_a_filter_shows_is_skipped_or_run_again_by_one_button_and_a_unit_that_runs_is_ended() {
    let world = World::new();
    let script = "test -e ok || test {} -gt 6 || exit 1; test {} -ne 9 || sleep 600";
    world.run(&[
        "submit",
        "--max-attempts",
        "1",
        "--on-interrupt",
        "fail",
        "-j",
        "9",
        "--range",
        "1-9",
        "--shell",
        "--",
        script,
    ]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let press = |browser: &mut Browser, label: &str, said: &str| {
        wait_for(&world, label, || {
            browser
                .eval("[...document.querySelectorAll('main button')].map((b) => b.innerText).join('|')")
                .as_str()
                .unwrap()
                .split('|')
                .any(|shown| shown == label)
        });
        browser.press(label);
        if browser.eval("document.getElementById('ask').open") == true {
            browser.eval("document.getElementById('ask-yes').click()");
        }
        browser.wait_for_text(said);
    };

    browser.open(&address(&dashboard, "/jobs/1/units/9"));
    press(&mut browser, "End and skip", "It is ended and skipped.");
    wait_for(&world, "the end of the job", || world.status("1")["job_status"] == "failed");
    let ended = world.status("1")["progress"].clone();
    browser.eval("location.hash = '#/jobs/1?status=failed&match=[12]'");
    press(&mut browser, "Skip all that match", "2 units skipped");
    world.write("ok", "");
    browser.eval("location.hash = '#/jobs/1?status=failed'");
    press(&mut browser, "Retry and run all 4", "4 units pending again, and the job goes on.");
    wait_for(&world, "the end of the job", || world.status("1")["job_status"] == "completed");
    let done = world.status("1")["progress"].clone();

    let counts = |of: &serde_json::Value| ["completed", "failed", "skipped"].map(|state| of[state].as_i64().unwrap());
    assert_eq!((counts(&ended), counts(&done)), ([2, 6, 1], [6, 0, 3]));
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn what_a_page_shows_stands_in_its_address_and_each_filter_is_taken_back_alone() {
    let world = World::new();
    let script = "test {} -lt 3 || { echo big >&2; exit 1; }".replace("{ echo", "{{ echo").replace("1; }", "1; }}");
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-120", "--shell", "--", &script]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let rows = "[...document.querySelectorAll('table[aria-label=Units] tbody td:first-child')].map((cell) => cell.innerText).join()";
    let narrowed = |browser: &mut Browser, to: &str, first: &str| {
        wait_for(&world, to, || browser.eval(rows).as_str().is_some_and(|rows| rows.split(',').next() == Some(first)));
        (browser.eval("location.hash"), browser.eval(rows))
    };
    let click = |browser: &mut Browser, selector: &str| {
        drop(browser.eval(&format!("document.querySelector('{selector}').click()")))
    };

    browser.open(&address(&dashboard, "/jobs/1"));
    narrowed(&mut browser, "all units", "1");
    click(&mut browser, ".tabs a[href*=failed]");
    let (failed, _) = narrowed(&mut browser, "failed units", "3");
    browser.eval("document.dispatchEvent(new KeyboardEvent('keydown', { key: '/' }))");
    let focused = browser.eval("document.activeElement.id");
    browser.eval("document.activeElement.value = '^1[0-9]'; document.activeElement.form.requestSubmit()");
    let (searched, found) = narrowed(&mut browser, "found units", "10");
    browser.open("about:blank");
    browser.open(&format!("http://127.0.0.1:{}/{}", dashboard.port, searched.as_str().unwrap()));
    let (_, again) = narrowed(&mut browser, "the same after a reload", "10");
    click(&mut browser, ".chips a");
    let (taken_back, _) = narrowed(&mut browser, "all failed units again", "3");
    click(&mut browser, "main > p.actions a:last-child");
    let (next, _) = narrowed(&mut browser, "the next page", "53");
    browser.eval("history.back()");
    let (back, _) = narrowed(&mut browser, "the page before", "3");

    let key = |browser: &mut Browser, key: &str| {
        drop(browser.eval(&format!("document.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}' }}))")))
    };
    ["j", "j", "j", "k"].iter().for_each(|step| key(&mut browser, step));
    let second = browser.eval("document.activeElement.innerText");
    key(&mut browser, "?");
    let listed = browser.eval("document.querySelectorAll('#keys[open] kbd').length");

    assert_eq!((second, listed), ("4".into(), 7.into()));
    assert_eq!(failed, "#/jobs/1?status=failed");
    assert_eq!(focused, "search");
    assert_eq!(searched, "#/jobs/1?status=failed&match=%5E1%5B0-9%5D");
    assert_eq!((found.as_str().unwrap().split(',').count(), again), (31, found.clone()));
    assert_eq!((taken_back, back), (failed.clone(), failed));
    assert_eq!(next, "#/jobs/1?status=failed&after=52");
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn what_is_wrong_in_an_address_is_said_beside_its_field_and_the_rest_is_shown() {
    let world = World::new();
    world.run(&[
        "run",
        "-q",
        "--name",
        "slips",
        "--max-attempts",
        "1",
        "--range",
        "1-3",
        "--",
        "test",
        "{}",
        "-gt",
        "1",
    ]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let wrong = "[...document.querySelectorAll('.wrong')].map((text) => text.innerText).join(' | ')";

    browser.open(&address(&dashboard, "/jobs/1"));
    browser.wait_for_text("1 failed");
    browser.eval("document.getElementById('search').value = 'a('");
    browser.eval("document.getElementById('search').form.requestSubmit()");
    browser.wait_for_text("invalid regular expression");
    let shown = "[document.querySelector('h1').innerText.includes('slips'), document.querySelectorAll('.counts li').length, \
                 document.querySelector('.search .wrong') !== null, document.getElementById('search').value, \
                 document.getElementById('search').getAttribute('aria-invalid')].join()";
    let beside = browser.eval(shown);
    let mut said = Vec::new();
    for (place, text) in [
        ("#/jobs/1?status=nonsense", "nonsense"),
        ("#/jobs/1?sort=size", "size"),
        ("#/jobs/1?cluster=x", "\"x\""),
        ("#/jobs/1?after=abc", "invalid after"),
        ("#/jobs/1?sort=duration&after=99", "99"),
        ("#/jobs/1?page=abc", "Ignored in the address: page=abc"),
        ("#/?status=nonsense", "nonsense"),
        ("#/jobs/1/nothing", "Ignored in the address"),
        ("#/nothing", "Ignored in the address"),
        ("#/jobs/1/units/x", "invalid number of a unit"),
        ("#/jobs/9", "9"),
    ] {
        browser.eval(&format!("location.hash = '{place}'"));
        wait_for(&world, place, || browser.eval(wrong).as_str().is_some_and(|wrong| wrong.contains(text)));
        let kept = "Boolean(document.querySelector('.counts, .tabs, .back a'))";
        said.push((place, browser.eval(kept)));
    }
    browser.eval("location.hash = '#/jobs/1?status=nonsense'");
    wait_for(&world, "a way back", || browser.eval("document.querySelectorAll('.chips a').length") == 1);
    browser.eval("document.querySelector('.chips a').click()");
    wait_for(&world, "no complaint", || browser.eval(wrong) == "");

    assert_eq!(beside, "true,6,true,a(,true");
    assert!(said.iter().all(|(_, kept)| *kept == true), "{said:?}");
    assert_eq!(browser.eval("location.hash"), "#/jobs/1");
}

#[test]
fn settings_are_changed_on_the_page_and_a_refusal_stands_beside_its_field() {
    let world = World::new();
    let job = world.ok(&["create", "-q", "-j", "2", "--range", "1-3", "--", "true"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let field = |name: &str| format!("document.querySelector('[data-key=\"/api/v1/jobs/1/settings/{name}\"]')");
    let set = |browser: &mut Browser, name: &str, value: &str| {
        let field = field(name);
        browser.eval(&format!("{field}.focus(); {field}.value = '{value}'; {field}.form.requestSubmit()"));
    };

    browser.open(&address(&dashboard, "/jobs/1"));
    browser.wait_for_text("Timeout");
    set(&mut browser, "rate", "60 a minute");
    browser.wait_for_text("invalid rate");
    let beside = browser.eval(&format!("{}.form.innerText.includes('invalid rate')", field("rate")));
    let typed = browser.eval(&format!("{}.value", field("rate")));
    set(&mut browser, "rate", "60/min");
    browser.wait_for_text("Rate: 60/min.");
    set(&mut browser, "workers", "5");
    wait_for(&world, "five workers", || world.status(&job)["workers"] == 5);
    wait_for(&world, "no complaint", || browser.eval("document.querySelectorAll('.wrong').length") == 0);

    assert_eq!((beside, typed), (true.into(), "60 a minute".into()));
    assert_eq!(world.status(&job)["about"]["limits"]["rate"]["units"], 60);
}

#[test]
fn flags_are_decided_on_the_page_and_groups_and_spends_are_shown() {
    let world = World::new();
    let script = r#""$BIN" unit-spend usd=0.5; test {} = 1 || test -n "$JOB_MANAGER_LAST_ERROR" || "$BIN" unit-flag "doubt $JOB_MANAGER_UNIT""#;
    let run = ["run", "-q", "--meter", "usd", "--group", "g{}", "--shell", "--", script, ":::", "1", "2", "3"];
    world.ok(&run);
    let in_group = ["submit", "-q", "-j", "2", "--group", "g{}", "--per-group", "1", "--shell", "--"];
    let busy = world.ok(&[&in_group[..], &["sleep 600; : {}", ":::", "a", "a"]].concat());
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };

    browser.open(&address(&dashboard, "/jobs/2"));
    browser.wait_for_text("1 in all: 1 with running units, 1 at their limit, 0 held.");
    browser.eval("location.hash = '#/jobs/1'");
    browser.wait_for_text("To review (2)");
    let shown = browser.eval("document.getElementById('main').innerText");
    browser.press("Accept");
    browser.wait_for_text("To review (1)");
    browser.eval(
        "const note = document.querySelector('[data-key=\"note 1\"]'); note.value = 'read it again'; \
                  note.dispatchEvent(new Event('input'))",
    );
    browser.press("Do again");
    browser.wait_for_text("the job goes on");
    world.wait_for_status("1", "completed");
    browser.eval("location.hash = '#/jobs/1/units/3'");
    browser.wait_for_text("Flagged: doubt 3");
    browser.wait_for_text(": read it again");
    browser.eval("location.hash = '#/jobs/1?group=g2'");
    browser.wait_for_text("group g2");

    let shown = shown.as_str().unwrap();
    for text in ["doubt 2", "doubt 3", "usd", "1.5"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    world.ok(&["cancel", &busy]);
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn a_redraw_leaves_focus_place_and_what_is_open_as_they_are_and_waits_for_who_types() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-90", "--", "test", "{}", "-gt", "3"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };
    let retry = |unit: &str| drop(world.ok(&["retry", "--no-start", "1", "--seq", unit]));
    browser.open(&address(&dashboard, "/jobs/1"));
    browser.wait_for_text("3 failed");
    browser.eval("document.querySelector('figure details').open = true; scrollTo(0, 150)");
    browser.eval("document.getElementById('search').focus({ preventScroll: true })");

    retry("1");
    browser.wait_for_text("2 failed");
    let kept = "[document.activeElement.id, document.querySelector('figure details').open, scrollY].join()";
    let kept = browser.eval(kept);
    browser.eval("document.getElementById('search').value = 'typed'");
    retry("2");
    browser.wait_for_text("held while you type");
    let held = browser.eval("document.querySelector('.counts').innerText.includes('2 failed')");

    assert_eq!((kept, held), ("search,true,150".into(), true.into()));
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn pictures_of_a_job_say_the_same_as_the_tables_beside_them() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-40", "--", "test", "{}", "-gt", "10"]);
    let dashboard = world.serve(&[]);
    let drawn = dashboard.get("/api/v1/jobs/1/charts");
    let Some(mut browser) = browser(&world) else { return };
    browser.open(&address(&dashboard, "/jobs/1"));
    browser.wait_for_text("Time per unit");
    let sum = |browser: &mut Browser, table: &str, column: u32| {
        let cells = format!("table[aria-label=\"{table}\"] tbody td:nth-child({column})");
        browser.eval(&format!(
            "[...document.querySelectorAll('{cells}')].reduce((sum, cell) => sum + Number(cell.textContent), 0)"
        ))
    };

    let in_tables = [("Units over time", 2), ("Units over time", 3), ("Time per unit", 3)]
        .map(|(table, column)| sum(&mut browser, table, column));

    assert_eq!(in_tables, [30, 10, 40]);
    assert_eq!((&drawn["units"], &drawn["counted"]), (&40.into(), &40.into()));
    assert_eq!(browser.eval("document.querySelectorAll('svg.chart rect.failed').length > 0"), true);
    let labels = browser
        .eval("[...document.querySelectorAll('svg.chart')].map((svg) => svg.getAttribute('aria-label')).join(' | ')");
    assert!(
        labels.as_str().unwrap().starts_with("Units over time: 30 completed, 10 failed | Time per unit: half within"),
        "{labels}"
    );
    assert_eq!(browser.complaints, [] as [&str; 0]);
}

#[test]
fn a_bar_shows_the_shares_of_what_became_of_the_units() {
    let world = World::new();
    world.run(&["run", "-q", "--max-attempts", "1", "--range", "1-10", "--", "test", "{}", "-gt", "3"]);
    let dashboard = world.serve(&[]);
    let Some(mut browser) = browser(&world) else { return };

    for (place, shown) in [("/", "7 of 10"), ("/jobs/1", "7 completed")] {
        browser.open(&address(&dashboard, place));
        browser.wait_for_text(shown);

        let share = browser.eval(
            "(() => { const bar = document.querySelector('.bar'); \
             return bar.querySelector('.completed').offsetWidth / bar.offsetWidth; })()",
        );

        assert!((share.as_f64().unwrap() - 0.7).abs() < 0.05, "{place}: {share}");
    }
}

#[test]
fn fault_507_who_cannot_see_a_page_or_use_a_pointer_is_kept_out_by_nothing_on_it() {
    let world = World::new();
    let missing = Command::new(CHROMIUM).arg("--version").output().is_err();
    if missing {
        return without_tool(CHROMIUM);
    }
    let mut node = match node(&world, &["axe-core", "puppeteer-core"]) {
        Ok(node) => node,
        Err(missing) => return without(&missing),
    };
    let script =
        "echo out; test {} -gt 4 || { echo no >&2; exit 1; }".replace("{ echo", "{{ echo").replace("1; }", "1; }}");
    let run = ["run", "-q", "-j", "3", "--max-attempts", "2", "--backoff", "1ms", "--range", "1-9", "--shell", "--"];
    world.run(&[&run[..], &[&script]].concat());
    world.ok(&["create", "-q", "--meter", "usd", "--group", "g{}", "--per-group", "1", "--", "true", ":::", "a", "b"]);
    let dashboard = world.serve(&[]);

    node.arg(node_script(&world, "page/axe.mjs")).arg(CHROMIUM).arg("browser");
    let node = node.arg(address(&dashboard, "/"));
    node.args(["#/=table .strip", "#/jobs/1=.lanes a", "#/jobs/2=.settings", "#/jobs/1/units/1=.facts.wide"]);
    let output = node.output().unwrap();

    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report, serde_json::json!({ "looked": 16, "found": [], "said": [] }), "{report:#}");
}
