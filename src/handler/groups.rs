//! The group of a unit, out of its payload: it is known before the unit enters its job, and stays.

use super::per_unit::UnitLimitError;
use super::template::{Template, UnitValues};
use crate::model::{Groups, Limits, RawText, Seq};

/// How the units of a job are grouped, compiled.
#[derive(Debug)]
pub struct Grouping {
    template: Template,
    text: String,
}

const GROUP: &str = "group";

impl Grouping {
    /// Returns how units under these limits are grouped, if they are.
    ///
    /// # Errors
    /// When the template has a placeholder whose value only a running unit knows.
    pub fn of(limits: &Limits) -> Result<Option<Grouping>, UnitLimitError> {
        let Some(Groups { by, .. }) = &limits.groups else { return Ok(None) };
        let unusable =
            |source| UnitLimitError::Template { template: by.clone(), what: GROUP, source: Box::new(source) };
        let template = Template::parse(&RawText::from(by.as_str())).map_err(unusable)?;
        match template.counter() {
            Some(placeholder) => Err(UnitLimitError::GroupCounts { placeholder: placeholder.to_owned() }),
            None => Ok(Some(Grouping { template, text: by.clone() })),
        }
    }

    /// Returns `true` if all units would be in one group, whatever they are.
    pub fn is_literal(&self) -> bool {
        self.template.is_literal()
    }

    /// Returns the group of a unit with these values.
    ///
    /// # Errors
    /// When the payload has no value for the template, an empty one, or one that is too long for a name.
    pub fn group(&self, values: &UnitValues<'_>) -> Result<String, UnitLimitError> {
        let template = || self.text.clone();
        let rendered = self.template.render(values, 0, Seq::FIRST).map_err(|source| UnitLimitError::Template {
            template: template(),
            what: GROUP,
            source: Box::new(source),
        })?;
        match rendered.as_bytes().len() {
            0 => Err(UnitLimitError::GroupEmpty { template: template() }),
            bytes if bytes > Groups::MAX_NAME_BYTES => Err(UnitLimitError::GroupTooLong { bytes }),
            _ => Ok(rendered.to_column()),
        }
    }

    /// Returns the group of a unit with that payload; see [`Grouping::group`].
    pub fn group_of(&self, payload: &str) -> Result<String, UnitLimitError> {
        let values = UnitValues::parse(payload).map_err(|source| UnitLimitError::Template {
            template: self.text.clone(),
            what: GROUP,
            source: Box::new(source),
        })?;
        self.group(&values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(template: &str, payload: &str) -> Result<String, String> {
        let limits = Limits { groups: Some(Groups::by(template)), ..Limits::default() };
        let grouping = Grouping::of(&limits).map_err(|error| error.to_string())?.unwrap();
        grouping.group_of(payload).map_err(|error| error.to_string())
    }

    #[test]
    fn a_group_is_the_value_of_a_template() {
        let url = r#"{"url":"HTTPS://Bob:s3c@WWW.Example.COM:8443/a/b?c=//d","customer":"Acme","id":7}"#;
        for (template, name) in [
            ("{url/host}", "www.example.com"),
            ("{customer}", "Acme"),
            ("{customer}-{id}", "Acme-7"),
            ("{none:-other}", "other"),
        ] {
            assert_eq!(group(template, url).as_deref(), Ok(name), "{template}");
        }
        assert_eq!(group("{/host}", "\"http://[2001:DB8::1]:80/x\"").as_deref(), Ok("[2001:db8::1]"));
    }

    #[test]
    fn a_group_without_a_name_or_with_a_long_one_is_refused() {
        for (template, payload, said) in [
            ("{customer}", r#"{"customer":""}"#, "the group"),
            ("{customer}", r#"{"customer":null}"#, "cannot use \"{customer}\" as its group"),
            ("{customer}", r#"{"other":1}"#, "cannot use \"{customer}\" as its group"),
            ("{url/host}", r#"{"url":"www.example.com"}"#, "the group \"{url/host}\" is empty"),
            ("{url/host}", r#"{"url":"file:///etc/passwd"}"#, "the group"),
            ("{#}", "1", "{#} cannot be part of a group"),
        ] {
            let refused = group(template, payload).unwrap_err();
            assert!(refused.starts_with(said), "{template} {payload}: {refused}");
        }
        let long = |bytes: usize| group("{}", &format!("\"{}\"", "x".repeat(bytes)));
        assert_eq!(long(255).unwrap().len(), 255);
        assert_eq!(long(256).unwrap_err(), "the name of its group has 256 bytes, it may have at most 255");
    }
}
