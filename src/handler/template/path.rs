//! Parts of an item as a path, as GNU parallel cuts them.
//!
//! Two cases differ from it on purpose. A name such as `.bashrc` has no extension, or all hidden files would share one
//! empty stem and with it one output file. And slashes at the end do not count, so that `{//}/{/}` is the same path.

/// `{/}`: `a/b.jpg` gives `b.jpg`.
pub(super) fn basename(item: &[u8]) -> &[u8] {
    split(item).1
}

/// Returns `true` if what would be the name of a file leads to a directory instead, such as of `/` and `a/..`.
pub(super) fn is_without_name(item: &[u8]) -> bool {
    matches!(basename(item), b"/" | b"." | b"..")
}

/// `{//}`: `a/b.jpg` gives `a`, `b.jpg` gives `.`.
pub(super) fn dirname(item: &[u8]) -> &[u8] {
    match split(item) {
        (None, b"/") => b"/",
        (None, _) => b".",
        (Some(dir), _) => dir,
    }
}

/// `{.}`: `a/b.jpg` gives `a/b`.
pub(super) fn without_extension(item: &[u8]) -> &[u8] {
    let path = without_end_slashes(item);
    &path[..path.len() - extension_with_dot(path).len()]
}

/// `{/.}`: `a/b.jpg` gives `b`.
pub(super) fn stem(item: &[u8]) -> &[u8] {
    basename(without_extension(item))
}

/// `{ext}`: `a/b.jpg` gives `jpg`.
pub(super) fn extension(item: &[u8]) -> &[u8] {
    let extension = extension_with_dot(without_end_slashes(item));
    extension.strip_prefix(b".").unwrap_or(extension)
}

fn split(item: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let path = without_end_slashes(item);
    match path.iter().rposition(|byte| *byte == b'/') {
        None => (None, path),
        Some(_) if path == b"/" => (None, path),
        Some(at) => (Some(without_end_slashes(&path[..=at])), &path[at + 1..]),
    }
}

/// Returns the path without slashes at its end; the root stays one slash.
fn without_end_slashes(item: &[u8]) -> &[u8] {
    let end = item.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    if end == 0 && !item.is_empty() { &item[..1] } else { &item[..end] }
}

fn extension_with_dot(path: &[u8]) -> &[u8] {
    let name = basename(path);
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(at) if !name[..at].iter().all(|byte| *byte == b'.') => &name[at..],
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_cut_as_users_expect() {
        // item, {.}, {/}, {//}, {/.}, {ext}
        for (item, without, base, dir, stem_of, ext) in [
            ("foo.jpg", "foo", "foo.jpg", ".", "foo", "jpg"),
            ("sub.dir/foo.tar.gz", "sub.dir/foo.tar", "foo.tar.gz", "sub.dir", "foo.tar", "gz"),
            ("sub.dir/bar", "sub.dir/bar", "bar", "sub.dir", "bar", ""),
            ("/foo.jpg", "/foo", "foo.jpg", "/", "foo", "jpg"),
            ("a/.bashrc", "a/.bashrc", ".bashrc", "a", ".bashrc", ""),
            (".env.local", ".env", ".env.local", ".", ".env", "local"),
            ("foo.", "foo", "foo.", ".", "foo", ""),
            ("a//b.c/", "a//b", "b.c", "a", "b", "c"),
            ("//x", "//x", "x", "/", "x", ""),
            ("..", "..", "..", ".", "..", ""),
            ("../x.y", "../x", "x.y", "..", "x", "y"),
            ("/", "/", "/", "/", "/", ""),
            ("//", "/", "/", "/", "/", ""),
            ("", "", "", ".", "", ""),
            ("é/ü.ß", "é/ü", "ü.ß", "é", "ü", "ß"),
            ("-x\n.y z", "-x\n", "-x\n.y z", ".", "-x\n", "y z"),
        ] {
            let parts = [without_extension, basename, dirname, stem, extension]
                .map(|part: fn(&[u8]) -> &[u8]| std::str::from_utf8(part(item.as_bytes())).unwrap());

            assert_eq!(parts, [without, base, dir, stem_of, ext], "{item:?}");
        }
    }

    proptest! {
        #[test]
        fn any_item_can_be_cut(item: Vec<u8>) {
            let joined = [dirname(&item), b"/", basename(&item)].concat();
            let stem_and_extension = [stem(&item), b".", extension(&item)].concat();

            prop_assert!(item.len() < 2 || joined.len() >= basename(&item).len() + 2);
            prop_assert!(stem_and_extension.starts_with(basename(&item)));
        }

        #[test]
        fn a_path_is_cut_as_its_text_is(item in r"([./é]|\PC)*") {
            let joined = [dirname(item.as_bytes()), b"/", basename(item.as_bytes())].concat();

            prop_assert!(std::str::from_utf8(&joined).is_ok());
        }
    }
}
