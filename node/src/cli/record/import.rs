//! `record import`: the rows of a file, checked as a whole and then kept batch by batch.
//!
//! ```text
//! first    every row is read and checked; one that is bad ends it, unless they are to be skipped
//! then     rows go to the node in batches; each is durable before the next is sent
//! ```
//!
//! What was interrupted is run again: rows that are here already are not written twice.
//!
//! *Invariants.* The report and the answer hold line, column, code and reason, and nothing that stands in the
//! file. On a terminal the beginning of a bad cell is told, never of one with a patient's number.
//!
//! *Source*: ours; RFC 4180.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::ask;
use crate::{
    cli::{
        args::record::{Format, Import},
        context::Context,
        error::CliError,
        out::{Out, count_in_words},
    },
    control::{
        RecordsAnswer, RecordsAsked, RecordsChange, RecordsKept, RecordsPut, Refusal, Values,
    },
    home::{FileError, Readers, create_file},
    records::{Collection, Fault, Layout, Line, PUT_ROWS_MAX, Source},
};

/// Most rows of one import.
const ROWS_MAX: u64 = 1_000_000;
/// What is read of the standard input, which is read once and needed twice.
const STDIN_BYTES_MAX: u64 = 64 * 1024 * 1024;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// Most faults that are told without a report.
const TOLD_MAX: usize = 20;
/// Most faults that a report holds.
const REPORTED_MAX: usize = 100_000;

/// Where rows come from: it can be read twice.
enum Input {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// One thing that is wrong, or was left as it is.
#[derive(Debug, Serialize)]
struct NotKept {
    line: u64,
    column: Option<String>,
    code: String,
    why: String,
    /// For a person at a terminal.
    #[serde(skip)]
    found: Option<String>,
}

/// What the first reading found.
#[derive(Default)]
struct Checked {
    rows: u64,
    bad: u64,
    faults: Vec<NotKept>,
    /// Digests of keys, and where they stood first.
    keys: BTreeMap<[u8; 16], u64>,
}

#[derive(Serialize)]
struct Imported {
    collection: String,
    added: u64,
    replaced: u64,
    same: u64,
    existing: u64,
    bad: u64,
    not_kept: Vec<NotKept>,
}

pub(super) fn run(context: &Context, import: Import, out: &Out) -> Result<(), CliError> {
    let Import { collection, file, format, replace, skip_bad, report } = import;
    let (_, home) = context.config()?;
    let collection = Collection::named(&home, &collection)?;
    let reading = Reading::new(&collection, &file, format)?;
    if let Some(report) = &report {
        expect_new(report)?;
    }
    let mut checked = check(&reading, out)?;
    if checked.bad > 0 && !skip_bad {
        write_report(report.as_deref(), &checked.faults)?;
        return Err(refusal(&checked, out.is_json()).into());
    }
    let (kept, existing) = keep(context, &reading, replace, out)?;
    let existing_count = existing.len() as u64;
    checked.faults.extend(existing);
    checked.faults.sort_by_key(|one| one.line);
    write_report(report.as_deref(), &checked.faults)?;
    let imported = Imported {
        collection: collection.name().to_owned(),
        added: kept.added,
        replaced: kept.replaced,
        same: kept.same,
        existing: existing_count,
        bad: checked.bad,
        not_kept: checked.faults,
    };
    out.show(&imported, &words(&imported, report.as_deref()))
}

/// A collection, and a file of its rows.
struct Reading<'a> {
    collection: &'a Collection,
    input: Input,
    layout: Layout,
    name: String,
}

impl<'a> Reading<'a> {
    fn new(
        collection: &'a Collection,
        file: &Path,
        format: Option<Format>,
    ) -> Result<Self, CliError> {
        let is_stdin = file.as_os_str() == "-";
        let name =
            if is_stdin { "the standard input".to_owned() } else { file.display().to_string() };
        let by_name = file.extension().is_some_and(|ext| ext == "jsonl" || ext == "ndjson");
        let layout = match format {
            Some(Format::Csv) => Layout::Csv,
            Some(Format::Jsonl) => Layout::JsonLines,
            None if by_name => Layout::JsonLines,
            None => Layout::Csv,
        };
        let input = if is_stdin {
            Input::Bytes(read_once(io::stdin().lock()).map_err(CliError::Input)?)
        } else {
            let opened = File::open(file).map_err(FileError::at("reading", file))?;
            // A pipe is read once.
            match opened.metadata().map_err(FileError::at("reading", file))?.is_file() {
                true => Input::File(file.to_path_buf()),
                false => Input::Bytes(read_once(opened).map_err(FileError::at("reading", file))?),
            }
        };
        Ok(Self { collection, input, layout, name })
    }

    /// Goes through all rows, with a bar that a person may watch.
    fn each(
        &self,
        what: &'static str,
        out: &Out,
        mut see: impl FnMut(Line) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let failed = |source| CliError::Source { path: self.name.clone(), source };
        let (input, bytes): (Box<dyn Read + '_>, u64) = match &self.input {
            Input::Bytes(bytes) => (Box::new(Cursor::new(bytes)), bytes.len() as u64),
            Input::File(path) => {
                let file = File::open(path).map_err(FileError::at("reading", path))?;
                let bytes = file.metadata().map_err(FileError::at("reading", path))?.len();
                (Box::new(file), bytes)
            }
        };
        let bar = out.bytes_progress(what, bytes);
        let input = BufReader::with_capacity(64 * 1024, bar.wrap_read(input));
        let mut source = Source::open(self.collection, self.layout, input).map_err(failed)?;
        while let Some(line) = source.next_line().map_err(failed)? {
            see(line)?;
        }
        bar.finish_and_clear();
        Ok(())
    }
}

fn read_once(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(STDIN_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        let why =
            format!("more than {STDIN_BYTES_MAX} bytes; put them into a file, and import that");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

fn check(reading: &Reading<'_>, out: &Out) -> Result<Checked, CliError> {
    let mut checked = Checked::default();
    reading.each("checking", out, |line| {
        checked.rows += 1;
        if checked.rows > ROWS_MAX {
            let message = format!("more than {ROWS_MAX} rows; import them in parts");
            return Err(Refusal::new("too-long", message).into());
        }
        checked.see(&line);
        Ok(())
    })?;
    Ok(checked)
}

impl Checked {
    fn see(&mut self, line: &Line) {
        match &line.row {
            Ok(row) => match self.keys.insert(digest(&row.id), line.number) {
                None => {}
                Some(first) => {
                    self.keys.insert(digest(&row.id), first);
                    self.bad += 1;
                    let why = format!("has the same key as line {first}");
                    self.add(not_kept(line.number, None, "repeated-key", why));
                }
            },
            Err(faults) => {
                self.bad += 1;
                for fault in faults {
                    let Fault { column, code, why } = fault;
                    let one = not_kept(line.number, column.clone(), code, why.clone());
                    self.add(NotKept { found: line.found(fault), ..one });
                }
            }
        }
    }

    fn add(&mut self, one: NotKept) {
        if self.faults.len() < REPORTED_MAX {
            self.faults.push(one);
        }
    }
}

fn not_kept(line: u64, column: Option<String>, code: &str, why: String) -> NotKept {
    NotKept { line, column, code: code.to_owned(), why, found: None }
}

fn digest(id: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(id).into();
    *digest.first_chunk().unwrap_or(&[0; 16])
}

/// Sends the good rows in batches; each is durable before the next is sent.
fn keep(
    context: &Context,
    reading: &Reading<'_>,
    replaces: bool,
    out: &Out,
) -> Result<(RecordsKept, Vec<NotKept>), CliError> {
    let mut batch = Batch { rows: Vec::new(), bytes: 0, lines: BTreeMap::new() };
    let mut kept = RecordsKept::default();
    let mut existing = Vec::new();
    let mut seen = BTreeMap::new();
    let name = reading.collection.name();
    reading.each("importing", out, |line| {
        // Bad ones, and those whose key stood before, were counted when they were checked.
        let Ok(row) = line.row else { return Ok(()) };
        if seen.insert(digest(&row.id), ()).is_some() {
            return Ok(());
        }
        batch.add(line.number, row.id, row.values);
        if batch.rows.len() >= PUT_ROWS_MAX || batch.bytes >= BATCH_BYTES {
            batch.send(context, (name, replaces), &mut kept, &mut existing)?;
        }
        Ok(())
    })?;
    batch.send(context, (name, replaces), &mut kept, &mut existing)?;
    Ok((kept, existing))
}

struct Batch {
    rows: Vec<Values>,
    bytes: usize,
    /// Where each stood.
    lines: BTreeMap<String, u64>,
}

impl Batch {
    fn add(&mut self, line: u64, id: String, values: Values) {
        self.bytes += values.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        self.rows.push(values);
        self.lines.insert(id, line);
    }

    fn send(
        &mut self,
        context: &Context,
        (collection, replaces): (&str, bool),
        kept: &mut RecordsKept,
        existing: &mut Vec<NotKept>,
    ) -> Result<(), CliError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let put = RecordsPut {
            collection: collection.to_owned(),
            rows: std::mem::take(&mut self.rows),
            replaces,
        };
        let asked = RecordsAsked::Change(RecordsChange::Put(put));
        let RecordsAnswer::Kept(done) = ask(context, asked)? else {
            return Err(CliError::OtherAnswer);
        };
        kept.added += done.added;
        kept.replaced += done.replaced;
        kept.same += done.same;
        let why = "is here already with other values; --replace puts this one in its place";
        existing.extend(done.existing.iter().map(|id| {
            let line = self.lines.get(id).copied().unwrap_or_default();
            not_kept(line, None, "existing", why.to_owned())
        }));
        (self.bytes, self.lines) = (0, BTreeMap::new());
        Ok(())
    }
}

fn expect_new(report: &Path) -> Result<(), CliError> {
    if report.exists() {
        let message = format!("{} exists already; name another file", report.display());
        return Err(Refusal::new("file", message).into());
    }
    Ok(())
}

fn write_report(report: Option<&Path>, lines: &[NotKept]) -> Result<(), CliError> {
    let Some(path) = report else { return Ok(()) };
    let failed = |error: csv::Error| CliError::Output(error.into());
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["line", "column", "code", "why"]).map_err(failed)?;
    for NotKept { line, column, code, why, found: _ } in lines {
        let column = column.as_deref().unwrap_or_default();
        csv.write_record([&line.to_string(), column, code, why]).map_err(failed)?;
    }
    let bytes = csv.into_inner().map_err(|error| CliError::Output(error.into_error()))?;
    Ok(create_file(path, &bytes, Readers::Owner)?)
}

/// Nothing is imported: all faults, up to a bound.
fn refusal(checked: &Checked, is_json: bool) -> Refusal {
    let rows = usize::try_from(checked.rows).unwrap_or(usize::MAX);
    let mut text = format!(
        "nothing is imported: {} of {} cannot be kept; mend them, or keep the others with --skip-bad \
         --report FILE",
        checked.bad,
        count_in_words(rows, "row", "rows")
    );
    for fault in checked.faults.iter().take(TOLD_MAX) {
        let shown = fault.found.as_ref().filter(|_| !is_json);
        text.push_str(&format!("\n  {}", in_words(fault, shown)));
    }
    let more = checked.faults.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more; --report FILE tells all of them"));
    }
    let codes = checked.faults.iter().map(|fault| fault.code.as_str());
    let is_patient = codes.clone().any(|code| code == "patient-number");
    Refusal::new(if is_patient { "patient-number" } else { "bad-rows" }, text)
}

fn in_words(one: &NotKept, found: Option<&String>) -> String {
    let column = one.column.as_ref().map(|column| format!(", column {column}"));
    let found = found.map(|found| format!("{found:?} ")).unwrap_or_default();
    format!("line {}{}: {found}{}", one.line, column.unwrap_or_default(), one.why)
}

fn words(imported: &Imported, report: Option<&Path>) -> Vec<String> {
    let Imported { collection, added, replaced, same, existing, bad, not_kept } = imported;
    let mut words = vec![format!(
        "{collection}: {added} added, {replaced} replaced, {same} here already, {existing} here with \
         other values and left as they are, {bad} bad"
    )];
    match report {
        Some(path) => words.push(format!("  the report is in {}", path.display())),
        None => {
            words.extend(
                not_kept.iter().take(TOLD_MAX).map(|one| format!("  {}", in_words(one, None))),
            );
            let more = not_kept.len().saturating_sub(TOLD_MAX);
            if more > 0 {
                words.push(format!("  and {more} more; --report FILE tells all of them"));
            }
        }
    }
    words
}
