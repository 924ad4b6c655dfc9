//! The command in which the braces are literal that are no placeholders, for a message about unknown ones.

use super::UnitTemplates;
use crate::handler::template::{Template, UnitValues, line_of, quote_for_shell};
use crate::model::RawText;

/// Most bytes of a corrected command in a message.
const MAX_CORRECTED_BYTES: usize = 2000;

impl UnitTemplates {
    /// Returns the command, and options that change, with the braces doubled that are no placeholders.
    pub(super) fn corrected(&self, values: Option<&UnitValues<'_>>) -> String {
        let mut line = String::new();
        let mut option = |name: &str, before: &[u8], template: &Template| {
            let is_wrong = match values {
                Some(values) => {
                    let mut unknown = Vec::new();
                    template.find_unknown(values, &mut unknown);
                    !unknown.is_empty()
                }
                None => template.uses_item(),
            };
            if is_wrong {
                let text = [before, template.corrected(values).as_bytes()].concat();
                line.push_str(&format!("{name} {} ", quote_for_shell(&text)));
            }
        };
        if let Some(cwd) = &self.cwd {
            option("--cwd", b"", cwd);
        }
        for (name, value) in &self.env {
            option("--env", &[name.as_encoded_bytes(), b"="].concat(), value);
        }
        if let Some(creates) = &self.creates {
            option("--creates", b"", creates);
        }
        for check in self.check.iter().flat_map(|check| check.arguments()) {
            option("--check", b"", check);
        }
        let argv: Vec<RawText> = self.command.arguments().iter().map(|word| word.corrected(values)).collect();
        line.push_str("-- ");
        line.push_str(&line_of(&argv));
        shortened(line)
    }
}

fn shortened(line: String) -> String {
    if line.len() <= MAX_CORRECTED_BYTES {
        return line;
    }
    format!("{}…", &line[..line.floor_char_boundary(MAX_CORRECTED_BYTES)])
}
