//! Whole commands of every kind of payload.

use super::*;

fn command(argv: &[&str]) -> CommandTemplate {
    CommandTemplate::parse(&argv.iter().map(|text| RawText::from(*text)).collect::<Vec<_>>()).unwrap()
}

fn render(argv: &[&str], payload: &str) -> Result<Vec<String>, TemplateError> {
    let values = UnitValues::parse(payload)?;
    let rendered = command(argv).render(&values, 2, Seq(41));
    let checked = command(argv).check(&values);
    assert_eq!(rendered.as_ref().err().map(ToString::to_string), checked.err().map(|error| error.to_string()));
    Ok(rendered?.iter().map(|argument| argument.as_str().unwrap().to_owned()).collect())
}

fn error_of(argv: &[&str], payload: &str) -> String {
    render(argv, payload).unwrap_err().to_string()
}

#[test]
fn every_placeholder_of_a_plain_item_has_its_value() {
    let argv = ["p", "{}", "{.}", "{/}", "{//}", "{/.}", "{ext}", "{#}", "{%}", "x{/.}-{#}.{ext}"];

    let rendered = render(&argv, r#""in/é.tar.gz""#).unwrap();

    assert_eq!(rendered, ["p", "in/é.tar.gz", "in/é.tar", "é.tar.gz", "in", "é.tar", "gz", "41", "3", "xé.tar-41.gz"]);
}

#[test]
fn fields_of_an_object_have_their_values() {
    let payload = r#"{"id": 7, "ext":"md", "user":{"name":"Ann B"}}"#;

    let rendered = render(&["p", "{id}", "{user.name}", "{ext}", "{}"], payload).unwrap();

    assert_eq!(rendered, ["p", "7", "Ann B", "md", payload]);
}

#[test]
fn any_item_is_exactly_one_argument() {
    for item in ["-rf", "a b", "a\nb", "\"'", "$(x) `y` *", "{}", "{#}}"] {
        let payload = serde_json::to_string(item).unwrap();

        assert_eq!(render(&["p", "{}", "--in={}"], &payload).unwrap(), ["p", item, &format!("--in={item}")]);
    }
}

#[test]
fn every_name_that_the_data_has_is_a_placeholder() {
    let payload = r##"{"File Name":"a b","Größe":1.0,"a.b":"flat","tags":["x","y"],"dir/file":"s","p":"in/é.tar.gz",
        "dc:title":"T","#":"hash","e":"","z":null,"n":12345678901234567890,"r/":"slash","o":{"k":[{"m":1e3}]}}"##;

    for (placeholder, value) in [
        ("{File Name}", "a b"),
        ("{Größe}", "1.0"),
        ("{a.b}", "flat"),
        ("{tags.0}", "x"),
        ("{tags.1}", "y"),
        ("{tags}", r#"["x","y"]"#),
        ("{dir/file}", "s"),
        ("{p/.}", "é.tar"),
        ("{p/}", "é.tar.gz"),
        ("{p//}", "in"),
        ("{p.}", "in/é.tar"),
        ("{p.ext}", "gz"),
        ("{dc:title}", "T"),
        ("{r/}", "slash"),
        ("{#}", "41"),
        (r##"{"#"}"##, "hash"),
        (r#"{"p"/.}"#, "é.tar"),
        (r#"{"o".k.0.m}"#, "1e3"),
        ("{o.k.0.m}", "1e3"),
        ("{n}", "12345678901234567890"),
        ("{1}", "a b"),
        ("{6/.}", "é.tar"),
        ("{e:-x}", "x"),
        ("{z:-x}", "x"),
        ("{none:-http://x}", "http://x"),
        ("{none:-}", ""),
        ("{p/.:-x}", "é.tar"),
        ("{p:json}", r#""in/é.tar.gz""#),
        ("{tags:json}", r#"["x","y"]"#),
        ("{z:json}", "null"),
        ("{p/:json}", r#""é.tar.gz""#),
        ("{#:05}", "00041"),
        ("{%:03}", "003"),
    ] {
        assert_eq!(render(&["p", placeholder], payload).unwrap(), ["p", value], "{placeholder}");
    }
}

#[test]
fn parts_of_an_array_have_positions() {
    let payload = r#"["a/b.c", {"n": 7}, 1.0]"#;

    let rendered = render(&["p", "{1}-{2.n}-{3}", "{1/.}", "{1.}", "{3:-x}", "{4:-x}"], payload).unwrap();

    assert_eq!(rendered, ["p", "a/b.c-7-1.0", "b", "a/b", "1.0", "x"]);
    assert_eq!(error_of(&["p", "{4}"], payload), "unknown placeholder {4}");
}

#[test]
fn a_number_is_padded_and_nothing_else() {
    assert_eq!(render(&["p", "{:04}", "{}"], "-7").unwrap(), ["p", "-007", "-7"]);
    assert_eq!(
        error_of(&["p", "{:04}"], "7.5"),
        r#"the value of {:04} is "7.5", only a whole number can be padded with zeros"#
    );
}

#[test]
fn a_name_that_the_data_does_not_have_is_unknown() {
    for (placeholder, payload) in [
        ("{name}", r#""a""#),
        ("{name:-x}", r#""a""#),
        ("{3}", r#""a""#),
        ("{print $1}", r#""a""#),
        ("{nam}", r#"{"name":1}"#),
        ("{name.x}", r#"{"name":"t"}"#),
        ("{2}", r#"{"name":1}"#),
        (r#"{"ext"}"#, r#""a.b""#),
    ] {
        assert_eq!(error_of(&["p", placeholder], payload), format!("unknown placeholder {placeholder}"));
    }
}

#[test]
fn what_is_absent_or_empty_never_vanishes_inside_a_larger_word() {
    let record = r#"{"e":"","z":null,"f":"name"}"#;
    let empty = |placeholder: &str, with_default| {
        format!("{placeholder} is empty inside a larger word; write {with_default} if that is meant")
    };

    assert_eq!(error_of(&["rm", "victim/{}"], r#""""#), empty("{}", "{:-}"));
    assert_eq!(error_of(&["rm", "victim/{e}"], record), empty("{e}", "{e:-}"));
    assert_eq!(error_of(&["rm", "x.{ext}"], r#""Makefile""#), empty("{ext}", "{ext:-}"));
    assert_eq!(error_of(&["rm", "x.{f.ext}"], record), empty("{f.ext}", "{f.ext:-}"));
    assert_eq!(error_of(&["rm", "{//}/x"], r#""""#), empty("{//}", "{//:-}"));
    for payload in ["null", record] {
        let placeholder = if payload == "null" { "{}" } else { "{z}" };
        assert!(error_of(&["rm", placeholder], payload).starts_with(&format!("{placeholder} is null, ")));
        assert!(error_of(&["rm", &format!("v/{placeholder}")], payload).contains("is null"));
    }
    assert_eq!(render(&["rm", "{}"], r#""""#).unwrap(), ["rm", ""]);
    assert_eq!(error_of(&["{}", "x"], r#""""#), "{} is empty in a path; a default is written like {field:-text}");
    assert_eq!(render(&["rm", "v{:-}", "w{:-x}"], r#""""#).unwrap(), ["rm", "v", "wx"]);
    assert_eq!(render(&["rm", "x{ext:-}", "y{ext:-.txt}"], r#""Makefile""#).unwrap(), ["rm", "x", "y.txt"]);
    assert_eq!(render(&["rm", "v{:-x}"], "null").unwrap(), ["rm", "vx"]);
}

#[test]
fn a_path_without_a_name_leads_nowhere_else_inside_a_larger_word() {
    for (payload, value) in [(r#""/""#, "/"), (r#"".""#, "."), (r#""..""#, ".."), (r#""a/../""#, "..")] {
        for placeholder in ["{/}", "{/.}"] {
            let told = format!("{placeholder} is {value:?} inside a larger word, which is not a file name");
            assert_eq!(error_of(&["rm", &format!("victim/{placeholder}")], payload), told);
            assert_eq!(render(&["ls", placeholder], payload).unwrap(), ["ls", value]);
        }
    }
    assert_eq!(render(&["rm", "v/{/:-x}"], r#""..""#).unwrap(), ["rm", "v/x"]);
    assert_eq!(render(&["rm", "v/{/}"], r#""a/...""#).unwrap(), ["rm", "v/..."]);
}

#[test]
fn in_a_script_a_word_is_larger_where_the_shell_reads_on() {
    let values = UnitValues::parse(r#""""#).unwrap();

    for script in ["rm -r victim/{}", "rm -r \"victim/{}\"", "rm {}{}"] {
        let rendered = command(&[script]).render_shell(&values, 0, Seq(1));
        let checked = command(&[script]).check_shell(&values);

        assert!(matches!(rendered, Err(TemplateError::EmptyInWord { .. })), "{script}");
        assert!(matches!(checked, Err(TemplateError::EmptyInWord { .. })), "{script}");
    }
    assert_eq!(command(&["x={}; rm {}"]).render_shell(&values, 0, Seq(1)).unwrap(), "x=''; rm ''".into());
}

#[test]
fn an_object_is_no_path() {
    for placeholder in ["{.}", "{/}", "{//}", "{/.}", "{ext}", "{o/}"] {
        let said = error_of(&["p", placeholder], r#"{"id":2,"o":[1]}"#);

        assert!(said.starts_with(&format!("{placeholder} is a part of a path, and the value is not a text")), "{said}");
    }
}

#[test]
fn bytes_that_are_not_text_pass_and_are_cut_exactly() {
    let item = RawText::json_of(b"d\xff/caf\xe9.j\xfeg");
    let record = format!("{{\"f\":{item}}}");
    let rendered = |argument: &[u8], payload: &str| {
        let template = CommandTemplate::parse(&[argument.into()]).unwrap();
        template.render(&UnitValues::parse(payload).unwrap(), 0, Seq(1)).unwrap()[0].as_bytes().to_owned()
    };

    assert_eq!(rendered(b"\xfe-{}", &item), b"\xfe-d\xff/caf\xe9.j\xfeg");
    for (plain, field, part) in [
        ("{.}", "{f.}", &b"d\xff/caf\xe9"[..]),
        ("{/}", "{f/}", b"caf\xe9.j\xfeg"),
        ("{//}", "{f//}", b"d\xff"),
        ("{/.}", "{f/.}", b"caf\xe9"),
        ("{ext}", "{f.ext}", b"j\xfeg"),
        ("{:json}", "{f:json}", item.as_bytes()),
    ] {
        assert_eq!(rendered(plain.as_bytes(), &item), part, "{plain}");
        assert_eq!(rendered(field.as_bytes(), &record), part, "{field}");
    }
}

#[test]
fn a_value_with_nul_is_refused_where_it_is_used() {
    assert_eq!(error_of(&["p", "{}"], r#""a\u0000b""#), "the value of {} holds a NUL character, which no argument can");
    assert!(render(&["p", "{#}"], r#""a\u0000b""#).is_ok());
    assert!(render(&["p", "{}"], r#"{"a":"\u0000"}"#).is_ok());
}

#[test]
fn what_the_system_would_not_take_is_refused_before() {
    let payload = |bytes| format!("\"{}\"", "x".repeat(bytes));
    let many = ["p", "{}", "{}", "{}", "{}", "{}", "{}", "{}", "{}", "{}"];

    assert!(render(&["p", "{}"], &payload(MAX_ARGUMENT_BYTES)).is_ok());
    assert_eq!(
        error_of(&["p", "{}"], &payload(MAX_ARGUMENT_BYTES + 1)),
        "argument 2 of the command would have 131072 bytes, the system takes at most 131071: \
         let the command read the item from standard input"
    );
    assert!(error_of(&["p", "-{}"], &payload(MAX_ARGUMENT_BYTES)).starts_with("argument 2 "));
    assert!(render(&many, &payload(116_000)).is_ok());
    assert!(error_of(&many, &payload(117_000)).starts_with("the command would have 1053091 bytes, "));
}

#[test]
fn a_script_is_refused_when_its_quotes_make_it_too_long() {
    let quotes = |count| serde_json::to_string(&"'".repeat(count)).unwrap();
    let script = command(&["echo {}"]);

    let check = |payload: &str| script.check_shell(&UnitValues::parse(payload).unwrap());

    assert!(check(&quotes(32_000)).is_ok());
    assert!(check(&format!("\"{}\"", "x".repeat(131_000))).is_ok());
    let error = check(&quotes(33_000)).unwrap_err();

    assert!(error.to_string().starts_with("the script would have 132007 bytes, "), "{error}");
}

#[test]
fn a_command_needs_a_program() {
    assert!(matches!(CommandTemplate::parse(&[]), Err(TemplateError::Empty)));
}

#[test]
fn the_program_is_known_when_it_holds_no_placeholder() {
    assert_eq!(command(&["a{{b", "{}"]).literal_program(), Some("a{b".into()));
    assert_eq!(command(&["{}", "b"]).literal_program(), None);
}

#[test]
fn a_script_is_one_text_with_quoted_values() {
    let values = UnitValues::parse(r#""a'b""#).unwrap();

    let script = command(&["echo {} {#} \"{/}\""]).render_shell(&values, 0, Seq(5)).unwrap();

    assert_eq!(script, r#"echo 'a'\''b' '5' ""'a'\''b'"""#.into());
}

#[test]
fn a_script_is_checked_without_a_payload() {
    assert!(command(&["echo {name}"]).check_script().is_ok());
    assert_eq!(
        command(&["echo '{name}'"]).check_script().unwrap_err().to_string(),
        "placeholder {name} cannot stand inside single quotes in a shell command: give its value to a variable first"
    );
    assert_eq!(
        command(&["echo", "{}"]).check_script().unwrap_err().to_string(),
        "a shell command is one text that holds the whole script, not 2 texts"
    );
}
