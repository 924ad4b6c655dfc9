//! What is appended is read again, and nothing else.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::*;

fn kept(dir: &Path) -> KeptDir {
    KeptDir::at(dir.to_owned())
}

fn try_read(dir: &Path, seq: i64) -> (String, io::Result<()>) {
    let mut all = Vec::new();
    let of = FrameOf { seq, started_us: 1, stream: Stream::Out };
    let read = SegmentReader::new(dir.to_owned()).read_more(of, |bytes| all.write_all(bytes));
    (String::from_utf8(all).unwrap(), read)
}

fn read(reader: &mut SegmentReader, seq: i64, stream: Stream) -> String {
    let mut all = Vec::new();
    reader.read_more(FrameOf { seq, started_us: 1, stream }, |bytes| all.write_all(bytes)).unwrap();
    String::from_utf8(all).unwrap()
}

fn write(dir: &Path, slot: usize, seq: i64, text: &str) {
    SegmentWriter::open(&kept(dir), 1, slot, seq, 1).unwrap().append(Stream::Out, text.as_bytes()).unwrap();
}

#[test]
fn each_unit_finds_its_own_output_again_and_what_was_added_since() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = SegmentWriter::open(&kept(dir.path()), 1, 0, 7, 1).unwrap();
    first.append(Stream::Out, b"seven ").unwrap();
    first.append(Stream::Err, b"oops").unwrap();
    write(dir.path(), 1, 8, "eight");
    let mut reader = SegmentReader::new(dir.path().to_owned());

    assert_eq!(read(&mut reader, 7, Stream::Out), "seven ");
    first.append(Stream::Out, b"more").unwrap();

    assert_eq!(read(&mut reader, 7, Stream::Out), "more");
    assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Err), "oops");
    assert_eq!(read(&mut SegmentReader::new(dir.path().join("none")), 7, Stream::Out), "");
}

#[test]
fn an_attempt_that_bears_the_number_of_an_earlier_one_has_its_own_output() {
    let dir = tempfile::tempdir().unwrap();
    for (epoch, slot, started_us) in [(1, 3, 5), (1, 0, 1), (2, 0, 6)] {
        let mut writer = SegmentWriter::open(&kept(dir.path()), epoch, slot, 7, started_us).unwrap();
        writer.append(Stream::Out, started_us.to_string().as_bytes()).unwrap();
    }

    assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Out), "1");
}

#[test]
fn a_torn_frame_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0, 7, "whole");
    let path = dir.path().join(name_of(1, 0));
    let length_of_first = fs::read(&path).unwrap().len();
    write(dir.path(), 0, 7, "torn");
    let whole = fs::read(&path).unwrap();

    for length in length_of_first..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Out), "whole");
    }
}

#[test]
fn fault_155_after_a_failed_write_what_others_write_is_read_and_the_gap_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    // The write that meets the limit of the size of files is cut short, and the next one fails.
    let _flag = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).unwrap();
    let mut writer = SegmentWriter::open(&kept(dir.path()), 1, 0, 7, 1).unwrap();
    writer.append(Stream::Out, b"before").unwrap();

    setrlimit(Resource::RLIMIT_FSIZE, 1000, hard).unwrap();
    let failed = writer.append(Stream::Out, &[b'x'; 2000]);
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    writer.append(Stream::Out, b"after").unwrap();
    write(dir.path(), 0, 8, "another unit");

    assert!(failed.is_err());
    assert_eq!(try_read(dir.path(), 7).0, format!("before{}after", String::from_utf8_lossy(GAP)));
    assert_eq!(try_read(dir.path(), 8).0, "another unit");
}

#[test]
fn fault_156_damage_is_told_to_whoever_reads_and_keeps_nothing_else_from_being_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0, 7, "seven");
    write(dir.path(), 0, 8, "eight");
    write(dir.path(), 1, 9, "nine");
    let path = dir.path().join(name_of(1, 0));
    let whole = fs::read(&path).unwrap();

    for at in 0..whole.len() / 2 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&path, damaged).unwrap();
        let (text, told) = try_read(dir.path(), 7);
        assert_eq!(text, "", "byte {at}");
        assert!(told.unwrap_err().to_string().ends_with("1.0.3 is damaged at byte 0"), "byte {at}");
        assert!(matches!(try_read(dir.path(), 9), (text, Ok(())) if text == "nine"), "byte {at}");
    }
}

#[test]
fn a_file_of_the_former_form_is_read_and_one_of_a_later_form_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let frame = [&7_i64.to_le_bytes()[..], &1_i64.to_le_bytes(), &[1], &6_u32.to_le_bytes(), b"former"].concat();
    fs::write(dir.path().join("1.0.2"), frame).unwrap();

    assert_eq!(try_read(dir.path(), 7).0, "former");
    fs::write(dir.path().join("2.0.4"), "?").unwrap();

    let refused = try_read(dir.path(), 7).1.unwrap_err().to_string();
    assert!(refused.ends_with("2.0.4 is of a version that is not known here"), "{refused}");
}

#[test]
fn fault_303_a_name_counts_as_durable_when_its_directory_was_synced_and_only_for_that_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("job/output");
    fs::create_dir_all(&output).unwrap();
    write(&output, 0, 7, "seven");
    write(&output, 1, 8, "eight");
    let planted = output.join(name_of(1, 1));
    let open_to = |mode| fs::set_permissions(&planted, fs::Permissions::from_mode(mode)).unwrap();
    let sync = SegmentSync::new(output.clone(), 1);
    let slots = BTreeSet::from([0, 1]);
    let named = || sync.named.lock().unwrap().clone();

    open_to(0o666);
    sync.sync(&slots).unwrap_err();
    let after_error = named();
    open_to(0o600);
    sync.sync(&slots).unwrap();
    let first = named();
    fs::remove_dir_all(&output).unwrap();
    fs::create_dir(&output).unwrap();
    write(&output, 0, 9, "nine");
    sync.sync(&slots).unwrap();

    assert!(after_error.is_empty(), "{after_error:?}");
    assert_eq!(first.keys().copied().collect::<Vec<_>>(), [0, 1]);
    assert_ne!(named()[&0], first[&0]);
}
