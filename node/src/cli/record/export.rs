//! `record export`: records as CSV or JSON Lines, page by page.
//!
//! What is exported can be imported again.
//!
//! *Source*: ours.

use std::{fs::OpenOptions, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use super::page;
use crate::{
    cli::{
        args::record::{Export, Format},
        context::Context,
        error::CliError,
        out::{Out, count_in_words},
        table::csv_line,
    },
    control::{RecordLine, RecordsQuery, Refusal},
    home::FileError,
    records::Collection,
};

const PAGE_RECORDS: usize = 1_000;

pub(super) fn run(context: &Context, export: Export, out: &Out) -> Result<(), CliError> {
    let Export { collection, conditions, format, out: file } = export;
    let (_, home) = context.config()?;
    let collection = Collection::named(&home, &collection)?;
    let mut query = RecordsQuery {
        collection: collection.name().to_owned(),
        conditions,
        after: None,
        limit: PAGE_RECORDS,
    };
    // What cannot be asked leaves no empty file behind.
    let mut page = page(context, query.clone())?;
    let mut to = open(file.as_deref())?;
    let columns: Vec<(&str, &str)> = collection.columns().collect();
    if format == Format::Csv {
        let heading: Vec<&str> = columns.iter().map(|(_, column)| *column).collect();
        write(&mut to, &csv_line(&heading)?, file.as_deref())?;
    }
    let mut count = 0;
    loop {
        count += page.records.len();
        for record in &page.records {
            let line = match format {
                Format::Csv => csv_row(&columns, record)?,
                Format::Jsonl => (serde_json::to_string(&record.values)? + "\n").into_bytes(),
            };
            write(&mut to, &line, file.as_deref())?;
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
        page = super::page(context, query.clone())?;
    }
    let Some(path) = file else {
        return to.flush().or_else(closed);
    };
    to.flush().map_err(FileError::at("writing", &path))?;
    let count = count_in_words(count, "record", "records");
    let written = serde_json::json!({ "records": count, "out": path });
    out.show(&written, &[format!("wrote {count} to {}", path.display())])
}

/// A new file that only its owner may read, or the standard output.
fn open(file: Option<&Path>) -> Result<Box<dyn Write>, CliError> {
    let Some(path) = file else {
        return Ok(Box::new(io::BufWriter::new(io::stdout().lock())));
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(Box::new(io::BufWriter::new(made.map_err(FileError::at("creating", path))?)))
}

fn write(to: &mut impl Write, bytes: &[u8], file: Option<&Path>) -> Result<(), CliError> {
    match (to.write_all(bytes), file) {
        (Err(error), Some(path)) => Err(FileError::at("writing", path)(error).into()),
        (written, _) => Ok(written.or_else(closed)?),
    }
}

/// Nobody reads on, and that is nobody's fault.
fn closed(error: io::Error) -> Result<(), CliError> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(CliError::Output(error)) }
}

fn csv_row(columns: &[(&str, &str)], record: &RecordLine) -> Result<Vec<u8>, CliError> {
    let value = |field: &str| record.values.get(field).map(String::as_str).unwrap_or_default();
    if record.values.keys().any(|name| !columns.iter().any(|(field, _)| field == name)) {
        let message = format!(
            "{} has a value for which the collection has no field any more; add the field again, or \
             write --format jsonl",
            record.record
        );
        return Err(Refusal::new("unknown-field", message).into());
    }
    let cells: Vec<&str> = columns.iter().map(|(field, _)| value(field)).collect();
    csv_line(&cells)
}
