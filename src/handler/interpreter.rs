//! What the kernel needs beside the file of a program: the interpreter that a script or a dynamic executable names.
//!
//! An absent interpreter is reported by the kernel as if the program itself were absent, and a script without one as if
//! it were for another machine. A shell distinguishes these, and so do we.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// First bytes of a file that tell what it is.
const HEAD_BYTES: usize = 256;
/// Scripts that are interpreted by scripts: the kernel follows no more of them.
const MAX_DEPTH: usize = 5;

/// Returns the interpreter that a program names, itself or through the one it names, and that is not there.
///
/// Only what is certain is said: `None` for a file that cannot be read, and for an executable of another machine.
pub(super) fn missing_interpreter(program: &Path, cwd: &Path) -> Option<PathBuf> {
    let mut program = program.to_owned();
    for _ in 0..MAX_DEPTH {
        let interpreter = cwd.join(interpreter_of(&program)?);
        if !interpreter.try_exists().ok()? {
            return Some(interpreter);
        }
        program = interpreter;
    }
    None
}

/// Returns `true` if a file is a script that names no interpreter, which a shell runs itself; bytes with NUL are no script.
pub(super) fn is_script_of_shell(program: &Path) -> bool {
    let Some(head) = head_of(program) else { return false };
    let names_one = head.strip_prefix(b"#!").is_some_and(|line| script_interpreter(line).is_some());
    !names_one && !head.contains(&0)
}

fn interpreter_of(program: &Path) -> Option<PathBuf> {
    let head = head_of(program)?;
    if let Some(line) = head.strip_prefix(b"#!") {
        return script_interpreter(line);
    }
    let is_native = head.starts_with(b"\x7fELF") && is_for_this_machine(&head);
    if is_native { elf_interpreter(&File::open(program).ok()?, &head) } else { None }
}

fn head_of(program: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(program).ok()?.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Reads the first line of a script as the kernel does: one word, up to a blank.
fn script_interpreter(line: &[u8]) -> Option<PathBuf> {
    let line = line.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).filter(|word| !word.is_empty());
    words.next().map(|word| PathBuf::from(OsString::from_vec(word.to_vec())))
}

/// Compares class, byte order and machine with those of this very program.
fn is_for_this_machine(head: &[u8]) -> bool {
    let same = |own: &[u8]| own.get(4..6) == head.get(4..6) && own.get(18..20) == head.get(18..20);
    head_of(Path::new("/proc/self/exe")).is_some_and(|own| same(&own))
}

/// Reads the path of the dynamic linker from an executable of this machine, whose numbers are in our byte order.
fn elf_interpreter(file: &File, head: &[u8]) -> Option<PathBuf> {
    const IS_INTERPRETER: u32 = 3;
    const MAX_PATH_BYTES: usize = 4096;
    let number = |bytes: &[u8], at: usize, wide: bool| -> Option<u64> {
        Some(match wide {
            true => u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?),
            false => u64::from(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?)),
        })
    };
    let short =
        |at: usize| -> Option<u64> { Some(u64::from(u16::from_ne_bytes(head.get(at..at + 2)?.try_into().ok()?))) };
    let is_64 = head.get(4) == Some(&2);
    let (table, entry_bytes, entries) = if is_64 {
        (number(head, 32, true)?, short(54)?, short(56)?)
    } else {
        (number(head, 28, false)?, short(42)?, short(44)?)
    };
    for index in 0..entries {
        let mut entry = [0; 56];
        let entry = &mut entry[..if is_64 { 56 } else { 32 }];
        file.read_exact_at(entry, table.checked_add(index * entry_bytes)?).ok()?;
        if number(entry, 0, false)? != u64::from(IS_INTERPRETER) {
            continue;
        }
        let (offset, bytes) = if is_64 {
            (number(entry, 8, true)?, number(entry, 32, true)?)
        } else {
            (number(entry, 4, false)?, number(entry, 16, false)?)
        };
        let mut path = vec![0; usize::try_from(bytes).ok()?.min(MAX_PATH_BYTES)];
        file.read_exact_at(&mut path, offset).ok()?;
        path.truncate(path.iter().position(|&byte| byte == 0).unwrap_or(path.len()));
        return Some(PathBuf::from(OsString::from_vec(path)));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn missing(content: &[u8]) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, content).unwrap();
        missing_interpreter(&program, dir.path()).map(|path| path.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_interpreter_of_a_script_is_looked_for() {
        assert_eq!(missing(b"#! /nowhere/foo -x\n").as_deref(), Some("/nowhere/foo"));
        assert_eq!(missing(b"#!/bin/sh\r\ntrue\r\n").as_deref(), Some("/bin/sh\r"));
        assert_eq!(missing(b"#!/bin/sh\n"), None);
        assert_eq!(missing(b"#!\n"), None);
        assert_eq!(missing(b"true\n"), None);
    }

    #[test]
    fn the_dynamic_linker_of_an_executable_is_looked_for() {
        let own = fs::read("/proc/self/exe").unwrap();
        let linker = interpreter_of(Path::new("/proc/self/exe")).unwrap();
        let name = linker.to_str().unwrap().as_bytes();
        let at = own.windows(name.len()).position(|window| window == name).unwrap();
        let mut other = own;
        other[at + 1] = b'X';

        assert!(linker.exists(), "{}", linker.display());
        assert!(missing(&other).unwrap().starts_with("/X"));
    }

    #[test]
    fn a_text_that_names_no_interpreter_is_a_script_and_bytes_with_nul_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let is_script = |content: &[u8]| {
            let program = dir.path().join("program");
            fs::write(&program, content).unwrap();
            is_script_of_shell(&program)
        };

        assert!(is_script(b"echo hello\n") && is_script(b"") && is_script(b"#! \necho\n"));
        assert!(!is_script(b"MZ\x00\x01") && !is_script(b"#!/bin/sh\n"));
    }
}
