//! What a directory has that patterns ask for, and how far the patterns have come in it.

use std::fs::FileType;

/// How far an alternative has come: its next component decides about what is in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    pub alternative: usize,
    pub component: usize,
}

/// What a directory has that some pattern asks for.
pub(super) struct Entry {
    pub name: Vec<u8>,
    /// Unknown where it was not listed.
    pub kind: Option<FileType>,
    /// Alternatives that end here.
    pub ended: Vec<usize>,
    /// Alternatives that go on below.
    pub below: Vec<State>,
}

/// What is to be done with an entry.
pub(super) enum Step {
    File { kind: Option<FileType>, ended: Vec<usize> },
    Enter(Vec<State>),
}

impl State {
    /// Returns where it stands after its next component.
    pub fn next(self) -> State {
        State { component: self.component + 1, ..self }
    }
}

impl Entry {
    /// Makes an entry that no pattern has come to yet.
    pub fn new(name: Vec<u8>, kind: Option<FileType>) -> Entry {
        Entry { name, kind, ended: Vec::new(), below: Vec::new() }
    }

    /// Takes an alternative one component on.
    pub fn advance(&mut self, state: State, is_last: bool) {
        if is_last {
            self.ended.push(state.alternative);
        } else {
            self.below.push(state.next());
        }
    }

    /// Returns what is to be done, each with the bytes that decide about its turn.
    pub fn steps(self) -> impl Iterator<Item = (Vec<u8>, Step)> {
        let Entry { name, kind, ended, below } = self;
        let may_be = |wanted: fn(&FileType) -> bool| kind.is_none_or(|kind| wanted(&kind) || kind.is_symlink());
        let is_entered = !below.is_empty() && may_be(FileType::is_dir);
        let is_file = !ended.is_empty() && may_be(FileType::is_file);
        let enter = is_entered.then(|| ([&name, b"/".as_slice()].concat(), Step::Enter(below)));
        let file = is_file.then_some((name, Step::File { kind, ended }));
        enter.into_iter().chain(file)
    }
}
