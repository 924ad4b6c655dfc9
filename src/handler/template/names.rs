//! Words that hold nothing of an item but its file name.

use super::{Part, Template};

impl Template {
    /// Returns the words of a text that hold placeholders, and no others than file names: `{/}`, `{/.}`, and their
    /// extension. In a script words end at blanks, otherwise the text is one.
    pub fn name_words(&self, is_script: bool) -> Vec<Template> {
        let mut words = vec![Vec::new()];
        for part in &self.parts {
            match part {
                Part::Text(text) if is_script => {
                    for (index, piece) in text.split(u8::is_ascii_whitespace).enumerate() {
                        if index > 0 {
                            words.push(Vec::new());
                        }
                        let piece = (!piece.is_empty()).then(|| Part::Text(piece.to_vec()));
                        words.last_mut().expect("there is always one").extend(piece);
                    }
                }
                part => words.last_mut().expect("there is always one").push(part.clone()),
            }
        }
        words.into_iter().map(|parts| Template { parts }).filter(Template::is_of_names).collect()
    }

    /// Returns the text as it was written.
    pub fn written(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Part::Placeholder(placeholder) => placeholder.written().to_owned(),
        });
        parts.collect()
    }

    fn is_of_names(&self) -> bool {
        let is_name = |written: &str| {
            let inner = written.trim_start_matches('{').trim_end_matches('}');
            (inner.ends_with('/') && !inner.ends_with("//")) || inner.ends_with("/.")
        };
        let is_part = |written: &str| is_name(written) || written.ends_with("ext}");
        let mut written = self.placeholders().map(|placeholder| placeholder.written());
        self.placeholders().any(|placeholder| is_name(placeholder.written())) && written.all(is_part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, is_script: bool) -> Vec<String> {
        let template = Template::parse(&text.into()).unwrap();
        template.name_words(is_script).iter().map(Template::written).collect()
    }

    #[test]
    fn words_of_names_only_are_found() {
        assert_eq!(words("small/{/}", false), ["small/{/}"]);
        assert_eq!(words("{/.}.{ext}", false), ["{/.}.{ext}"]);
        assert_eq!(words("{file/}", false), ["{file/}"]);
        assert_eq!(words("convert {} small/{/.}.webp && echo {ext}", true), ["small/{/.}.webp"]);
        for other in ["small/{}", "{//}/{/}", "{/}-{#}", "{ext}", "plain", "{}", "{id}/{/}"] {
            assert!(words(other, false).is_empty(), "{other}");
        }
    }
}
