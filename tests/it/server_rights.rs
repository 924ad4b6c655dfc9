//! A role that may not make tables, and the administrator who makes them for it.

use std::process::Output;

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};

use crate::support::{Server, World, text, without_tool};

/// A role in a database in which it may make nothing.
struct Role {
    server: &'static Server,
    world: World,
    administrator: String,
    url: String,
}

impl Role {
    fn new(name: &str, database: impl FnOnce(&Server) -> String) -> Option<Role> {
        let Some(server) = Server::shared() else {
            without_tool("postgres");
            return None;
        };
        let administrator = database(server);
        let database = administrator.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
        let url = server.url_of(name, database);
        let role = Role { server, world: World::new(), url, administrator };
        role.administrator(&format!("CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM public"));
        Some(role)
    }

    fn in_schema(mut self, schema: &str) -> Role {
        self.url.push_str(&format!("&options=-csearch_path%3D{schema}"));
        self
    }

    fn administrator(&self, sql: &str) {
        let mut conn = PgConnection::establish(&self.administrator).unwrap();
        conn.batch_execute(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.world.job_manager(args);
        command.env("JOB_MANAGER_DB", &self.url).env("XDG_STATE_HOME", self.world.path("state")).output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// A submission is refused, and works once an administrator has run what is printed, which this returns.
    #[track_caller]
    fn is_let_in_by_what_is_printed(&self, refusal: &str) -> String {
        let refused = self.run(&["submit", "--", "true"]);
        let examined = self.run(&["doctor"]);
        let sql = self.ok(&["doctor", "--sql"]);
        self.administrator(&sql);
        self.ok(&["submit", "--range", "1-3", "--", "true"]);
        self.ok(&["wait", "1"]);

        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(5), "{said}");
        assert!(said.contains(refusal) && said.contains("`job-manager doctor --sql` prints"), "{said}");
        assert!(text(&examined.stderr).contains("`job-manager doctor --sql` prints"), "{}", text(&examined.stdout));
        assert!(self.ok(&["status", "1"]).contains("3 completed"));
        sql
    }
}

#[test]
fn a_role_that_may_not_make_tables_is_told_what_an_administrator_has_to_run() {
    let Some(role) = Role::new("\"Jo'e\"", Server::empty_database) else { return };
    let role = Role { url: role.url.replace("user=\"Jo'e\"", "user=Jo%27e"), ..role };

    let sql = role.is_let_in_by_what_is_printed("may not create tables in schema public");

    assert!(sql.contains("CREATE TABLE units") && sql.contains("TO \"Jo'e\""), "{sql}");
    // Once more gives rights only.
    let again = role.ok(&["doctor", "--sql"]);
    assert!(!again.contains("CREATE"), "{again}");
    role.administrator(&again);
    // In another database nothing is made.
    let other = role.server.empty_database();
    let mut conn = PgConnection::establish(&other).unwrap();
    let refused = conn.batch_execute(&sql).unwrap_err().to_string();
    assert!(refused.contains("this is for database test_"), "{refused}");
}

#[test]
fn a_schema_that_is_not_there_is_made_by_the_administrator() {
    let Some(role) = Role::new("schemaless", Server::empty_database) else { return };
    let role = role.in_schema("Batches");

    let sql = role.is_let_in_by_what_is_printed("has no schema for this user");

    assert!(sql.contains("CREATE SCHEMA \"batches\";"), "{sql}");
}

#[test]
fn a_role_that_may_not_read_the_tables_of_another_one_is_given_the_right_to() {
    let Some(role) = Role::new("reader", Server::database) else { return };

    let sql = role.is_let_in_by_what_is_printed("may not use the tables in schema public");

    assert!(!sql.contains("CREATE"), "{sql}");
}

#[test]
fn tables_of_another_program_and_a_file_need_no_administrator() {
    let Some(role) = Role::new("stranger", Server::empty_database) else { return };
    role.administrator("CREATE TABLE orders (id int)");

    let refused = role.run(&["doctor", "--sql"]);
    let world = World::new();
    let file = world.fails(2, &["doctor", "--sql"]);

    assert_eq!(refused.status.code(), Some(5));
    let said = text(&refused.stderr);
    assert!(said.contains("tables of another program (orders)"), "{said}");
    assert!(
        file.contains("--sql is for a database on a PostgreSQL server") && file.contains("jobs.db is a file"),
        "{file}"
    );
}
