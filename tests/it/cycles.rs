//! Files import each other in one direction: whoever reads a file reads what is below it, and never comes back.
//!
//! An import counts for the file that defines the name, whatever it is re-exported through. Known weakness: what is
//! called by method, or made by a macro, is no import.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

use crate::source_files::product;

/// A module by the names on its way from the root of the crate.
type Module = Vec<String>;

/// The modules of one crate.
#[derive(Default)]
struct Crate {
    /// The code of each module.
    code: BTreeMap<Module, String>,
    /// What each module calls by a name of its own, and the path that it has for it.
    names: BTreeMap<Module, BTreeMap<String, String>>,
}

impl Crate {
    fn read(root: &Path) -> Crate {
        let mut read = Crate::default();
        read.add(root, Vec::new());
        read
    }

    fn add(&mut self, file: &Path, module: Module) {
        let code = product(&fs::read_to_string(file).unwrap());
        let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| file.ends_with(name));
        let dir: PathBuf = if is_root { file.parent().unwrap().into() } else { file.with_extension("") };
        let declared = Regex::new(r"\bmod (\w+);").unwrap();
        for name in declared.captures_iter(&code).map(|found| found[1].to_owned()) {
            let places = [dir.join(format!("{name}.rs")), dir.join(&name).join("mod.rs")];
            let file = places.iter().find(|place| place.exists()).unwrap_or_else(|| panic!("no file of {name}"));
            self.add(file, below(&module, &name));
        }
        self.insert(module, &code);
    }

    fn insert(&mut self, module: Module, code: &str) {
        let restricted = Regex::new(r"\bpub\([^)]*\)").unwrap();
        let code = restricted.replace_all(code, "pub").into_owned();
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
        let path = Regex::new(r"(?:\w+::)+\w+").unwrap();
        let declaration = Regex::new(r"\buse [^;]+;").unwrap();
        let of_module = |(module, code): (&'_ Module, &'_ String)| {
            let mut paths: Vec<String> =
                uses(code).into_iter().filter(|used| !used.is_public).map(|used| used.path).collect();
            let body = declaration.replace_all(code, "");
            paths.extend(path.find_iter(&body).map(|found| {
                let (first, rest) = found.as_str().split_once("::").unwrap();
                match self.names[module].get(first) {
                    Some(meant) => format!("{meant}::{rest}"),
                    None => found.as_str().to_owned(),
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

fn uses(code: &str) -> Vec<Used> {
    let declaration = Regex::new(r"\b(pub )?use ([^;]+);").unwrap();
    let mut found = Vec::new();
    for declaration in declaration.captures_iter(code) {
        let is_public = declaration.get(1).is_some();
        let tree = declaration[2].split_whitespace().collect::<Vec<_>>().join(" ");
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
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for root in ["lib.rs", "bin/job-manager/main.rs"] {
        let read = Crate::read(&src.join(root));

        let cycles = read.cycles();

        assert!(read.code.len() > 50, "{root} has only {} files", read.code.len());
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
            small.insert(module, &product(text));
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
