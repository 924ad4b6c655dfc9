//! Why an error happened, as far as it says.

use std::error::Error;

/// Returns the causes of an error, the nearest first.
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

/// Returns an error and its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    causes(error).iter().fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
