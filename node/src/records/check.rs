//! Each key of a collection's file: what it may hold.
//!
//! *Invariants.* Every problem names its place, says why, and what would be right.
//!
//! *Source*: ours.

use std::path::Path;

use concordat_protocol::artefact::guard::holds_number;
use jiff::civil::Date;
use toml::{Table, Value};

use super::{
    collection::{Collection, CollectionError, Field},
    form::{self, Bounds, Form, TEXT_CHARS_MAX},
    target::Target,
};

const FIELDS_MAX: usize = 100;
const KEY_FIELDS_MAX: usize = 4;
const VALUES_MAX: usize = 500;
const NAME_BYTES_MAX: usize = 40;
/// Longest heading, title, sentence and value of a choice, in characters.
const LINE_CHARS_MAX: usize = 500;
const TEXT_CHARS_DEFAULT: u64 = 200;

/// One table of the file while its keys are taken, and where it stands.
struct Keys<'a> {
    table: Table,
    place: String,
    problems: &'a mut Vec<String>,
}

/// Checks `text`, the content of the file at `path`; touches no file.
///
/// # Errors
/// - [`CollectionError::Syntax`]: not TOML; where and why.
/// - [`CollectionError::Problems`]: TOML, but not a collection; every problem there is.
pub(super) fn parse(name: &str, text: &str, path: &Path) -> Result<Collection, CollectionError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let reason = error.message().trim().replace('\n', "; ");
        CollectionError::Syntax { path: path.to_path_buf(), line, reason }
    })?;
    let mut problems = Vec::new();
    let mut keys = Keys { table, place: String::new(), problems: &mut problems };
    let title = keys.line("title", "title = \"Finance ledger\"").unwrap_or_default();
    let holds = keys.line("holds", "holds = \"Lines of the ledger\"").unwrap_or_default();
    let key = keys.texts("key", "key = [\"line\"]").unwrap_or_default();
    let fields = keys.tables("fields");
    let promotes = keys.tables("promote");
    keys.refuse_unknown();
    let mut fields = read_fields(fields, &mut problems);
    check_key(&key, &fields, &mut problems);
    for (number, table) in (1..).zip(promotes) {
        let place = format!("promote {number}: ");
        promote(Keys { table, place, problems: &mut problems }, &mut fields);
    }
    if problems.is_empty() {
        return Ok(Collection { name: name.to_owned(), title, holds, key, fields });
    }
    Err(CollectionError::Problems { path: path.to_path_buf(), problems })
}

impl Keys<'_> {
    fn problem(&mut self, what: impl AsRef<str>) {
        let what = what.as_ref();
        let told = if holds_number(what) { "a value holds a valid NHS number" } else { what };
        self.problems.push(format!("{}{told}", self.place));
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.table.remove(name)? {
            Value::String(text) => Some(text),
            other => {
                self.problem(format!("{name} must be text, not {}", other.type_str()));
                None
            }
        }
    }

    /// A text that must be there, on one line.
    fn line(&mut self, name: &str, example: &str) -> Option<String> {
        if !self.table.contains_key(name) {
            self.problem(format!("{name} is missing; for example: {example}"));
            return None;
        }
        let text = self.text(name)?;
        if holds_number(&text) {
            self.problem(format!("{name} holds a valid NHS number; take it out"));
            return None;
        }
        if is_line(&text) {
            return Some(text);
        }
        self.problem(format!("{name} must be one line of 1 to {LINE_CHARS_MAX} characters"));
        None
    }

    fn texts(&mut self, name: &str, example: &str) -> Option<Vec<String>> {
        let found = self.table.remove(name);
        let texts = match &found {
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
            }
            Some(_) | None => None,
        };
        if texts.is_none() {
            self.problem(format!("{name} must be a list of texts; for example: {example}"));
        }
        texts
    }

    fn tables(&mut self, name: &str) -> Vec<Table> {
        let Some(found) = self.table.remove(name) else { return Vec::new() };
        let tables = match found {
            Value::Array(values) => values
                .into_iter()
                .map(|value| match value {
                    Value::Table(table) => Some(table),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        tables.unwrap_or_else(|| {
            self.problem(format!("{name} must be tables, each begun with [[{name}]]"));
            Vec::new()
        })
    }

    fn boolean(&mut self, name: &str) -> bool {
        match self.table.remove(name) {
            None => false,
            Some(Value::Boolean(value)) => value,
            Some(other) => {
                self.problem(format!("{name} must be true or false, not {}", other.type_str()));
                false
            }
        }
    }

    /// Least and most, written as values are.
    fn bounds<T: Ord>(&mut self, form: &str, read: impl Fn(&str) -> Option<T>) -> Bounds<T> {
        let mut one = |name: &str| {
            let found = self.table.remove(name)?;
            let text = match &found {
                Value::String(text) => text.clone(),
                Value::Integer(number) => number.to_string(),
                other => other.to_string(),
            };
            let value = read(&text);
            if value.is_none() {
                self.problem(format!("{name} must be {form}, as text or as a whole number"));
            }
            value
        };
        let (min, max) = (one("min"), one("max"));
        if matches!((&min, &max), (Some(min), Some(max)) if min > max) {
            self.problem("min is more than max");
        }
        Bounds { min, max }
    }

    fn refuse_unknown(&mut self) {
        for name in std::mem::take(&mut self.table).keys() {
            self.problem(format!("{name}: there is no such key here"));
        }
    }
}

fn is_line(text: &str) -> bool {
    (1..=LINE_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_field_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && !name.as_bytes()[0].is_ascii_digit()
}

fn read_fields(tables: Vec<Table>, problems: &mut Vec<String>) -> Vec<Field> {
    if tables.is_empty() {
        problems.push("a collection has at least one field; begin each with [[fields]]".to_owned());
    }
    if tables.len() > FIELDS_MAX {
        problems.push(format!("{} fields, and there may be {FIELDS_MAX}", tables.len()));
    }
    let mut fields: Vec<Field> = Vec::new();
    for (number, table) in (1..).zip(tables) {
        let place = format!("field {number}: ");
        let Some(field) = read_field(Keys { table, place, problems }) else { continue };
        if fields.iter().any(|other| other.name == field.name) {
            problems.push(format!("field {number}: {} stands there twice", field.name));
        } else if fields.iter().any(|other| other.column == field.column) {
            problems.push(format!("field {number}: another has the column {:?}", field.column));
        } else {
            fields.push(field);
        }
    }
    fields
}

fn read_field(mut keys: Keys<'_>) -> Option<Field> {
    let name = keys.line("name", "name = \"amount\"");
    if let Some(name) = &name {
        keys.place = format!("field {name}: ");
    }
    if name.as_ref().is_some_and(|name| !is_field_name(name)) {
        keys.problem("a name has small letters, digits and _, a letter first, at most 40");
    }
    let column = if keys.table.contains_key("column") {
        keys.line("column", "column = \"Amount\"")
    } else {
        name.clone()
    };
    let is_required = keys.boolean("required");
    let form = read_form(&mut keys);
    keys.refuse_unknown();
    let (name, column, form) = (name?, column?, form?);
    Some(Field { name, column, form, is_required, targets: Vec::new() })
}

fn read_form(keys: &mut Keys<'_>) -> Option<Form> {
    let kind = keys.line("type", "type = \"text\"")?;
    Some(match kind.as_str() {
        "text" => Form::Text { chars_max: max_length(keys) },
        "integer" => Form::Integer(keys.bounds("a whole number", form::whole)),
        "money" => Form::Money(keys.bounds("pounds and pence, as \"1200.50\"", form::pence)),
        "pence" => Form::Pence(keys.bounds("a whole number of pence", form::whole)),
        "decimal" => Form::Decimal(keys.bounds("a quantity, as \"2.5\"", form::millionths)),
        "date" => Form::Date(keys.bounds::<Date>("a day, as \"2017-12-04\"", form::date)),
        "boolean" => Form::Boolean,
        "choice" => Form::Choice(choices(keys)?),
        _ => {
            keys.problem(format!(
                "type = {kind:?}: the types are text, integer, money, pence, decimal, date, boolean \
                 and choice"
            ));
            // Which bounds it would have is not known.
            keys.table.clear();
            return None;
        }
    })
}

fn max_length(keys: &mut Keys<'_>) -> u64 {
    match keys.table.remove("max_length") {
        None => TEXT_CHARS_DEFAULT,
        Some(Value::Integer(length))
            if u64::try_from(length).is_ok_and(|length| (1..=TEXT_CHARS_MAX).contains(&length)) =>
        {
            length.unsigned_abs()
        }
        Some(_) => {
            keys.problem(format!("max_length must be a whole number from 1 to {TEXT_CHARS_MAX}"));
            TEXT_CHARS_DEFAULT
        }
    }
}

fn choices(keys: &mut Keys<'_>) -> Option<Vec<String>> {
    let values = keys.texts("values", "values = [\"open\", \"closed\"]")?;
    let mut sorted = values.clone();
    sorted.sort();
    sorted.dedup();
    let fits = (1..=VALUES_MAX).contains(&values.len()) && sorted.len() == values.len();
    if !fits || !values.iter().all(|value| is_line(value)) {
        keys.problem(format!("values must be 1 to {VALUES_MAX} different lines of text"));
        return None;
    }
    Some(values)
}

fn check_key(key: &[String], fields: &[Field], problems: &mut Vec<String>) {
    if !(1..=KEY_FIELDS_MAX).contains(&key.len()) {
        problems.push(format!("key must name 1 to {KEY_FIELDS_MAX} fields"));
    }
    for (number, name) in key.iter().enumerate() {
        if key.iter().take(number).any(|other| other == name) {
            problems.push(format!("key: {name} stands there twice"));
            continue;
        }
        let Some(field) = fields.iter().find(|field| field.name == *name) else {
            problems.push(format!("key: there is no field {name:?}"));
            continue;
        };
        let fits = matches!(
            field.form,
            Form::Text { .. } | Form::Integer(_) | Form::Date(_) | Form::Choice(_)
        );
        if !fits || !field.is_required {
            problems.push(format!(
                "key: {name} must be required, and of the type text, integer, date or choice"
            ));
        }
    }
}

fn promote(mut keys: Keys<'_>, fields: &mut [Field]) {
    let field = keys.line("field", "field = \"amount\"");
    let kind = keys.line("kind", "kind = \"decision\"");
    let to = keys.line("to", "to = \"finance/total_pence\"");
    keys.refuse_unknown();
    let (Some(name), Some(kind), Some(to)) = (field, kind, to) else { return };
    let target = match Target::read(&kind, &to) {
        Ok(target) => target,
        Err(why) => return keys.problem(format!("to = {to:?}: {why}")),
    };
    let Some(field) = fields.iter_mut().find(|field| field.name == name) else {
        return keys.problem(format!("there is no field {name:?}"));
    };
    if field.targets.iter().any(|other| other.in_words() == target.in_words()) {
        return keys.problem(format!("{name} may go to {} already", target.in_words()));
    }
    field.targets.push(target);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        title = "Ledger"
        holds = "Lines"
        key = ["line"]
        [[fields]]
        name = "line"
        type = "text"
        required = true
        [[fields]]
        name = "amount"
        column = "Amount (£)"
        type = "money"
        min = "-10.00"
        [[promote]]
        field = "amount"
        kind = "decision"
        to = "finance/total_pence"
    "#;

    fn parsed(text: &str) -> Result<Collection, CollectionError> {
        parse("ledger", text, Path::new("/c/ledger.toml"))
    }

    fn problems(text: &str) -> Vec<String> {
        match parsed(text) {
            Err(CollectionError::Problems { problems, .. }) => problems,
            other => panic!("expected problems, got {other:?}"),
        }
    }

    #[test]
    fn a_good_file_is_a_collection() {
        let ledger = parsed(GOOD).unwrap();
        let columns: Vec<(&str, &str)> = ledger.columns().collect();
        assert_eq!(columns, [("line", "line"), ("amount", "Amount (£)")]);
        let amount = &ledger.fields()[1];
        assert_eq!(amount.is, "pounds and pence, as 1200.50, -10.00 or more");
        assert_eq!(amount.promotes_to, ["decision: finance/total_pence"]);
    }

    /// A change that makes a good file bad, and what is said of it.
    const BAD: &[(&str, &str, &str)] = &[
        ("title = \"Ledger\"", "", "title is missing; for example: title = \"Finance ledger\""),
        ("title = \"Ledger\"", "title = 7", "title must be text, not integer"),
        ("title = \"Ledger\"", "title = \"\"", "title must be one line of 1 to 500 characters"),
        (
            "key = [\"line\"]",
            "key = \"line\"",
            "key must be a list of texts; for example: key = [\"line\"]",
        ),
        ("key = [\"line\"]", "key = [\"lime\"]", "key: there is no field \"lime\""),
        ("key = [\"line\"]", "key = [\"line\", \"line\"]", "key: line stands there twice"),
        (
            "required = true",
            "",
            "key: line must be required, and of the type text, integer, date or choice",
        ),
        (
            "required = true",
            "required = 1",
            "field line: required must be true or false, not integer",
        ),
        ("name = \"amount\"", "name = \"line\"", "field 2: line stands there twice"),
        (
            "column = \"Amount (£)\"",
            "column = \"line\"",
            "field 2: another has the column \"line\"",
        ),
        ("column", "colunm", "field amount: colunm: there is no such key here"),
        (
            "type = \"money\"",
            "type = \"cash\"",
            "field amount: type = \"cash\": the types are text, integer, money, pence, decimal, date, \
             boolean and choice",
        ),
        (
            "type = \"text\"",
            "type = \"text\"\nmax_length = 0",
            "field line: max_length must be a whole number from 1 to 10000",
        ),
        (
            "title = \"Ledger\"",
            "title = \"Of 943 476 5919\"",
            "title holds a valid NHS number; take it out",
        ),
        (
            "min = \"-10.00\"",
            "min = 1200",
            "field amount: min must be pounds and pence, as \"1200.50\", as text or as a whole number",
        ),
        (
            "min = \"-10.00\"",
            "min = \"10.00\"\nmax = \"1.00\"",
            "field amount: min is more than max",
        ),
        (
            "type = \"money\"\n        min = \"-10.00\"",
            "type = \"choice\"\nvalues = [\"a\", \"a\"]",
            "field amount: values must be 1 to 500 different lines of text",
        ),
        (
            "to = \"finance/total_pence\"",
            "",
            "promote 1: to is missing; for example: to = \"finance/total_pence\"",
        ),
        (
            "kind = \"decision\"",
            "kind = \"decree\"",
            "promote 1: to = \"finance/total_pence\": no kind of artefact is called \"decree\"; there \
             is decision, mutual_aid, standard",
        ),
        ("field = \"amount\"", "field = \"sum\"", "promote 1: there is no field \"sum\""),
    ];

    #[test]
    fn each_thing_that_is_wrong_is_named_with_its_place() {
        for (good, bad, expected) in BAD {
            assert!(GOOD.contains(good), "{good}");
            let found = problems(&GOOD.replacen(good, bad, 1));
            assert!(found.iter().any(|one| one == expected), "{bad}: {found:#?}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let found = problems("key = []\ncolour = 1\n[[fields]]\nname = \"A\"\ntype = \"x\"");
        assert!(found.len() >= 6, "{found:#?}");
        let text = parsed("title = ").unwrap_err().to_string();
        assert!(text.starts_with("/c/ledger.toml, line 1: not TOML: "), "{text}");
    }
}
