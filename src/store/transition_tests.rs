//! The promise of docs/state-machine.md, read from the sources: a statement that gives jobs or units another state names the state
//! that it expects, or stands where the job's row is locked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What locks the row of a job, at once.
const LOCKS: [&str; 4] = ["lock_job(conn", "lock_visible(conn", "write_under(lease", "append_in(conn"];
/// What reads.
const READS: [&str; 5] = ["job_row(conn", ".first(conn)", ".load(conn)", ".get_result(conn)", ".load_iter"];

/// What reads before it locks a job, or locks none, and why that is right.
const EXCEPTIONS: [(&str, &str); 8] = [
    ("add_copied", "locks the copy, which nobody sees, by a statement that names its state"),
    ("begin_copy", "looks for other jobs, and makes one"),
    ("create_job", "makes the job"),
    ("create_job_in", "makes the job"),
    ("create_job_making", "makes the job"),
    ("finish_creation", "nobody but its creator changes a job that nobody sees; its statement names that state"),
    ("join_from", "asks for the schema before it reads a row of it"),
    ("release_space", "free pages are those of no job"),
];

struct Function {
    name: String,
    /// From its name to its body.
    signature: String,
    is_public: bool,
    writes: bool,
    /// Of one that runs a transaction, that.
    body: String,
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The product's sources of the store without comments.
fn texts() -> Vec<String> {
    texts_of("store")
}

fn texts_of(module: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module);
    let is_product = |path: &PathBuf| {
        let path = path.to_str().unwrap();
        !path.contains("tests") && !path.contains("conformance") && !path.contains("properties")
    };
    let text_of = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    sources(&folder).into_iter().filter(is_product).map(text_of).collect()
}

/// The text from a brace to the one that closes it.
fn block(text: &str) -> &str {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, char)| {
        depth += i32::from(*char == '{') - i32::from(*char == '}');
        depth == 0 && *char == '}'
    });
    &text[..=end.expect("a block is closed").0]
}

fn functions(text: &str) -> Vec<Function> {
    let starts = text.match_indices("fn ").filter(|(at, _)| text[..*at].ends_with([' ', '\n']) || *at == 0);
    let function = |(at, _): (usize, &str)| {
        let rest = &text[at + 3..];
        let name: String = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
        let line = text[..at].rsplit('\n').next().unwrap();
        let brace = rest.find('{')?;
        let (signature, body) = (rest[..brace].to_owned(), block(&rest[brace..]).to_owned());
        let transaction = body
            .split_once("self.write(")
            .or_else(|| body.split_once("within(conn, "))
            .map(|(_, transaction)| transaction.to_owned())
            .or_else(|| body.find("self.write_under(").map(|at| body[at..].to_owned()));
        let (is_public, writes) = (line.trim() == "pub", transaction.is_some());
        (!name.is_empty()).then(|| Function { name, signature, is_public, writes, body: transaction.unwrap_or(body) })
    };
    starts.filter_map(function).collect()
}

/// The names of declared statements that change a state whatever it is.
fn unguarded_statements(texts: &[String]) -> BTreeSet<String> {
    let declared =
        texts.iter().flat_map(|text| text.match_indices("statement! {").map(|(at, _)| block(&text[at + 11..])));
    let is_unguarded = |statement: &&str| {
        let (set, condition) = statement.split_once("WHERE").unwrap_or((statement, ""));
        let changes = ["UPDATE jobs SET", "UPDATE units SET"].iter().any(|update| set.contains(update));
        changes && set.contains("status = ") && !condition.contains("status ")
    };
    let name = |statement: &str| {
        let rest = statement.split_once("struct ").expect("a statement is a struct").1;
        rest.chars().take_while(|char| char.is_alphanumeric()).collect()
    };
    declared.filter(is_unguarded).map(name).collect()
}

/// Where a function changes a state without a word about the one that it expects.
fn changes(function: &Function, statements: &BTreeSet<String>) -> Vec<usize> {
    let body = &function.body;
    let built = body.match_indices("diesel::update(").filter(|(at, _)| {
        let statement = body[*at..].split(".execute(").next().unwrap();
        let (rows, set) = statement.split_once(".set(").unwrap_or((statement, ""));
        set.contains("::status.eq(") && !rows.contains("status")
    });
    let declared = statements.iter().flat_map(|name| body.match_indices(name.as_str()));
    built.chain(declared).map(|(at, _)| at).collect()
}

/// Where a function reads.
fn reads(function: &Function) -> Vec<usize> {
    READS.iter().flat_map(|read| function.body.match_indices(read)).map(|(at, _)| at).collect()
}

/// The functions that do something, or call one that does, before they lock a job.
fn unlocked(functions: &[Function], places: impl Fn(&Function) -> Vec<usize>) -> BTreeMap<&str, &Function> {
    let mut found = BTreeMap::new();
    loop {
        let before = found.len();
        for function in functions {
            let body = &function.body;
            let lock = LOCKS.iter().filter_map(|lock| body.find(lock)).min().unwrap_or(usize::MAX);
            let is_called = |name: &&str| body.find(&format!("{name}(conn")).is_some_and(|call| call < lock);
            if places(function).into_iter().any(|place| place < lock) || found.keys().any(is_called) {
                found.insert(function.name.as_str(), function);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[test]
fn a_change_of_state_names_the_state_that_it_expects_or_the_row_of_its_job_is_locked() {
    let texts = texts();
    let statements = unguarded_statements(&texts);
    let functions: Vec<Function> = texts.iter().flat_map(|text| functions(text)).collect();

    let unlocked = unlocked(&functions, |function| changes(function, &statements));

    let transactions: Vec<_> = unlocked.values().filter(|function| function.is_public).map(|it| &it.name).collect();
    assert_eq!(transactions, Vec::<&str>::new(), "these lock no job before its state, or that of a unit, changes");
    // What is looked at at all.
    assert!(statements.contains("HideJob"), "{statements:?}");
    for helper in ["set_status", "end_units", "send_back", "split_in"] {
        assert!(unlocked.contains_key(helper), "{helper} changes a state that its caller has locked");
    }
}

#[test]
fn what_reads_and_then_writes_locks_the_job_first() {
    let functions: Vec<Function> = texts().iter().flat_map(|text| functions(text)).collect();

    let unlocked = unlocked(&functions, reads);

    let transactions: Vec<_> =
        unlocked.values().filter(|function| function.writes).map(|it| it.name.as_str()).collect();
    assert_eq!(transactions, EXCEPTIONS.map(|(name, _)| name), "these read before they lock the job");
}

#[test]
fn every_write_of_a_manager_names_its_lease() {
    let functions: Vec<Function> = texts().iter().flat_map(|text| functions(text)).collect();
    let managers = ["manager", "recovery"].iter().flat_map(|module| texts_of(module));
    let managers: Vec<String> = managers.map(|text| text.split_whitespace().collect()).collect();

    let is_used = |name: &str| managers.iter().any(|text| text.contains(&format!("store.{name}(")));
    let used = functions.iter().filter(|function| function.writes && is_used(&function.name));
    let (leased, others): (Vec<_>, Vec<_>) = used.partition(|function| function.signature.contains("lease: Lease"));

    let others: BTreeSet<&str> = others.into_iter().map(|function| function.name.as_str()).collect();
    assert_eq!(others, BTreeSet::new(), "these write for a manager, whatever has become of its lease");
    let is_fenced = |function: &Function| function.body.starts_with("self.write_under(lease, ");
    assert!(leased.iter().filter(|function| is_fenced(function)).count() > 5, "what is looked at at all");
    // Who writes the error of a callback has left the job, and asks whether somebody has followed; the counters of the other are the
    // fence, in its last statement.
    let own: Vec<&str> = leased.iter().filter(|it| !is_fenced(it)).map(|it| it.name.as_str()).collect();
    assert_eq!(own, ["put_callback_error", "record"]);
}
