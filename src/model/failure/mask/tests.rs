//! Which parts of a text are masked, and which are kept.

use super::*;

#[test]
fn what_differs_from_unit_to_unit_is_masked() {
    let cases = [
        ("took 12 of 30 s, 1.5 MB, -3 degrees", "took <n> of <n> s, <n> MB, <n> degrees"),
        ("no such user 0198c0de-1111-7abc-8def-0123456789ab", "no such user <uuid>"),
        ("object 3fa9c2d1e0 at 0x7ffd00 is gone", "object <n> at <n> is gone"),
        ("cannot open /data/in/photo-17.jpg: No such file", "cannot open <path>: No such file"),
        ("cannot open photos/a.jpg", "cannot open <path>"),
        ("GET https://host/a?b=1;c=2: refused", "GET <url>: refused"),
        ("cannot open \"a \\\" b\" for writing", "cannot open <text> for writing"),
        ("cannot stat ‘x y’: Permission denied", "cannot stat <text>: Permission denied"),
        ("can't open 'it''s'", "can't open <text><text>"),
        ("2026-11-23T10:00:00.123Z lock held", "<time> lock held"),
        ("2026-11-23 10:00:00 lock   held\n since 10:00:07", "<time> lock held since <time>"),
        ("photo17.jpg is broken", "photo<n>.jpg is broken"),
        (r#"{"message": "no file a.jpg", "request_id":"r17"}"#, r#"{"message": <text>, "request_id":<text>}"#),
        ("cannot stat 'photo': gone, of type \"jpeg\"", "cannot stat <text>: gone, of type <text>"),
    ];

    for (text, expected) in cases {
        assert_eq!(mask(text), expected);
    }
}

#[test]
fn what_tells_kinds_apart_is_kept() {
    let texts = [
        "I/O error",
        "HTTP 404",
        "answered with status: 503",
        "don't know",
        "an unclosed \" quote",
        "",
        "curl: (22) The requested URL returned error: 404",
        "curl: (22) The requested URL returned error: 500",
        "ERROR 404: Not Found.",
        "urllib.error.HTTPError: HTTP Error 429: Too Many Requests",
        "the server said 503 Service Unavailable",
        "No such file or directory (os error 2)",
        "open failed with error -13",
        r#"{"error":"rate_limited"}"#,
        r#"{"error":{"type":"invalid_request_error","code":429}}"#,
        r#"{"status":404}"#,
        "failed with statusCode=404",
        "failed with status_code: 500",
        "errorCode: 17",
    ];
    for text in texts {
        assert_eq!(mask(text), text);
    }
    // A number that counts is none.
    assert_eq!(mask("error after 404 rows (22)"), "error after <n> rows (<n>)");
    assert_eq!(mask("error 48213"), "error <n>");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_masking_panic_or_grow_without_bound(text in r"([0-9a-f]{1,9}|[-./:\\'\x22 =]|\PC|’|0x){0,40}") {
        proptest::prop_assert!(mask(&text).len() <= MAX_MASKED_BYTES + text.len().max(8));
    }
}
