//! Files import each other in one direction: whoever reads a file reads what is below it, and never comes back.
//!
//! An import counts for the file that defines the name, whatever it is re-exported through. Known weakness: what is
//! called by method, or made by a macro, is no import.

use std::collections::{BTreeMap, BTreeSet};

use crate::source_files::{Module, modules, product};

/// The modules of one crate.
#[derive(Default)]
struct Crate {
    /// The code of each module.
    code: BTreeMap<Module, String>,
    /// What each module calls by a name of its own, and the path that it has for it.
    names: BTreeMap<Module, BTreeMap<String, String>>,
}

impl Crate {
    fn read(root: &str) -> Crate {
        let mut read = Crate::default();
        modules(root).into_iter().for_each(|(module, (_, code))| read.insert(module, code));
        read
    }

    fn insert(&mut self, module: Module, code: String) {
        let names = uses(&code).into_iter().filter(|used| used.name != "*" && used.name != "_");
        self.names.insert(module.clone(), names.map(|used| (used.name, used.path)).collect());
        self.code.insert(module, code);
    }

    /// Returns the path from the root that a path in a module means; none when it leads out of the crate.
    fn absolute(&self, module: &Module, path: &str) -> Option<Module> {
        let mut words: Vec<&str> = path.split("::").collect();
        let mut from = module.clone();
        match words[0] {
            "crate" => from.clear(),
            "self" => {}
            "super" => {
                while words.get(1) == Some(&"super") {
                    words.remove(0);
                    from.pop();
                }
                from.pop();
            }
            first if self.code.contains_key(&below(module, first)) => from.push(first.to_owned()),
            _ => return None,
        }
        from.extend(words[1..].iter().map(|&word| word.to_owned()));
        Some(from)
    }

    /// Returns the module that defines what a path from the root means.
    fn definer(&self, path: &Module, steps: usize) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|&length| self.code.contains_key(&path[..length]))?;
        let (module, rest) = (path[..length].to_vec(), &path[length..]);
        let Some(other) = rest.first().and_then(|name| self.names[&module].get(name)) else { return Some(module) };
        let mut next = self.absolute(&module, other)?;
        next.extend_from_slice(&rest[1..]);
        if steps == 0 || next == *path { Some(module) } else { self.definer(&next, steps - 1) }
    }

    /// Returns for each module those that it imports from.
    fn imports(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of_module = |(module, code): (&'_ Module, &'_ String)| {
            let mut paths: Vec<String> =
                uses(code).into_iter().filter(|used| !used.is_public).map(|used| used.path).collect();
            paths.extend(paths_of(code).into_iter().map(|path| {
                let (first, rest) = path.split_once("::").unwrap_or((path, ""));
                match self.names[module].get(first) {
                    Some(meant) => format!("{meant}::{rest}"),
                    None => path.to_owned(),
                }
            }));
            let found = paths.iter().filter_map(|path| self.definer(&self.absolute(module, path)?, 8));
            found.filter(|other| other != module).collect()
        };
        self.code.iter().map(|entry| (entry.0, of_module(entry))).collect()
    }

    /// Returns cycles of imports: none only if there are none.
    fn cycles(&self) -> Vec<String> {
        let imports = self.imports();
        let (mut done, mut found) = (BTreeSet::new(), Vec::new());
        for module in self.code.keys() {
            walk(module, &imports, &mut Vec::new(), &mut done, &mut found);
        }
        found
    }
}

fn walk(
    module: &Module,
    imports: &BTreeMap<&Module, BTreeSet<Module>>,
    way: &mut Vec<Module>,
    done: &mut BTreeSet<Module>,
    found: &mut Vec<String>,
) {
    if let Some(begin) = way.iter().position(|before| before == module) {
        let names = way[begin..].iter().chain([module]).map(|module| format!("crate::{}", module.join("::")));
        found.push(names.collect::<Vec<_>>().join(" -> "));
    } else if !done.contains(module) {
        way.push(module.clone());
        for other in &imports[module] {
            walk(other, imports, way, done, found);
        }
        way.pop();
        done.insert(module.clone());
    }
}

/// A name that a `use` brings into a module.
struct Used {
    name: String,
    path: String,
    is_public: bool,
}

/// Returns the imports of a module, and where the text of each begins and ends.
fn declarations(code: &str) -> Vec<(usize, usize)> {
    let begins = code.match_indices("use ").map(|(at, _)| at).filter(|at| !code[..*at].ends_with(is_of_word));
    begins.filter_map(|at| Some((at, at + code[at..].find(';')?))).collect()
}

fn uses(code: &str) -> Vec<Used> {
    let mut found = Vec::new();
    for (begin, end) in declarations(code) {
        let before = code[..begin].trim_end();
        // A visibility in parentheses makes the name as public as any other for whoever asks who defines it.
        let before =
            before.strip_suffix(')').and_then(|before| before.rsplit_once('(')).map_or(before, |(before, _)| before);
        let is_public = before.ends_with("pub");
        let tree = code[begin + 4..end].split_whitespace().collect::<Vec<_>>().join(" ");
        for path in leaves(&tree) {
            let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
            let path = path.strip_suffix("::self").unwrap_or(path).to_owned();
            let last = path.rsplit("::").next().unwrap_or_default();
            let name = if alias.is_empty() { last } else { alias }.to_owned();
            found.push(Used { name, path, is_public });
        }
    }
    found
}

/// Returns the paths that a module spells out beside its imports and its visibilities.
fn paths_of(code: &str) -> Vec<&str> {
    let (mut begin, mut parts) = (0, Vec::new());
    for (at, end) in declarations(code) {
        parts.push(&code[begin..at]);
        begin = end;
    }
    parts.push(&code[begin..]);
    let words = parts.into_iter().flat_map(|part| {
        let pieces = part.split("pub(").enumerate();
        let pieces = pieces.map(|(number, piece)| if number == 0 { piece } else { piece.split_once(')').unwrap().1 });
        pieces.flat_map(|piece| piece.split(|c: char| c != ':' && !is_of_word(c)))
    });
    words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::")).collect()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the paths of a tree of imports.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, group)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let group = group.trim_end().strip_suffix('}').expect("a group ends where its tree does");
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in group.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| leaves(&format!("{}{part}", before.trim()))).collect()
}

fn below(module: &Module, name: &str) -> Module {
    [module.as_slice(), &[name.to_owned()]].concat()
}

#[test]
fn no_file_is_imported_by_what_it_imports() {
    for root in ["lib.rs", "bin/job-manager/main.rs"] {
        let read = Crate::read(root);

        let cycles = read.cycles();

        assert!(cycles.is_empty(), "{} cycles below {root}:\n{}", cycles.len(), cycles.join("\n"));
    }
}

#[test]
fn a_cycle_is_found_behind_a_re_export_and_below_unit_tests() {
    let cycles = |of_b: &str| {
        let mut small = Crate::default();
        for (module, text) in [
            ("", "mod a; mod b; mod c; pub use c::{D as E, F};"),
            ("a", "use super::{b::{self, B}, F};"),
            ("b", of_b),
            ("c", "use crate::b; fn f() { b::g() }"),
        ] {
            let module: Module = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            small.insert(module, product(text));
        }
        small.cycles()
    };

    assert_eq!(
        cycles("// use crate::E;\n pub(in super::a) use h::I; #[cfg(test)] mod tests { use super::a; }"),
        [""; 0]
    );
    for import in ["use super::E;", "#[cfg(test)] mod tests {} use crate::{E};", "fn f() { crate::E::new() }"] {
        assert_eq!(cycles(import), ["crate::b -> crate::c -> crate::b"], "{import}");
    }
}
