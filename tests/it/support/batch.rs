//! A batch over files of this machine that shares of several machines do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{BIN, World, wait_for};

/// The script that does a share.
pub const SHARE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/share/share.sh");
/// Notes which files it is given, after it has stood still at those behind `HOLD` until `GO` is there.
const SLOW_SUM: &str = "#!/bin/sh\n\
    if [ \"$1\" \\> \"$HOLD\" ]; then until [ -e \"$GO\" ]; do sleep 0.05; done; fi\n\
    echo \"$1\" >>\"$SUMMED\"\n\
    PATH=${PATH#*:} exec sha256sum \"$1\"\n";

/// Files of this machine whose sums are wanted. The second half of them is held back until it is let go.
pub struct Batch<'w> {
    world: &'w World,
    pub files: usize,
}

impl<'w> Batch<'w> {
    /// Looks for that many files.
    pub fn new(world: &'w World, files: usize) -> Batch<'w> {
        let find = format!(
            "find /usr/share/doc /usr/share/man -type f -readable -size -64k ! -name '*[[:cntrl:]]*' | LC_ALL=C sort | head -n {files} >files"
        );
        world.sh(&find);
        fs::create_dir_all(world.path("bin")).unwrap();
        let sum = world.write("bin/sha256sum", SLOW_SUM);
        fs::set_permissions(sum, fs::Permissions::from_mode(0o755)).unwrap();
        let files = world.lines("files").len();
        assert!(files > 10, "{files} files below /usr/share/doc and man");
        Batch { world, files }
    }

    /// Prepares a command with what share.sh takes from its environment, for a machine with that name.
    pub fn on(&self, machine: &str, mut command: Command) -> Command {
        let world = self.world;
        let programs = Path::new(BIN).parent().unwrap().display().to_string();
        let path = format!("{}:{programs}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
        command
            .env("PATH", path)
            .env("LC_ALL", "C")
            .env("STATE", world.path(&format!("local-{machine}")))
            .env("GRACE", "100ms")
            .env("WORKERS", "2")
            .env("SHARE", SHARE)
            .env("LIST", world.path("files"))
            .env("OUT", world.path("out"))
            .env("HOLD", &world.lines("files")[self.files / 2 - 1])
            .env("GO", world.path("go"))
            .env("SUMMED", world.path("summed"));
        command
    }

    /// Prepares a share of the batch on a machine.
    pub fn share(&self, machine: &str, number: usize, of: usize) -> Command {
        let mut command = self.on(machine, self.world.command("sh"));
        command.arg(SHARE).args([number.to_string(), of.to_string()]);
        command.arg(self.world.path("files")).arg(self.world.path("out"));
        command
    }

    /// Waits until only files are left that are held back.
    pub fn wait_for_half(&self) {
        wait_for(self.world, "the first half of the sums", || self.made() == self.files / 2);
    }

    /// Returns how many sums there are.
    pub fn made(&self) -> usize {
        let out = self.world.path("out");
        let names = self.world.lines("files");
        names.iter().filter(|name| out.join(format!("{}.sha256", &name[1..])).exists()).count()
    }

    /// Lets the second half go on.
    pub fn let_go(&self) {
        self.world.write("go", "");
    }

    /// Checks that all machines together have made what one command makes, and none of it twice.
    pub fn assert_whole(&self) {
        let serial = self.world.sh("xargs -d '\\n' sha256sum <files").stdout;
        let union = self.world.sh("sed \"s|^|$PWD/out|; s|$|.sha256|\" files | xargs -d '\\n' cat").stdout;
        assert!(serial == union, "{} of {} sums\n{}", self.made(), self.files, self.world.report());
        let mut summed = self.world.lines("summed");
        summed.sort();
        assert_eq!(summed, self.world.lines("files"), "a file was summed twice");
    }
}
