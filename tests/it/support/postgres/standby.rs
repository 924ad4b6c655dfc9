//! A server in a network of its own, a standby of it, and what makes a server of that.

use std::path::Path;
use std::process::Command;

use super::{PORT, Server, as_server_user, programs, run, template};

impl Server {
    /// Starts a server by a command, to which its program and arguments are added.
    pub fn start_within(within: &[String], settings: &[&str]) -> Option<Server> {
        let mut server = Server::in_new_directory(settings);
        server.within = within.to_vec();
        server.filled()
    }

    /// Starts a server in a network namespace, where it is reached by whoever reaches that.
    pub fn start_in_network(namespace: &str) -> Option<Server> {
        let within = ["ip", "netns", "exec", namespace].map(str::to_owned);
        let server = Server::start_within(&within, &["listen_addresses=*"])?;
        server.admit("all");
        Some(server)
    }

    /// Starts a server whose data is below a directory, which its user can enter.
    pub fn start_below(base: &Path, settings: &[&str]) -> Option<Server> {
        Server::in_new_directory_of(base, settings).filled()
    }

    fn filled(mut self) -> Option<Server> {
        let template = template(&programs()?);
        run(Command::new("cp").arg("-a").arg(template).arg(self.data()));
        self.restart();
        Some(self)
    }

    /// Returns the URL of one of its databases for whoever reaches its host by that name.
    pub fn url_at(&self, host: &str, database: &str) -> String {
        format!("postgresql://postgres@{host}:{PORT}/{database}")
    }

    /// Starts a standby that follows the server through its socket, with settings of its own beside the server's.
    pub fn standby(&self, settings: &[&str]) -> Server {
        let mut standby = Server::in_new_directory(settings);
        standby.within.clone_from(&self.within);
        let mut copy = as_server_user(&programs().expect("a server runs").join("pg_basebackup"));
        copy.current_dir(standby.dir()).arg("-h").arg(self.dir()).args(["-p", PORT, "-U", "postgres", "-D"]);
        // With `standby.signal` and where to follow.
        run(copy.arg(standby.data()).args(["-R", "-X", "stream", "-c", "fast"]));
        standby.restart();
        standby
    }

    /// Has a standby take changes from now on.
    pub fn promote(&self) {
        self.execute("SELECT pg_promote()");
    }

    /// Lets programs in that come from other machines.
    pub fn admit(&self, network: &str) {
        let path = self.data().join("pg_hba.conf");
        let rules = std::fs::read_to_string(&path).unwrap() + &format!("host all all {network} trust\n");
        std::fs::write(&path, rules).unwrap();
        self.execute("SELECT pg_reload_conf()");
    }
}
