//! Values inside a script for the shell.
//!
//! A value is always quoted, also where it looks harmless: `$HOME{}` and `{}>file` would change their meaning with
//! values such as `x` and `2`. In double quotes a value stands as a variable would. Where nothing can be quoted a
//! placeholder is refused rather than let a value become code, except for the numbers `{#}` and `{%}`, which cannot.
//!
//! What a program makes of a value (`sh -c`, `ssh`, `eval`) is beyond us.

use super::placeholder::Placeholder;
use super::quote::push_quoted;
use super::script_reader::ScriptReader;
use super::script_value::{ScriptValue, holds_several, push_each};
use super::{Part, Template, TemplateError};

/// Writes a script, `value_of` giving the values.
pub(super) fn render_script<'t>(
    template: &'t Template,
    mut value_of: impl FnMut(&'t Placeholder) -> Result<ScriptValue<'t>, TemplateError>,
) -> Result<Vec<u8>, TemplateError> {
    let mut script = Vec::new();
    let mut reader = ScriptReader::new(template.texts());
    for (index, part) in template.parts.iter().enumerate() {
        match part {
            Part::Text(text) => {
                reader.read(text);
                script.extend(text);
            }
            Part::Placeholder(placeholder) => {
                let style = style_of(placeholder, &reader)?;
                match value_of(placeholder)? {
                    ScriptValue::One(value) => push_value(&mut script, style, &value),
                    ScriptValue::Each(values) if style == Style::Quoted && holds_several(&template.parts, index) => {
                        push_each(&mut script, &values);
                    }
                    ScriptValue::Each(_) => {
                        return Err(TemplateError::NotAlone { placeholder: placeholder.written().to_owned() });
                    }
                }
                reader.skip_value();
            }
        }
    }
    Ok(script)
}

/// How a value is written.
#[derive(PartialEq, Eq)]
enum Style {
    AsItIs,
    Quoted,
    /// The double quotes are closed before the quoted value and opened again after it.
    QuotedInDoubleQuotes,
}

fn style_of(placeholder: &Placeholder, reader: &ScriptReader) -> Result<Style, TemplateError> {
    let refused = |place| Err(TemplateError::Unquotable { placeholder: placeholder.written().to_owned(), place });
    if reader.is_after_dollar() {
        return refused("after a dollar sign (a variable of the shell is written ${{name}})");
    }
    match reader.unquotable_place() {
        Some(place) if placeholder.depends_on_payload() || placeholder.is_out() => refused(place),
        Some(_) => Ok(Style::AsItIs),
        None if reader.is_in_double_quotes() => Ok(Style::QuotedInDoubleQuotes),
        None => Ok(Style::Quoted),
    }
}

fn push_value(script: &mut Vec<u8>, style: Style, value: &[u8]) {
    match style {
        Style::AsItIs => script.extend(value),
        Style::Quoted => push_quoted(script, value),
        Style::QuotedInDoubleQuotes => {
            script.push(b'"');
            push_quoted(script, value);
            script.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    const SHELL: &str = "/bin/sh";

    fn render(text: &str, value: &str) -> Result<String, TemplateError> {
        let value = || ScriptValue::One(value.as_bytes().into());
        let script = render_script(&Template::parse(&text.into()).unwrap(), |_| Ok(value()))?;
        Ok(String::from_utf8(script).unwrap())
    }

    fn output_of(script: &str) -> String {
        let output = Command::new(SHELL).arg("-c").arg(script).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn place_refused(text: &str) -> Option<&'static str> {
        match render(text, "value") {
            Err(TemplateError::Unquotable { place, .. }) => Some(place),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        }
    }

    #[test]
    fn a_value_is_quoted_and_the_text_around_it_unchanged() {
        assert_eq!(render("cat {} > out/{/.}.txt", "it's").unwrap(), r"cat 'it'\''s' > out/'it'\''s'.txt");
        assert_eq!(render(r#"cat "a {}""#, "b").unwrap(), r#"cat "a "'b'"""#);
        assert_eq!(render("a=$HOME{}; b=\"$HOME{}\"", "x").unwrap(), "a=$HOME'x'; b=\"$HOME\"'x'\"\"");
    }

    #[test]
    fn numbers_may_stand_where_nothing_can_be_quoted() {
        assert_eq!(render("echo 'unit {#}' $((1 + {%})) # {#}", "7").unwrap(), "echo 'unit 7' $((1 + 7)) # 7");
        assert!(place_refused("echo ${#}").is_some());
    }

    #[test]
    fn a_value_is_refused_where_it_cannot_be_quoted() {
        for (text, place) in [
            ("awk '{{print \"{}\"}}'", "inside single quotes"),
            ("echo `cat {}`", "inside backquotes"),
            ("echo \"`cat {}`\"", "inside backquotes"),
            ("echo $((1 + {}))", "inside arithmetic"),
            ("echo $((1 + \"{}\"))", "inside arithmetic"),
            ("true # {}", "inside a comment"),
            ("cat <<END\n{}\nEND\n", "inside or after a here-document"),
            ("cat <<END # it's\n\"{}\"\nEND\n", "inside or after a here-document"),
            ("echo \\{}", "after a backslash"),
            ("echo \"\\{}\"", "after a backslash"),
            ("echo \"${{x:-{}}}\"", "inside the braces of a variable"),
            ("echo \"${{x:-\"{}\"}}\"", "inside the braces of a variable"),
            ("echo \"$(case x in x) echo {};; esac)\"", "after a construct too intricate to follow"),
            (r"echo $'\'' '{}'", "after a construct too intricate to follow"),
            ("((x = {}))", "after a construct too intricate to follow"),
            ("cat <<END <<<a\n{}\nEND\n", "inside or after a here-document"),
            ("echo $((1) {})", "after a construct too intricate to follow"),
        ] {
            assert_eq!(place_refused(text), Some(place), "{text}");
        }
        for text in ["echo ${}", "echo \"${name}\"", "echo $((${name}))", "echo `echo ${name}`"] {
            assert!(place_refused(text).unwrap().starts_with("after a dollar sign"), "{text}");
        }
    }

    #[test]
    fn a_value_may_stand_after_what_only_looks_like_quotes() {
        for text in [
            r#"echo "it's" {}"#,
            "# it's\necho {}",
            r"echo \' {}",
            r#"echo "\"" {}"#,
            r"echo 'a\' {}",
            "echo a#b {} $# {}",
            "echo \"${{x#y}}\" {} `date` {} $((1 << 2)) {}",
            "(cd /; echo $(basename {})) && case {} in a) echo {};; esac",
            r"echo $\' {}",
            r"printf '%s\\n' {}",
        ] {
            assert_eq!(place_refused(text), None, "{text}");
        }
    }

    proptest! {
        // Each case is a few processes.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_shell_sees_the_value_as_one_argument(value in r#"([^\x00]|['"\\$`\n !*~#=-])*"#) {
            for (text, before) in [
                ("printf %s-%s {}", ""),
                (r#"a="{}"; printf %s-%s "$a""#, ""),
                (r#"printf %s-%s "x '{}""#, "x '"),
                (r#"printf %s-%s "$(printf '%s.' {} | cat)" | sed '$s/\.-$/-/'"#, ""),
                (r#"printf %s-%s "$(printf '%s.' "{}")" | sed '$s/\.-$/-/'"#, ""),
            ] {
                let script = render(text, &value).unwrap();

                prop_assert_eq!(output_of(&script), format!("{before}{value}-"), "{}", script);
            }
        }

        #[test]
        fn no_value_ever_becomes_code(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12),
            rest in prop::collection::vec(prop::sample::select(PIECES), 0..6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let text = format!("{}{{}}{}", pieces.concat(), rest.concat());
            for value in HOSTILE {
                let Ok(script) = render(&text, value) else { break };
                let mut shell = Command::new(SHELL);
                shell.arg("-c").arg(&script).current_dir(dir.path()).stdin(Stdio::null());

                shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();

                prop_assert!(!dir.path().join("pwned").exists(), "{}", script);
            }
        }
    }

    const PIECES: &[&str] = &[
        "\"",
        "\"",
        "'",
        "`",
        "$(",
        "$((",
        "(",
        ")",
        "))",
        "${{x:-",
        "${{x#",
        "}}",
        "\\",
        "$",
        "#",
        " ",
        "\n",
        ";",
        "<<E",
        "E",
        "echo ",
        "echo ",
        "x=1",
        "case x in x) ",
        ";;",
        " esac",
        "|",
        "&&",
        "<",
        "a",
        "$x",
        "if true; then ",
        "fi",
    ];

    const HOSTILE: &[&str] = &[
        "$(touch pwned)",
        "`touch pwned`",
        "a\ntouch pwned\n",
        "a;touch pwned;",
        "'\ntouch pwned\n'",
        "\"\ntouch pwned\n\"",
        "\\'\ntouch pwned\n",
        "'\"$(touch pwned)\"'",
        "\"'$(touch pwned)'\"",
        "}\ntouch pwned\n",
        ")\ntouch pwned\n",
        "))\ntouch pwned\n",
        "`\ntouch pwned\n`",
        "E\ntouch pwned\n",
        "x[$(touch pwned)]",
    ];
}
