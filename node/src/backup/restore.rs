//! Makes a home of a backup: an older copy, which asks its partners before it signs.
//!
//! ```text
//!   read to its end and checked ─▶ NEW.restoring: files, store on any engine, mark "restoring yes" ─rename─▶ NEW
//! ```
//!
//! *Invariants.* NEW is there whole or not at all. The mark is durable before the home has its name, so no
//! start of it can sign what partners have seen signed otherwise.
//!
//! *Source*: ours.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    BackupError, Made,
    read::{Found, Opened, verify},
    write::Progress,
};
use crate::{
    config::Config,
    home::{FileError, Home, Readers, config_file, create_file, sync_parent},
    journal::{Event, Head, Line},
    replica::{Mark, Suspicion, record},
    store::{self, EngineKind, Store},
};

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup.
    pub made: Made,
    /// The engine that the store is on now.
    pub engine: EngineKind,
}

/// Makes a home in `directory`, which does not exist or is empty.
///
/// # Errors
/// - [`BackupError`]: `directory` is as it was.
pub fn restore(
    opened: Opened,
    directory: &Path,
    engine: Option<EngineKind>,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    expect_empty(directory)?;
    let again = opened.again();
    let made = verify(opened)?;
    let building = PathBuf::from(format!("{}.restoring", directory.display()));
    expect_empty(&building)?;
    let built = build(&again, &made, (&building, directory), engine, progress);
    let engine = match built {
        Ok(engine) => engine,
        Err(error) => {
            let _removed = fs::remove_dir_all(&building);
            return Err(error);
        }
    };
    let moved = remove_empty(directory)
        .and_then(|()| fs::rename(&building, directory))
        .and_then(|()| sync_parent(directory));
    moved.map_err(FileError::at("restoring to", directory))?;
    Ok(Restored { made, engine })
}

fn build(
    opened: &Opened,
    made: &Made,
    (building, directory): (&Path, &Path),
    engine: Option<EngineKind>,
    progress: Progress<'_>,
) -> Result<EngineKind, BackupError> {
    let directories = ["keys", "tokens", "collections"].map(|name| building.join(name));
    for path in [building.to_path_buf()].into_iter().chain(directories) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(FileError::at("creating", &path))?;
    }
    let engine = put_files(opened, (building, directory), engine)?;
    let home = Home::new(building);
    let store = store::open(&home.store(), engine)?;
    put_rows(opened, &store, made.manifest.rows, progress)?;
    let commits = store.reader().commits();
    store.reader().scrub()?;
    drop(store);
    let journal = Head::from_words(&made.manifest.journal).filter(|head| *head != Head::START);
    Mark { is_restoring: true, journal, commits, ..Mark::default() }.save(&home.mark())?;
    let restored = Event::BackupRestored {
        backup_sha256: made.sha256.clone(),
        commits: made.manifest.commits,
    };
    record(&home, engine, Line::done(restored))?;
    // The mark says so already; the journal is told here.
    let why = Suspicion::StillRestoring.to_string();
    record(&home, engine, Line::done(Event::RestoringBegun { why }))?;
    Ok(engine)
}

/// Writes the files of the home; gives the engine that its config names now.
fn put_files(
    opened: &Opened,
    (building, directory): (&Path, &Path),
    engine: Option<EngineKind>,
) -> Result<EngineKind, BackupError> {
    let mut kind = None;
    opened.read(&mut |found| {
        let Found::Home(name, bytes) = found else { return Ok(()) };
        let path = building.join(name);
        if path == config_file(building) {
            let (text, config) = config_for(bytes, directory, engine)?;
            kind = Some(config.store());
            return Ok(create_file(&path, text.as_bytes(), Readers::Owner)?);
        }
        Ok(create_file(&path, bytes, Readers::Owner)?)
    })?;
    kind.ok_or_else(|| BackupError::NotABackup { path: opened.path().to_path_buf() })
}

/// The config, with its home and engine as they are to be.
fn config_for(
    bytes: &[u8],
    directory: &Path,
    engine: Option<EngineKind>,
) -> Result<(String, Config), BackupError> {
    let path = config_file(directory);
    let elsewhere = || BackupError::ConfigElsewhere { path: directory.to_path_buf() };
    let text = str::from_utf8(bytes).map_err(|_| elsewhere())?;
    let sets = |line: &str, key: &str| {
        let rest = line.trim_start().strip_prefix(key).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with('='))
    };
    let mut kept = String::new();
    for line in text.lines() {
        let is_replaced = sets(line, "home") || (engine.is_some() && sets(line, "store"));
        if is_replaced {
            kept.push_str("# before it was restored: ");
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if let Some(engine) = engine {
        kept = format!("store = \"{engine}\"\n{kept}");
    }
    let config = Config::parse(&kept, &path)?;
    let fits = config.home() == directory
        && engine.is_none_or(|engine| engine == config.store())
        && config.store() != EngineKind::Memory;
    if fits { Ok((kept, config)) } else { Err(elsewhere()) }
}

fn put_rows(
    opened: &Opened,
    store: &Store,
    total: u64,
    progress: Progress<'_>,
) -> Result<(), BackupError> {
    let mut done = 0_u64;
    opened.read(&mut |found| {
        if let Found::Rows(rows) = found {
            done += rows.len() as u64;
            if !rows.is_empty() {
                let _durable = store.commit(rows)?;
            }
            progress(done, total);
        }
        Ok(())
    })?;
    Ok(())
}

fn expect_empty(directory: &Path) -> Result<(), BackupError> {
    match fs::read_dir(directory) {
        Ok(mut found) => match found.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::HomeTaken { path: directory.to_path_buf() }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::at("reading", directory)(error).into()),
    }
}

fn remove_empty(directory: &Path) -> io::Result<()> {
    match fs::remove_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
