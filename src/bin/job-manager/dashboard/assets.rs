//! The files of the page, compiled in; a browser that has them asks only whether they are the same.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 16] = [
    Asset { path: "/", kind: "text/html; charset=utf-8", text: include_str!("assets/index.html") },
    Asset { path: "/style.css", kind: "text/css; charset=utf-8", text: include_str!("assets/style.css") },
    Asset { path: "/app.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/app.js") },
    Asset { path: "/api.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/api.js") },
    Asset { path: "/controls.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/controls.js") },
    Asset { path: "/keys.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/keys.js") },
    Asset { path: "/filters.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/filters.js") },
    Asset { path: "/charts.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/charts.js") },
    Asset { path: "/lanes.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/lanes.js") },
    Asset { path: "/strips.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/strips.js") },
    Asset { path: "/settings.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/settings.js") },
    Asset { path: "/review.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/review.js") },
    Asset { path: "/session.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/session.js") },
    Asset { path: "/address.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/address.js") },
    Asset { path: "/views.js", kind: "text/javascript; charset=utf-8", text: include_str!("assets/views.js") },
    Asset { path: "/icon.svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |routes, asset| {
        let etag = asset.etag();
        routes.route(asset.path, get(move |headers: HeaderMap| async move { asset.answer(&headers, &etag) }))
    })
}

/// Returns `true` if that is the path of a file of the page.
pub(super) fn is_one(path: &str) -> bool {
    ASSETS.iter().any(|asset| asset.path == path)
}

impl Asset {
    fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        format!("\"{}-{:x}\"", env!("CARGO_PKG_VERSION"), hasher.finish())
    }

    fn answer(&self, headers: &HeaderMap, etag: &str) -> Response {
        let bound = [(CACHE_CONTROL, "no-cache"), (ETAG, etag)];
        if headers.get(IF_NONE_MATCH).is_some_and(|known| known == etag) {
            return (StatusCode::NOT_MODIFIED, bound).into_response();
        }
        (bound, [(CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use job_manager::text::printable;

    /// Reads the characters between the brackets of a pattern of JavaScript, all of them written as numbers.
    fn members(class: &str) -> Vec<std::ops::RangeInclusive<u32>> {
        let number = |digits: &str| u32::from_str_radix(digits, 16).unwrap();
        let parts = class.replace("-\\u", "-").replace("\\u", " ");
        let range = |part: &str| match part.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None => number(part)..=number(part),
        };
        parts.split_whitespace().map(range).collect()
    }

    #[test]
    fn fault_87_the_page_replaces_what_a_terminal_is_not_sent() {
        let script = include_str!("assets/views.js");
        let class = script.split_once("const UNSAFE = /[").unwrap().1.split_once("]/g").unwrap().0;
        let replaced = members(class);

        for c in '\0'..=char::MAX {
            let is_replaced = replaced.iter().any(|range| range.contains(&c.into()));
            let is_unsafe = !printable(c.encode_utf8(&mut [0; 4])).contains(c);

            assert_eq!(is_replaced, is_unsafe, "U+{:04X}", u32::from(c));
        }
    }

    /// Contrast of two colours, as the guidelines for accessible pages define it.
    fn contrast(colours: [&str; 2]) -> f64 {
        let luminance = |colour: &str| {
            let part = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            let linear = |at| match part(at) {
                dark if dark <= 0.040_45 => dark / 12.92,
                light => ((light + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5)
        };
        let [one, other] = colours.map(luminance);
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_every_ground_in_both_themes() {
        let style = include_str!("assets/style.css");
        let themes: Vec<&str> = style.split(":root {").skip(1).map(|theme| theme.split_once('}').unwrap().0).collect();
        assert_eq!(themes.len(), 2, "a light and a dark one");
        for theme in themes {
            let colour = |name: &str| theme.split_once(&format!("--{name}: ")).unwrap().1.split_once(';').unwrap().0;
            for text in ["text", "quiet", "accent", "completed", "failed", "running", "paused", "danger"] {
                for ground in ["ground", "card", "code"] {
                    let contrast = contrast([colour(text), colour(ground)]);

                    assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2} in {theme}");
                }
            }
        }
    }
}
