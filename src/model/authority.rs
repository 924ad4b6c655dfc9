//! The part of an address that names a machine.

/// Returns the host and the port of `HOST[:PORT]`, where a host of numbers with colons stands in brackets; none for anything else.
pub(crate) fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_bracket = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority[after_bracket..].split_once(':') {
        Some((rest, port)) => (&authority[..after_bracket + rest.len()], Some(port)),
        None => (authority, None),
    };
    let is_closed = host.starts_with('[') == host.ends_with(']') && host != "[]";
    if host.is_empty() || !is_closed {
        return None;
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match port {
        None => Some((host, None)),
        Some(port) => Some((host, Some(port.parse().ok().filter(|&number| number > 0 && is_digits(port))?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port_and_nothing_else() {
        for (authority, found) in [
            ("here", Some(("here", None))),
            ("here:80", Some(("here", Some(80)))),
            ("[::1]", Some(("[::1]", None))),
            ("[::1]:65535", Some(("[::1]", Some(65535)))),
            ("", None),
            (":80", None),
            ("here:", None),
            ("here:0", None),
            ("here:+1", None),
            ("here:65536", None),
            ("here:1:2", None),
            ("[::1", None),
            ("[]:80", None),
        ] {
            assert_eq!(host_and_port(authority), found, "{authority}");
        }
    }
}
