//! Texts that name databases; no server.

use super::*;

fn parse(text: &str) -> Result<Address, String> {
    Address::parse(Path::new(text)).map_err(|error| error.to_string())
}

fn value(address: &Address, word: &str) -> String {
    address.value(word).map(|value| String::from_utf8(value.to_vec()).unwrap()).unwrap_or_default()
}

#[test]
fn a_url_is_what_libpq_says_it_is() {
    let address = parse("postgresql://j%6Fe:p%40ss%2Fw@[::1]:5433,b:1/my%20jobs?application_name=x").unwrap();
    let socket = parse("postgres:///jobs?host=/var/run/my%20dir&user=joe").unwrap();

    for (word, expected) in [("user", "joe"), ("host", "::1,b"), ("port", "5433,1"), ("dbname", "my jobs")] {
        assert_eq!(value(&address, word), expected);
    }
    assert_eq!(address.password().unwrap(), "p@ss/w");
    assert_eq!((value(&socket, "host"), value(&socket, "dbname")), ("/var/run/my dir".to_owned(), "jobs".to_owned()));
}

#[test]
fn only_small_letters_make_a_scheme() {
    for (text, expected) in [
        ("postgres://h/d", true),
        ("postgresql:///", true),
        ("Postgres://h/d", false),
        ("postgres:/h", false),
        ("postgres", false),
        ("./postgres://h", false),
    ] {
        assert_eq!(is_address(Path::new(text)), expected, "{text}");
    }
}

#[test]
fn the_line_is_the_address_again_without_its_password() {
    for text in [
        "postgres://joe:secret@[::1]:5433/my%20jobs?application_name=a%26b%3D%25&options=-c%20x%3D'y%20z'",
        "postgres:///a%2Fb%0Ac?host=/run/x%20y&password=secret&user=joe&target_session_attrs=standby",
        "postgres://joe@h/%FF%FE?port=1",
    ] {
        let address = parse(text).unwrap();
        let again = parse(&address.line()).unwrap();

        assert_eq!(again.line(), address.line());
        assert!(!address.line().contains("secret") && !address.line().contains('\n'), "{}", address.line());
        assert!(again.password().is_none());
        let values = |address: &Address| {
            ["user", "host", "port", "dbname", "options"].map(|word| address.value(word).map(<[u8]>::to_vec))
        };
        assert_eq!(values(&again), values(&address));
    }
}

#[test]
fn a_connection_has_our_settings_unless_the_address_has_its_own() {
    let plain = parse("postgres://joe:s%25@h/d").unwrap().conninfo(Access::Manage, "mark");
    let own = "postgres://h/d?application_name=mine&connect_timeout=3&keepalives=0&target_session_attrs=standby&options=-cwork_mem%3D1MB";
    let own = parse(own).unwrap();

    for part in [
        "application_name=job-manager",
        "connect_timeout=10",
        "keepalives=1",
        "tcp_user_timeout=8000",
        "target_session_attrs=read-write",
        "password=s%25",
        "job_manager.session%3Dmark",
        "statement_timeout%3D300000",
        "client_connection_check_interval%3D5000",
    ] {
        assert!(plain.contains(part), "{part}: {plain}");
    }
    let read = own.conninfo(Access::Read, "mark");
    for part in [
        "application_name=mine",
        "connect_timeout=3",
        "keepalives=0",
        "target_session_attrs=standby",
        "-cwork_mem%3D1MB",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    assert!(!read.contains("read-write") && !read.contains("=job-manager"));
    assert!(own.conninfo(Access::Write, "mark").contains("target_session_attrs=read-write"));
    assert_eq!(read.matches("options=").count(), 1);
}

#[test]
fn fault_108_no_message_about_an_address_has_a_part_of_its_password() {
    for text in [
        "postgres://joe:sec@ret@h/d",
        "postgres://joe:sec/ret@h/d",
        "postgres://joe:sec/r?et@h/d",
        "postgres://joe:12/secret@h/d",
        "postgres://joe:secret/d",
        "postgres://joe:sec%ret@h/d",
        "postgres://joe:secret@h:x/d",
        "postgres://joe:secret@[::1/d",
        "postgres://joe:secret@h/d?secret",
        "postgres://h/d?password=secret&x=y",
        "postgres://h/d?passwordsecret=",
        "postgres://h/d?password=a=secret",
        "postgres://joe:secret@h/d?replication=database",
        "postgres://h/d?sslpassword=secret",
    ] {
        let refused = Address::parse(Path::new(text)).unwrap_err();
        let said = format!("{refused} {refused:?}");

        for part in ["secret", "sec@", "ret@", "sec%"] {
            assert!(!said.contains(part) || text.contains("passwordsecret"), "{text}: {said}");
        }
    }
    let address = parse("postgres://joe:secret@h/d").unwrap();
    assert!(!format!("{address:?} {}", address.name()).contains("secret"));
    assert_eq!(address.without_password("role secret"), "role …");
}

#[test]
fn a_misspelt_parameter_and_an_unknown_service_are_named() {
    assert!(parse("postgres://h/d?sslmod=require").unwrap_err().contains("\"sslmod\""));
    assert!(parse("postgres:///?service=no-such").unwrap_err().contains("no-such"));
}

#[test]
fn a_url_with_a_password_is_known_as_one() {
    for (text, expected) in [
        ("postgres://joe:secret@h/d", true),
        ("postgres://h/d?password=secret", true),
        ("postgres://h/d?sslpassword=x", true),
        ("postgres://joe:s/ecret@h/d", true),
        ("postgres://joe@h/d", false),
        ("postgres:///?service=x", false),
        ("postgres://joe:@h/d", false),
        ("jobs.db", false),
    ] {
        assert_eq!(has_password(Path::new(text)), expected, "{text}");
    }
}
