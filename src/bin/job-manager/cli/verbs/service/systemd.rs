//! A user unit of systemd, as text.

use std::path::Path;

use super::error::ServiceError;
use super::plan::{MARK, Plan, plain};

/// Plans the unit below the configuration directory of a user.
pub(super) fn plan(config: &Path, name: &str, program: &Path, db: &Path) -> Result<Plan, ServiceError> {
    let dir = config.join("systemd").join("user");
    let unit = format!("{name}.service");
    Ok(Plan {
        file: dir.join(&unit),
        text: text(plain(program)?, plain(db)?),
        link: dir.join("default.target.wants").join(&unit),
        name: name.to_owned(),
    })
}

fn text(program: &str, db: &str) -> String {
    let (program, argument, path) = (quote(program, false), quote(db, true), specifiers(db));
    // Nothing is quoted in a description, but after the mark no backslash joins lines and no space is lost.
    format!(
        "\
# {MARK}, which replaces it;
# `job-manager service uninstall` removes it.

[Unit]
Description=Job Manager: continue the interrupted jobs of \"{path}\"
# A database whose disk comes late is tried again, for about ten minutes; then the unit has failed, and its log says why.
StartLimitIntervalSec=1h
StartLimitBurst=20

[Service]
# Not oneshot: systemd before 244 refuses to restart that, and the default target would wait for its end.
Type=simple
Restart=on-failure
RestartSec=30
# A job that lacks a secret stays interrupted, and the unit has failed though all other jobs go on. Give secrets in a
# drop-in (`systemctl --user edit`, EnvironmentFile= below [Service]), or for once: `systemctl --user set-environment`.
ExecStart={program} --db {argument} recover --all
# The managers that are started here stay in the control group of this unit, and must outlive its one command, its
# restart and its stop. With KillMode=process none of these reaches them. When the machine goes down they are killed with
# the user manager; their jobs are then interrupted, lose nothing, and go on from here.
KillMode=process
# The unit stays active after its command, so that `systemctl --user status` lists the managers.
RemainAfterExit=yes

[Install]
WantedBy=default.target
"
    )
}

/// Quotes one word of a command line; in the program's own path variables are not looked for.
fn quote(word: &str, is_argument: bool) -> String {
    let mut quoted = specifiers(word).replace('\\', r"\\").replace('"', "\\\"");
    if is_argument {
        quoted = quoted.replace('$', "$$");
    }
    format!("\"{quoted}\"")
}

fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        let table = [
            ("/srv/jobs.db", "\"/srv/jobs.db\""),
            ("/srv/my jobs.db", "\"/srv/my jobs.db\""),
            ("/srv/100%.db", "\"/srv/100%%.db\""),
            ("/srv/a\"b'c.db", "\"/srv/a\\\"b'c.db\""),
            ("/srv/a\\b.db", "\"/srv/a\\\\b.db\""),
            ("/srv/$HOME.db", "\"/srv/$$HOME.db\""),
            ("/srv/ü;#.db", "\"/srv/ü;#.db\""),
        ];

        for (word, expected) in table {
            assert_eq!(quote(word, true), expected);
        }
        assert_eq!(quote("/opt/$x/job-manager", false), "\"/opt/$x/job-manager\"");
    }

    #[test]
    fn no_end_of_a_path_joins_lines_or_is_lost() {
        for db in ["/srv/a\\", "/srv/a ", "/srv/a\\ "] {
            let text = text("/opt/job-manager", db);

            assert!(text.lines().all(|line| !line.ends_with(['\\', ' '])), "{text}");
        }
    }

    #[test]
    fn the_unit_runs_recover_once_and_leaves_the_managers_alone() {
        let plan =
            plan("/home/a/.config".as_ref(), "job-manager", "/opt/j m/job-manager".as_ref(), "/srv/5% a.db".as_ref());

        let plan = plan.unwrap();

        let settings: Vec<&str> = plan.text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(plan.file, Path::new("/home/a/.config/systemd/user/job-manager.service"));
        assert_eq!(
            settings.join("\n").trim(),
            "[Unit]\n\
             Description=Job Manager: continue the interrupted jobs of \"/srv/5%% a.db\"\n\
             StartLimitIntervalSec=1h\n\
             StartLimitBurst=20\n\
             \n\
             [Service]\n\
             Type=simple\n\
             Restart=on-failure\n\
             RestartSec=30\n\
             ExecStart=\"/opt/j m/job-manager\" --db \"/srv/5%% a.db\" recover --all\n\
             KillMode=process\n\
             RemainAfterExit=yes\n\
             \n\
             [Install]\n\
             WantedBy=default.target"
        );
        assert_eq!(plan.command("enable"), "systemctl --user enable job-manager.service");
    }
}
