//! What the library says of a source, with the parameters of a tool that help.

use job_manager::model::Remark;
use job_manager::source::SourceError;

/// Returns remarks as a tool tells of them.
pub(super) fn remarks(remarks: &[Remark]) -> Vec<String> {
    remarks.iter().map(remark).collect()
}

fn remark(remark: &Remark) -> String {
    match remark {
        Remark::OtherDelimiter { delimiter, .. } => {
            format!("{remark}: if that separates fields, give csv_delimiter {delimiter}")
        }
        Remark::PastedCode(_) => {
            format!("{remark}: give shell, which quotes it, or let the script take the item as an argument, \"$1\"")
        }
        Remark::NotApplied { .. } => {
            format!("{remark}; change_settings changes its workers and other limits")
        }
        _ => remark.to_string(),
    }
}

/// Returns what is added to the message of an error about a source.
pub(super) fn help(error: &SourceError) -> Option<String> {
    let help = match error {
        SourceError::Nul { .. } => {
            ", items that end with NUL are read with the command line's --null, UTF-16 is converted with iconv -f UTF-16 \
             -t UTF-8"
        }
        SourceError::Empty { .. } => " (allow_empty takes that for a job without units)",
        SourceError::DocumentGoesOn { .. } => {
            ", read the file with json_file, or write each document on a line with jq -c"
        }
        SourceError::OneArray { .. } => ", read its elements with json_file",
        SourceError::AfterDocument { .. } => "; one document per line is read with jsonl_file",
        SourceError::NoArrayHere { .. } => {
            "; json_path names the fields that lead to it, and one document per line is read with jsonl_file"
        }
        SourceError::NoArray { .. } => ", json_path names the fields that lead to the array, `.` the document itself",
        SourceError::Unclosed { .. } => ", a file without quoting is read with csv_no_quotes",
        SourceError::AfterQuote { .. } | SourceError::QuoteInside { .. } => {
            "; a file without quoting is read with csv_no_quotes"
        }
        SourceError::DelimiterLine { delimiter, .. } => return Some(format!(" and give csv_delimiter {delimiter}")),
        SourceError::OtherDelimiter { delimiter, .. } => {
            return Some(format!(", give csv_delimiter {delimiter}, or put the name in quotes if it is one"));
        }
        _ => return None,
    };
    Some(help.to_owned())
}
