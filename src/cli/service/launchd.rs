//! An agent of launchd, as text.

use std::path::Path;

use super::error::ServiceError;
use super::plan::{MARK, Plan, plain, words};

/// Plans the agent below the home directory of a user.
pub(super) fn plan(home: &Path, uid: u32, name: &str, program: &Path, db: &Path) -> Result<Plan, ServiceError> {
    let file = home.join("Library").join("LaunchAgents").join(format!("{name}.plist"));
    let mut load = words(&format!("launchctl bootstrap gui/{uid}"));
    load.push(plain(&file)?.to_owned());
    Ok(Plan {
        text: text(name, plain(program)?, plain(db)?),
        links: Vec::new(),
        // What is loaded already is not loaded anew.
        renew: words(&format!("launchctl bootout gui/{uid}/{name}")),
        renews_late: true,
        enable: load,
        disable: words(&format!("launchctl bootout gui/{uid}/{name}")),
        ask: words(&format!("launchctl print gui/{uid}/{name}")),
        name: name.to_owned(),
        file,
    })
}

fn text(name: &str, program: &str, db: &str) -> String {
    let arguments: String = [program, "--db", db, "recover", "--all"]
        .iter()
        .map(|argument| format!("        <string>{}</string>\n", escape(argument)))
        .collect();
    format!(
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<!-- {MARK}, which replaces it. -->
<plist version=\"1.0\">
<dict>
    <key>Label</key>
    <string>{name}</string>
    <key>ProgramArguments</key>
    <array>
{arguments}    </array>
    <key>RunAtLoad</key>
    <true/>
    <!-- The managers that are started here outlive the one command of this agent. -->
    <key>AbandonProcessGroup</key>
    <true/>
</dict>
</plist>
"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_runs_recover_once_and_leaves_the_managers_alone() {
        let plan = plan("/Users/a".as_ref(), 501, "job-manager", "/opt/j m".as_ref(), "/srv/<5% & \"a\">.db".as_ref());

        let plan = plan.unwrap();

        assert_eq!(plan.file, Path::new("/Users/a/Library/LaunchAgents/job-manager.plist"));
        let (_, dict) = plan.text.split_once("<dict>\n").unwrap();
        assert_eq!(
            dict,
            "    <key>Label</key>\n    \
             <string>job-manager</string>\n    \
             <key>ProgramArguments</key>\n    \
             <array>\n        \
             <string>/opt/j m</string>\n        \
             <string>--db</string>\n        \
             <string>/srv/&lt;5% &amp; \"a\"&gt;.db</string>\n        \
             <string>recover</string>\n        \
             <string>--all</string>\n    \
             </array>\n    \
             <key>RunAtLoad</key>\n    \
             <true/>\n    \
             <!-- The managers that are started here outlive the one command of this agent. -->\n    \
             <key>AbandonProcessGroup</key>\n    \
             <true/>\n\
             </dict>\n\
             </plist>\n"
        );
    }
}
