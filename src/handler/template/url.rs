//! The host of a URL, as it is written: without user, password and port, and without a dot at its end.
//!
//! It is cut, not checked: whoever asks that host finds out what is wrong with it. A text without `//` has none, because
//! `example.com/a` may as well be a path.

/// `{url/host}`: `https://bob@example.com:8443/a` gives `example.com`; a text that is no URL gives nothing.
pub(super) fn host(url: &[u8]) -> &[u8] {
    let Some(start) = url.windows(2).position(|pair| pair == b"//") else { return b"" };
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme = match &url[..start] {
        [] => b"",
        [scheme @ .., b':'] => scheme,
        _ => return b"",
    };
    if !scheme.iter().all(is_scheme) {
        return b"";
    }
    let rest = &url[start + 2..];
    let end = rest.iter().position(|byte| b"/?#\\".contains(byte)).unwrap_or(rest.len());
    let authority = &rest[..end];
    let named = authority.iter().rposition(|byte| *byte == b'@').map_or(authority, |at| &authority[at + 1..]);
    if named.first() == Some(&b'[') {
        return named.iter().position(|byte| *byte == b']').map_or(named, |end| &named[..=end]);
    }
    let name = named.iter().position(|byte| *byte == b':').map_or(named, |colon| &named[..colon]);
    name.strip_suffix(b".").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_is_cut_out_of_a_url() {
        for (url, name) in [
            ("http://example.com", "example.com"),
            ("https://example.com:8443/a?b#c", "example.com"),
            ("ftp://bob:s3c@ftp.example.com/x", "ftp.example.com"),
            ("https://a@b@c.example/", "c.example"),
            ("//cdn.example.com/x.js", "cdn.example.com"),
            ("http://example.com./", "example.com"),
            ("http://example.com?q=//other", "example.com"),
            ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("git+ssh://host/x", "host"),
            ("file:///etc/passwd", ""),
            ("example.com/a", ""),
            ("a b://c", ""),
            ("path//x", ""),
            ("mailto:bob@example.com", ""),
            ("", ""),
        ] {
            assert_eq!(str::from_utf8(host(url.as_bytes())).unwrap(), name, "{url}");
        }
    }

    proptest! {
        #[test]
        fn the_host_of_anything_is_a_part_of_it(url in r"\PC*") {
            prop_assert!(url.contains(str::from_utf8(host(url.as_bytes())).unwrap()));
        }
    }
}
