//! Parts of an item as a path, as GNU parallel cuts them.
//!
//! Two cases differ from it on purpose. A name such as `.bashrc` has no extension, or all hidden files would share one
//! empty stem and with it one output file. And slashes at the end do not count, so that `{//}/{/}` is the same path.

/// `{/}`: `a/b.jpg` gives `b.jpg`.
pub(super) fn basename(item: &str) -> &str {
    split(item).1
}

/// `{//}`: `a/b.jpg` gives `a`, `b.jpg` gives `.`.
pub(super) fn dirname(item: &str) -> &str {
    match split(item) {
        (None, "/") => "/",
        (None, _) => ".",
        (Some(dir), _) => dir,
    }
}

/// `{.}`: `a/b.jpg` gives `a/b`.
pub(super) fn without_extension(item: &str) -> &str {
    let path = without_end_slashes(item);
    &path[..path.len() - extension_with_dot(path).len()]
}

/// `{/.}`: `a/b.jpg` gives `b`.
pub(super) fn stem(item: &str) -> &str {
    basename(without_extension(item))
}

/// `{ext}`: `a/b.jpg` gives `jpg`.
pub(super) fn extension(item: &str) -> &str {
    let extension = extension_with_dot(without_end_slashes(item));
    extension.strip_prefix('.').unwrap_or(extension)
}

fn split(item: &str) -> (Option<&str>, &str) {
    let path = without_end_slashes(item);
    match path.rfind('/') {
        None => (None, path),
        Some(_) if path == "/" => (None, path),
        Some(at) => (Some(without_end_slashes(&path[..=at])), &path[at + 1..]),
    }
}

/// Returns the path without slashes at its end; the root stays one slash.
fn without_end_slashes(item: &str) -> &str {
    let path = item.trim_end_matches('/');
    if path.is_empty() && !item.is_empty() { &item[..1] } else { path }
}

fn extension_with_dot(path: &str) -> &str {
    let name = basename(path);
    match name.rfind('.') {
        Some(at) if !name[..at].bytes().all(|byte| byte == b'.') => &name[at..],
        _ => "",
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
            let parts = (without_extension(item), basename(item), dirname(item), stem(item), extension(item));

            assert_eq!(parts, (without, base, dir, stem_of, ext), "{item:?}");
        }
    }

    proptest! {
        #[test]
        fn any_item_can_be_cut(item in r"([./é]|\PC)*") {
            let joined = format!("{}/{}", dirname(&item), basename(&item));
            let stem_and_extension = format!("{}.{}", stem(&item), extension(&item));

            prop_assert!(item.len() < 2 || joined.len() >= basename(&item).len() + 2);
            prop_assert!(stem_and_extension.starts_with(basename(&item)));
        }
    }
}
