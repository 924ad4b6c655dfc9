//! Labels as they are given: texts such as `team=web`, or an object as earlier clients give it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::mcp::ToolError;

/// Words about a job.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "labels are texts such as team=web")]
pub(in crate::mcp) enum Labels {
    Texts(Vec<String>),
    Named(BTreeMap<String, String>),
}

impl Default for Labels {
    fn default() -> Self {
        Self::Texts(Vec::new())
    }
}

impl Labels {
    pub fn read(self) -> Result<BTreeMap<String, String>, ToolError> {
        let texts = match self {
            Self::Named(labels) => return Ok(labels),
            Self::Texts(texts) => texts,
        };
        let mut labels = BTreeMap::new();
        for text in texts {
            let (name, value) = label(&text)?;
            if labels.insert(name, value).is_some() {
                return Err(ToolError::LabelTwice(text));
            }
        }
        Ok(labels)
    }
}

/// Reads `team=web`.
pub(in crate::mcp) fn label(text: &str) -> Result<(String, String), ToolError> {
    let (name, value) = text.split_once('=').ok_or_else(|| ToolError::Label(text.to_owned()))?;
    Ok((name.to_owned(), value.to_owned()))
}
