//! `store check`, `store migrate` and `store set-aside`: whether what is stored is what was written,
//! another engine, and a new store in the place of a damaged one.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::engine;
use serde::Serialize;

use super::{
    args::StoreMigrate,
    context::Context,
    error::CliError,
    out::{Out, bytes_in_words, count_in_words},
};
use crate::{
    config::Config,
    control::{self, Refusal},
    home::Home,
    journal::{Event, Line},
    replica::{Mark, OfflineError, record, suspicion},
    store::{self, EngineKind, Own, Table, Verified},
};

#[derive(Serialize)]
struct Checked {
    engine: &'static str,
    rows: u64,
    commits: u64,
    bytes: u64,
    /// Whether book-keeping of free space, or the log of private records, was mended.
    mended: bool,
    /// Why the store may be an older copy.
    older: Option<String>,
}

/// 0: sound. 1: sound, and perhaps an older copy. Damage is an error, which names it.
pub(super) fn check(context: &Context, out: &Out) -> Result<ExitCode, CliError> {
    let (config, home) = stopped(context)?;
    let store = store::open(&home.store(), config.store())?;
    let reader = store.reader();
    let verified = reader.verify()?;
    let size = reader.size()?;
    let mark = Mark::load(&home.mark()).map_err(OfflineError::from)?;
    let older = suspicion(mark.as_ref(), &reader)?.map(|why| why.to_string());
    let checked = Checked {
        engine: config.store().name(),
        rows: size.entries,
        commits: reader.commits(),
        bytes: size.disk_bytes,
        mended: verified == Verified::Mended,
        older,
    };
    drop((reader, store));
    if checked.older.is_none() {
        let (engine, rows, commits) = (checked.engine.to_owned(), checked.rows, checked.commits);
        // An older copy is left as it is.
        context.record(Event::StoreChecked { engine, rows, commits })?;
    }
    out.show(&checked, &checked_in_words(&checked))?;
    Ok(ExitCode::from(u8::from(checked.older.is_some())))
}

fn checked_in_words(checked: &Checked) -> Vec<String> {
    let Checked { engine, rows, commits, bytes, mended, older } = checked;
    let bytes = bytes_in_words(*bytes);
    let mut words = vec![format!(
        "every row of the store of {engine} is what was written: {rows} keys, {commits} commits, {bytes}"
    )];
    if *mended {
        words.push("  its book-keeping was mended; no row was touched".to_owned());
    }
    if let Some(why) = older {
        words.push(format!("  it may be an older copy: {why}"));
        words.push("  run `concordat serve`: it asks its partners before it signs".to_owned());
    }
    words
}

#[derive(Serialize)]
struct Moved {
    from: &'static str,
    to: &'static str,
    rows: u64,
    sha256: String,
    kept: String,
    config: String,
}

pub(super) fn migrate(context: &Context, args: &StoreMigrate, out: &Out) -> Result<(), CliError> {
    let (_, home) = stopped(context)?;
    let to = args.to;
    let from = match to {
        EngineKind::Sled => EngineKind::Redb,
        EngineKind::Redb | EngineKind::Memory => EngineKind::Sled,
    };
    let bar = out.progress(0, "keys copied");
    let moved = store::migrate(&home.store(), to, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let moved = Moved {
        from: from.name(),
        to: to.name(),
        rows: moved.rows,
        sha256: data_encoding::HEXLOWER.encode(&moved.digest),
        kept: moved.old.display().to_string(),
        config: format!("store = \"{to}\""),
    };
    // The config still names the old engine.
    let event = Event::StoreMigrated {
        engine: to.name().to_owned(),
        rows: moved.rows,
        sha256: moved.sha256.clone(),
    };
    record(&home, to, Line::done(event))?;
    let rows = usize::try_from(moved.rows).unwrap_or(usize::MAX);
    let words = [
        format!("copied {} from {from} to {to}, and read both: they are the same", {
            count_in_words(rows, "key", "keys")
        }),
        format!("  sha256 of all of them {}", moved.sha256),
        format!("now write this line in {}:", context.config_path().display()),
        format!("  {}", moved.config),
        format!("delete {} once the node has run with it", moved.kept),
    ];
    out.show(&moved, &words)
}

#[derive(Serialize)]
struct Aside {
    kept: String,
    boards: usize,
    cards: usize,
    records: usize,
    /// Whether that is all of them.
    has_all_records: bool,
}

pub(super) fn set_aside(context: &Context, out: &Out) -> Result<(), CliError> {
    let (config, home) = stopped(context)?;
    let (boards, cards) =
        (Table::Engine(engine::Table::Boards), Table::Engine(engine::Table::Cards));
    let records = Table::Own(Own::Records);
    let tables = [boards, cards, records, Own::Contacts.into(), Own::Journal.into()];
    let aside = store::set_aside(&home.store(), config.store(), &tables)?;
    let kept = aside.kept.display().to_string();
    let count = |table| {
        aside.rows.get(&table).map_or(0, |rows| usize::try_from(*rows).unwrap_or(usize::MAX))
    };
    let set_aside = Event::StoreSetAside { rows: aside.rows.values().sum() };
    record(&home, config.store(), Line::done(set_aside))?;
    let aside = Aside {
        kept,
        boards: count(boards),
        cards: count(cards),
        records: count(records),
        has_all_records: aside.has_all_records,
    };
    let mut words = vec![
        format!("the store is kept in {}, and a new one is in its place", aside.kept),
        format!(
            "  it has {}, {} and {}; add boards and cards that are missing with `concordat card add` \
             and `concordat board join`",
            count_in_words(aside.boards, "board", "boards"),
            count_in_words(aside.cards, "card", "cards"),
            count_in_words(aside.records, "private record", "private records")
        ),
        "now run `concordat serve`: it asks its partners for everything else before it signs"
            .to_owned(),
    ];
    if !aside.has_all_records {
        let missing =
            "  a part of the log of private records cannot be read: compare them with a backup";
        words.insert(2, missing.to_owned());
    }
    out.show(&aside, &words)
}

/// The node, when no daemon runs for it and its store is on disk.
fn stopped(context: &Context) -> Result<(Config, Home), CliError> {
    let (config, home) = context.config()?;
    if control::is_running(&home.socket()) {
        let message = "a daemon runs for this home; stop it first. While it runs it checks its \
                       store by itself, and ends with a line in its log if something is wrong";
        return Err(Refusal::new("daemon-runs", message).into());
    }
    if config.store() == EngineKind::Memory {
        return Err(OfflineError::MemoryStore.into());
    }
    Ok((config, home))
}
