//! `record`: private records, and what is promoted of them.
//!
//! | file | what |
//! |---|---|
//! | `mod` | collections, list, show, delete |
//! | `import` | rows of a file, checked as a whole and then kept batch by batch |
//! | `export` | records as a file, page by page |
//! | `promote` | what would leave, the question, and what left |
//!
//! *Invariants.* The node checks again what is checked here.
//!
//! *Source*: ours.

mod export;
mod import;
mod promote;

use super::{
    args::{
        RecordCommand,
        record::{CheckCollection, Delete, List, One},
    },
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};
use crate::{
    control::{
        Answer, CollectionField, CollectionLine, RecordLine, RecordPage, RecordsAnswer,
        RecordsAsked, RecordsChange, RecordsLook, RecordsQuery, Refusal, Request,
    },
    records::Collection,
};

pub(super) fn run(context: &Context, command: RecordCommand, out: &Out) -> Result<(), CliError> {
    match command {
        RecordCommand::Collections => collections(context, out),
        RecordCommand::CheckCollection(check) => check_collection(&check, out),
        RecordCommand::Import(import) => import::run(context, import, out),
        RecordCommand::List(list) => self::list(context, list, out),
        RecordCommand::Show(one) => show(context, one, out),
        RecordCommand::Delete(delete) => self::delete(context, delete, out),
        RecordCommand::Export(export) => export::run(context, export, out),
        RecordCommand::Promote(promote) => promote::run(context, promote, out),
        RecordCommand::Promotions(promotions) => promote::list(context, promotions, out),
    }
}

fn ask(context: &Context, asked: RecordsAsked) -> Result<RecordsAnswer, CliError> {
    match context.ask(Request::Records(Box::new(asked)))? {
        Answer::Records(answer) => Ok(answer),
        _ => Err(CliError::OtherAnswer),
    }
}

fn look(context: &Context, look: RecordsLook) -> Result<RecordsAnswer, CliError> {
    ask(context, RecordsAsked::Look(look))
}

fn collections(context: &Context, out: &Out) -> Result<(), CliError> {
    let RecordsAnswer::Collections(lines) = look(context, RecordsLook::Collections)? else {
        return Err(CliError::OtherAnswer);
    };
    let mut words = Vec::new();
    for line in &lines {
        let CollectionLine { collection, title, holds, key, fields, records } = line;
        let count = records.and_then(|count| usize::try_from(count).ok());
        let count = count.map_or_else(
            || "very many records".to_owned(),
            |count| count_in_words(count, "record", "records"),
        );
        words.push(format!("{collection}: {title}, {count}"));
        words.push(format!("  {holds}"));
        words.extend(fields_in_words(key, fields));
    }
    if words.is_empty() {
        let (_, home) = context.config()?;
        words.push(format!(
            "there are no collections; each is a file in {}",
            home.collections().display()
        ));
    }
    out.show(&lines, &words)
}

fn fields_in_words(key: &[String], fields: &[CollectionField]) -> Vec<String> {
    let mut words = vec![format!("  key: {}", key.join(", "))];
    words.extend(fields.iter().map(|field| {
        let required = if field.is_required { ", required" } else { "" };
        let leaves = if field.promotes_to.is_empty() {
            "; never leaves".to_owned()
        } else {
            format!("; may be promoted to {}", field.promotes_to.join(", "))
        };
        format!("  {}: {}{required}{leaves}", field.name, field.is)
    }));
    words
}

fn check_collection(check: &CheckCollection, out: &Out) -> Result<(), CliError> {
    let collection = Collection::load(&check.file)?;
    let fields = collection.fields();
    let mut words = vec![format!("{}: {}", collection.name(), collection.title())];
    words.extend(fields_in_words(collection.key(), &fields));
    out.show(&fields, &words)
}

fn list(context: &Context, list: List, out: &Out) -> Result<(), CliError> {
    let List { collection, conditions, after, limit } = list;
    let page = page(context, RecordsQuery { collection, conditions, after, limit })?;
    let mut words: Vec<String> = page.records.iter().map(on_a_line).collect();
    if page.records.is_empty() {
        words.push("there are no such records".to_owned());
    }
    if let Some(next) = &page.next {
        words.push(format!("there may be more: --after {next:?}"));
    }
    out.show(&page, &words)
}

fn page(context: &Context, query: RecordsQuery) -> Result<RecordPage, CliError> {
    match look(context, RecordsLook::List(query))? {
        RecordsAnswer::Page(page) => Ok(page),
        _ => Err(CliError::OtherAnswer),
    }
}

fn on_a_line(record: &RecordLine) -> String {
    let values: Vec<String> =
        record.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}  {}", record.record, values.join(", "))
}

fn show(context: &Context, one: One, out: &Out) -> Result<(), CliError> {
    let One { collection, record } = one;
    let RecordsAnswer::Record(record) = look(context, RecordsLook::Show { collection, record })?
    else {
        return Err(CliError::OtherAnswer);
    };
    let mut words = vec![record.record.clone()];
    words.extend(record.values.iter().map(|(name, value)| format!("  {name}: {value}")));
    out.show(&record, &words)
}

fn delete(context: &Context, delete: Delete, out: &Out) -> Result<(), CliError> {
    let Delete { collection, records, yes } = delete;
    let what = count_in_words(records.len(), "record", "records");
    let question = format!("Delete {what} of {collection}? Only a backup brings them back.");
    if !yes {
        expect_yes(out.confirm(&records, &question))?;
    }
    let asked = RecordsAsked::Change(RecordsChange::Delete { collection, records });
    let RecordsAnswer::Deleted(ids) = ask(context, asked)? else {
        return Err(CliError::OtherAnswer);
    };
    let words: Vec<String> = ids.iter().map(|id| format!("deleted {id}")).collect();
    out.show(&ids, &words)
}

/// Refuses to go on without a yes.
fn expect_yes(confirmed: Option<bool>) -> Result<(), CliError> {
    let message = match confirmed {
        Some(true) => return Ok(()),
        Some(false) => "nothing was done",
        None => "nobody could be asked, so nothing was done; add --yes if it is meant",
    };
    Err(Refusal::new("not-confirmed", message).into())
}
