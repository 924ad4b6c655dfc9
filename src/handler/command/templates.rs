//! All templates of a job of commands, compiled together: whoever creates a unit, runs it or shows it asks here.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::explained::explained;
use super::{CommandSpec, StdinMode};
use crate::handler::template::{
    CommandTemplate, ItemForm, MAX_ARGUMENT_BYTES, Template, TemplateError, TemplatePart, UnitValues, pasted_code,
};
use crate::model::{PastedCode, RawText, Seq};

/// The templates of a command, its working directory, its variables and the path that it makes.
#[derive(Debug)]
pub struct UnitTemplates {
    pub(super) command: CommandTemplate,
    items: ItemForm,
    reads_item: bool,
    shell: bool,
    /// Where a value cannot be quoted in a script for the shell: the placeholder and its place.
    unquotable: Option<(String, &'static str)>,
    base: PathBuf,
    pub(super) cwd: Option<Template>,
    pub(super) env: Vec<(OsString, Template)>,
    pub(super) creates: Option<Template>,
    /// The script that looks at what a command has made.
    pub(super) check: Option<CommandTemplate>,
}

impl UnitTemplates {
    /// Compiles them.
    ///
    /// # Errors
    /// When the command is empty, a text holds NUL, or a script for the shell is more than one text.
    pub fn of(spec: &CommandSpec) -> Result<UnitTemplates, TemplateError> {
        let env = spec.env_templates.iter().map(|(name, value)| {
            let template = Template::parse(&RawText::from(value.as_os_str()))?;
            Ok((name.clone(), template))
        });
        let command = CommandTemplate::parse(&spec.argv)?;
        let unquotable = match spec.shell.then(|| command.check_script()) {
            Some(Err(TemplateError::Unquotable { placeholder, place })) => Some((placeholder, place)),
            Some(Err(error)) => return Err(error),
            Some(Ok(())) | None => None,
        };
        let check =
            spec.check.as_ref().map(|script| CommandTemplate::parse(std::slice::from_ref(script))).transpose()?;
        check.iter().try_for_each(CommandTemplate::check_script)?;
        let mut templates = UnitTemplates {
            command,
            items: spec.items,
            reads_item: spec.stdin == StdinMode::Item,
            shell: spec.shell,
            unquotable,
            base: spec.cwd.clone(),
            cwd: spec.cwd_template.as_ref().map(Template::parse).transpose()?,
            env: env.collect::<Result<_, TemplateError>>()?,
            creates: spec.creates.as_ref().map(Template::parse).transpose()?,
            check,
        };
        if spec.out {
            templates.command.claim_out();
            templates.env.iter_mut().for_each(|(_, value)| value.claim_out());
            templates.check.iter_mut().for_each(CommandTemplate::claim_out);
        }
        templates.refuse_one_of_several()?;
        Ok(templates)
    }

    /// Refuses placeholders of an item where one text can be, when units have several.
    fn refuse_one_of_several(&self) -> Result<(), TemplateError> {
        if self.items.several.is_none() {
            return Ok(());
        }
        let parts = self.cwd.iter().map(|cwd| (TemplatePart::Cwd, cwd));
        let parts = parts.chain(self.creates.iter().map(|creates| (TemplatePart::Creates, creates)));
        for (part, template) in parts.chain(self.env.iter().map(|(_, value)| (TemplatePart::Env, value))) {
            if let Some(placeholder) = template.item_placeholders().next() {
                return Err(TemplateError::OneItemOnly { placeholder: placeholder.to_owned(), part });
            }
        }
        Ok(())
    }

    /// Refuses placeholders that are known only when a unit runs, where paths are compared before.
    ///
    /// # Errors
    /// With the placeholder and the part.
    pub fn refuse_slots(&self) -> Result<(), TemplateError> {
        let parts = self.cwd.iter().map(|cwd| (TemplatePart::Cwd, cwd));
        let mut parts = parts.chain(self.creates.iter().map(|creates| (TemplatePart::Creates, creates)));
        parts.try_for_each(|(part, template)| template.refuse_slot(part))
    }

    /// Reads a payload of this job.
    ///
    /// # Errors
    /// When it is not one JSON document of the job's form.
    pub fn values<'a>(&self, payload: &'a str) -> Result<UnitValues<'a>, TemplateError> {
        UnitValues::parse_as(payload, self.items)
    }

    /// Returns the bytes that the command leaves for items, before it has one.
    pub fn room(&self) -> usize {
        self.command.room(self.shell)
    }

    /// Returns the bytes that an item adds to the command of its unit.
    ///
    /// # Errors
    /// As for [`check`](Self::check).
    pub fn need(&self, item: &str) -> Result<usize, TemplateError> {
        let alone = format!("[{item}]");
        let values = self.values(&alone)?;
        self.command.need(self.shell, &values).map_err(|error| self.explain(error, &values))
    }

    /// Returns the command.
    pub fn command(&self) -> &CommandTemplate {
        &self.command
    }

    /// Returns `true` if the name under which an attempt makes its path is part of the command.
    pub fn uses_out(&self) -> bool {
        self.all().any(Template::uses_out)
    }

    /// Returns the script that looks at what the command of a unit has made, if there is one.
    pub fn check_script(
        &self,
        values: &UnitValues<'_>,
        slot: usize,
        seq: Seq,
    ) -> Result<Option<OsString>, TemplateError> {
        let script = self.check.as_ref().map(|check| check.render_shell(values, slot, seq)).transpose()?;
        Ok(script.map(OsString::from))
    }

    /// Returns `true` if anything of a unit depends on its item.
    pub fn uses_item(&self) -> bool {
        self.all().any(Template::uses_item)
    }

    /// Returns the placeholders that need an item, with the command in which their braces would be literal.
    pub fn item_placeholders(&self) -> Option<(Vec<String>, String)> {
        let placeholders: Vec<String> = self.all().flat_map(Template::item_placeholders).map(str::to_owned).collect();
        (!placeholders.is_empty()).then(|| (placeholders, self.corrected(None)))
    }

    /// Returns the words of the command that hold nothing of an item but its file name.
    pub fn name_words(&self) -> Vec<Template> {
        self.command.arguments().iter().flat_map(|word| word.name_words(self.shell)).collect()
    }

    /// Returns the placeholder whose value a shell would read as code, if there is one.
    pub fn pasted_code(&self) -> Option<PastedCode> {
        if self.shell { None } else { pasted_code(&self.command) }
    }

    /// Checks that a unit can be made of a payload.
    ///
    /// # Errors
    /// When a placeholder has no value, or one that cannot be where it stands; of unknown ones all are named.
    pub fn check(&self, values: &UnitValues<'_>) -> Result<(), TemplateError> {
        self.check_each(values).map_err(|error| self.explain(error, values))
    }

    fn check_each(&self, values: &UnitValues<'_>) -> Result<(), TemplateError> {
        if self.reads_item {
            values.input()?;
        }
        if self.shell {
            self.command.check_shell(values)?
        } else {
            self.command.check(values)?
        }
        // After the values: what stands in single quotes may be no placeholder at all.
        if let Some((placeholder, place)) = &self.unquotable {
            return Err(TemplateError::Unquotable { placeholder: placeholder.clone(), place });
        }
        for path in [&self.cwd, &self.creates].into_iter().flatten() {
            path.check_path(values)?;
        }
        self.check.iter().try_for_each(|check| check.check_shell(values))?;
        for (name, value) in &self.env {
            let bytes = name.len() + 1 + value.check(values)?;
            if bytes > MAX_ARGUMENT_BYTES {
                let name = name.to_string_lossy().into_owned();
                return Err(TemplateError::VariableTooLong { name, bytes, limit: MAX_ARGUMENT_BYTES });
            }
        }
        Ok(())
    }

    /// Says of all unknown placeholders at once what an error says of the first.
    pub fn explain(&self, error: TemplateError, values: &UnitValues<'_>) -> TemplateError {
        explained(error, values, self.all(), || self.corrected(Some(values)))
    }

    /// Returns the command for one unit as it would be typed into a shell, for people to read.
    pub fn line(&self, values: &UnitValues<'_>, seq: Seq) -> Result<String, TemplateError> {
        self.command.line(self.shell, values, seq).map_err(|error| self.explain(error, values))
    }

    /// Returns the working directory of a unit.
    pub fn cwd(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<PathBuf, TemplateError> {
        match &self.cwd {
            None => Ok(self.base.clone()),
            Some(template) => Ok(self.base.join(OsString::from(template.render_path(values, slot, seq)?))),
        }
    }

    /// Returns the path that a unit makes, from its working directory, if units make one.
    pub fn creates(&self, values: &UnitValues<'_>, slot: usize, seq: Seq) -> Result<Option<PathBuf>, TemplateError> {
        let Some(template) = &self.creates else { return Ok(None) };
        let path = OsString::from(template.render_path(values, slot, seq)?);
        Ok(Some(self.cwd(values, slot, seq)?.join(path)))
    }

    /// Returns the variables of a unit whose values are templates.
    pub fn env(
        &self,
        values: &UnitValues<'_>,
        slot: usize,
        seq: Seq,
    ) -> Result<Vec<(&OsStr, OsString)>, TemplateError> {
        let rendered = self.env.iter().map(|(name, value)| {
            let value = value.render(values, slot, seq)?;
            Ok((name.as_os_str(), OsString::from(value)))
        });
        rendered.collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Template> {
        let paths = [&self.cwd, &self.creates].into_iter().flatten();
        let check = self.check.iter().flat_map(CommandTemplate::arguments);
        self.command.arguments().iter().chain(paths).chain(self.env.iter().map(|(_, value)| value)).chain(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(argv: &[&str], change: impl FnOnce(&mut CommandSpec), payload: &str) -> String {
        let mut spec = CommandSpec::new(argv.iter().copied(), "/tmp".into());
        change(&mut spec);
        let templates = UnitTemplates::of(&spec).unwrap();
        let values = UnitValues::parse(payload).unwrap();
        templates.check(&values).unwrap_err().to_string()
    }

    #[test]
    fn all_braces_that_are_no_placeholders_are_named_at_once_with_the_corrected_command() {
        assert_eq!(
            refused(&["awk", "/[0-9]{3}/ {print $1}", "{}"], |_| (), r#""a""#),
            "unknown placeholders {3} {print $1}, a plain item has {} {.} {/} {//} {/.} {ext} {#} {%}; \
             literal braces are doubled: -- awk '/[0-9]{{3}}/ {{print $1}}' '{}'"
        );
        assert_eq!(
            refused(&["curl", r#"{"id":"{}","n":{"x":1}}"#], |_| (), r#""a""#),
            "unknown placeholders {\"id\":\"{} {\"x\":1}, a plain item has {} {.} {/} {//} {/.} {ext} {#} {%}; \
             literal braces are doubled: -- curl '{{\"id\":\"{}\",\"n\":{{\"x\":1}}}}'"
        );
    }

    #[test]
    fn an_unknown_field_names_the_known_ones_and_the_nearest() {
        assert_eq!(
            refused(&["p", "{naem}"], |_| (), r#"{"id":1,"name":2}"#),
            "unknown placeholder {naem} (did you mean {name}?), known fields: id, name; \
             literal braces are doubled: -- p '{{naem}}'"
        );
    }

    #[test]
    fn every_template_of_a_unit_is_checked() {
        let options = |spec: &mut CommandSpec| {
            spec.cwd_template = Some("d/{x}".into());
            spec.env_templates.insert("N".into(), "{y}".into());
            spec.creates = Some("{z}".into());
        };
        assert_eq!(
            refused(&["p", "{w}", "{}"], options, r#""a""#),
            "unknown placeholders {w} {x} {z} {y}, a plain item has {} {.} {/} {//} {/.} {ext} {#} {%}; \
             literal braces are doubled: --cwd 'd/{{x}}' --env 'N={{y}}' --creates '{{z}}' -- p '{{w}}' '{}'"
        );
        assert_eq!(
            refused(&["p"], |spec| spec.creates = Some("{}".into()), r#""""#),
            "{} is empty in a path; a default is written like {field:-text}"
        );
        let long = format!("{{\"v\":\"{}\"}}", "x".repeat(MAX_ARGUMENT_BYTES));
        let said = refused(&["p"], |spec| drop(spec.env_templates.insert("N".into(), "{v}".into())), &long);
        assert!(said.starts_with("the variable N would have 131073 bytes"), "{said}");
    }
}
