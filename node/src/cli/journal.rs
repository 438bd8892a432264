//! `journal list`, `journal verify`, `journal export`, `journal events`.
//!
//! *Source*: ours.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::{
    args::{JournalExport, JournalFormat, JournalList},
    context::Context,
    error::CliError,
    out::{Out, count_in_words, time_in_words},
};
use crate::{
    control::{Answer, JournalAsk},
    home::FileError,
    journal::{CATALOGUE, Checked, Described, Entry, FIELDS, Page, Query},
};

/// Entries that are asked for at once.
const PAGE: usize = 1_000;

pub(super) fn list(context: &Context, args: JournalList, out: &Out) -> Result<(), CliError> {
    let JournalList { filters, before, limit } = args;
    let page = page(
        context,
        Query {
            event: filters.event,
            peer: filters.peer,
            board: filters.board,
            outcome: filters.outcome,
            since_ms: filters.since,
            until_ms: filters.until,
            beyond: before,
            limit,
            is_oldest_first: false,
        },
    )?;
    let mut words: Vec<String> = page.entries.iter().map(line).collect();
    words.extend(page.next.map(|next| format!("older entries: --before {next}")));
    out.show(&page, &words)
}

fn page(context: &Context, query: Query) -> Result<Page, CliError> {
    match context.journal(JournalAsk::Page(query))? {
        Answer::JournalPage(page) => Ok(page),
        _ => Err(CliError::OtherAnswer),
    }
}

fn line(entry: &Entry) -> String {
    let Entry { number, time_ms, event, outcome, code, fields, .. } = entry;
    let how = if outcome == "refused" { format!("  refused: {code}") } else { String::new() };
    let fields: String = fields.iter().map(|(name, value)| format!("  {name}={value}")).collect();
    format!("{number}  {}  {event}{how}{fields}", time_in_words(*time_ms))
}

/// 0: whole. 1: broken.
pub(super) fn verify(context: &Context, out: &Out) -> Result<ExitCode, CliError> {
    let Answer::JournalChecked(checked) = context.journal(JournalAsk::Verify)? else {
        return Err(CliError::OtherAnswer);
    };
    out.show(&checked, &checked_in_words(&checked))?;
    Ok(ExitCode::from(u8::from(!checked.faults.is_empty())))
}

fn checked_in_words(checked: &Checked) -> Vec<String> {
    let Checked { entries, first, last, head, faults } = checked;
    let count = count_in_words(usize::try_from(*entries).unwrap_or(usize::MAX), "entry", "entries");
    if faults.is_empty() {
        return vec![
            format!("the journal is whole: {count}, from {first} to {last}"),
            format!("  hash of the last {head}"),
        ];
    }
    let mut words = vec![format!("the journal is broken: {count}, from {first} to {last}")];
    words.extend(faults.iter().map(|fault| format!("  {} [{}]", fault.sentence, fault.code)));
    words.push(
        "keep a copy of the store, find out who had access to it, and compare the journal with its last export"
            .to_owned(),
    );
    words
}

/// What was written.
#[derive(Serialize)]
struct Exported {
    out: PathBuf,
    entries: u64,
    first: u64,
    last: u64,
    /// Hash of the last entry.
    head: String,
}

pub(super) fn export(context: &Context, args: &JournalExport, out: &Out) -> Result<(), CliError> {
    let path = &args.out;
    let building = PathBuf::from(format!("{}.part", path.display()));
    if path.exists() {
        let taken = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(FileError::at("creating", path)(taken).into());
    }
    let file = File::create_new(&building).map_err(FileError::at("creating", &building))?;
    let written = write(context, file, &building, args.format, out);
    let done = written.and_then(|mut done| {
        fs::rename(&building, path).map_err(FileError::at("writing", path))?;
        crate::home::sync_parent(path).map_err(FileError::at("writing", path))?;
        done.out.clone_from(path);
        Ok(done)
    });
    if done.is_err() {
        // Half an export helps nobody; what was wrong is told.
        let _removed = fs::remove_file(&building);
    }
    let done = done?;
    let count = usize::try_from(done.entries).unwrap_or(usize::MAX);
    let count = count_in_words(count, "entry", "entries");
    let words = [
        format!("wrote {count}, from {} to {}, to {}", done.first, done.last, path.display()),
        format!("  hash of the last {}", done.head),
    ];
    out.show(&done, &words)
}

fn write(
    context: &Context,
    file: File,
    path: &Path,
    format: JournalFormat,
    out: &Out,
) -> Result<Exported, CliError> {
    let failed = |error| CliError::from(FileError::at("writing", path)(error));
    let mut sink = Sink::new(BufWriter::new(file), format).map_err(failed)?;
    let mut done =
        Exported { out: path.into(), entries: 0, first: 0, last: 0, head: String::new() };
    let newest = Query { limit: 1, ..Query::default() };
    let total = page(context, newest)?.entries.first().map_or(0, |entry| entry.number);
    let progress = out.progress(total, "entries");
    let mut beyond = None;
    loop {
        let query = Query { beyond, limit: PAGE, is_oldest_first: true, ..Query::default() };
        let page = page(context, query)?;
        for entry in &page.entries {
            // What is written meanwhile is of the next export.
            if entry.number > total {
                break;
            }
            sink.put(entry).map_err(failed)?;
            done.entries += 1;
            if done.first == 0 {
                done.first = entry.number;
            }
            done.last = entry.number;
            done.head.clone_from(&entry.hash);
        }
        progress.set_position(done.last);
        if page.next.is_none() || done.last >= total {
            break;
        }
        beyond = page.next;
    }
    progress.finish_and_clear();
    let file = sink.finish().map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(done)
}

/// The file in either form.
enum Sink {
    Jsonl(BufWriter<File>),
    Csv(Box<csv::Writer<BufWriter<File>>>, Vec<&'static str>),
}

impl Sink {
    fn new(file: BufWriter<File>, format: JournalFormat) -> std::io::Result<Self> {
        if format == JournalFormat::Jsonl {
            return Ok(Self::Jsonl(file));
        }
        let names: BTreeSet<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut table = csv::Writer::from_writer(file);
        let head = ["number", "time_ms", "event", "outcome", "code"];
        table.write_record(head.iter().chain(&names).chain(&["previous", "hash"]))?;
        Ok(Self::Csv(Box::new(table), names))
    }

    fn put(&mut self, entry: &Entry) -> std::io::Result<()> {
        match self {
            Self::Jsonl(file) => {
                serde_json::to_writer(&mut *file, entry)?;
                file.write_all(b"\n")
            }
            Self::Csv(table, names) => {
                let (number, time) = (entry.number.to_string(), entry.time_ms.to_string());
                let mut row =
                    vec![number.as_str(), &time, &entry.event, &entry.outcome, &entry.code];
                let value = |name: &&str| entry.fields.get(*name).map_or("", String::as_str);
                row.extend(names.iter().map(value));
                row.extend([entry.previous.as_str(), &entry.hash]);
                Ok(table.write_record(row)?)
            }
        }
    }

    fn finish(self) -> std::io::Result<File> {
        let file = match self {
            Self::Jsonl(file) => file,
            Self::Csv(table, _) => {
                table.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?
            }
        };
        file.into_inner().map_err(std::io::IntoInnerError::into_error)
    }
}

pub(super) fn events(out: &Out) -> Result<(), CliError> {
    let words: Vec<String> = CATALOGUE.iter().map(event).collect();
    out.show(&CATALOGUE, &words)
}

fn event(one: &Described) -> String {
    let fields =
        if one.fields.is_empty() { String::new() } else { format!(" ({})", one.fields.join(", ")) };
    format!("{}: {}{fields}", one.code, one.means)
}
