//! What a store and its readers share: an engine, the account of what it holds, and whoever walks over it.
//!
//! ```text
//!   commit:  ops ─▶ write-ahead log, of private records ─▶ one change a row ─▶ engine, with the ledger ─▶ durable
//!   walks:   a scrub and a copy are told of every change, before and after it
//! ```
//!
//! *Invariants.* One commit at a time, which the store sees to; one walk at a time.
//!
//! *Source*: ours.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Change, Changes, Durable, Engine, KeyRange, Op, Order, StoreError, Table,
    copy::Copying,
    high_water_file,
    ledger::{self, Fault, Ledger},
    place::Place,
    scrub::Scrub,
    wal::{self, Wal},
};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) engine: Box<dyn Engine>,
    pub(super) ledger: Mutex<Ledger>,
    /// Held throughout a commit; none for a store that has no directory, or keeps nothing in it.
    pub(super) wal: Mutex<Option<Wal>>,
    /// Held throughout an engine's commit, and a slice of a scrub.
    pub(super) scrub: Mutex<Option<Scrub>>,
    /// As `scrub`, of a copy.
    pub(super) copying: Mutex<Option<Copying>>,
    /// Held throughout a scrub or a copy.
    pub(super) walking: Mutex<()>,
    /// Ends after the engine, whose directory it locks.
    place: Option<Place>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ledger of a store that was just opened.
pub(super) fn first_ledger(engine: &dyn Engine) -> Result<Ledger, StoreError> {
    let damaged = |fault| StoreError::damaged("opening the store", engine.path(), fault);
    if let Some(bytes) = engine.ledger()? {
        return Ledger::from_bytes(&bytes).map_err(damaged);
    }
    for table in Table::all() {
        if !engine.scan(table, &KeyRange::all(), 1, Order::Ascending)?.is_empty() {
            return Err(damaged(Fault::NoLedger));
        }
    }
    Ok(Ledger::default())
}

impl Shared {
    pub(super) fn new(
        place: Option<Place>,
        engine: Box<dyn Engine>,
        wal: Option<Wal>,
    ) -> Result<Self, StoreError> {
        let (ledger, wal) = (Mutex::new(first_ledger(&*engine)?), Mutex::new(wal));
        let (scrub, copying, walking) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { engine, ledger, wal, scrub, copying, walking, place })
    }

    /// Number of the last commit.
    pub(super) fn commits(&self) -> u64 {
        lock(&self.ledger).commits
    }

    /// How many there are.
    pub(super) fn rows(&self) -> u64 {
        lock(&self.ledger).tally.rows
    }

    pub(super) fn high_water_file(&self) -> Option<PathBuf> {
        self.place.as_ref().map(|place| high_water_file(place.directory()))
    }

    pub(super) fn damaged(&self, doing: &'static str) -> impl Fn(Fault) -> StoreError + '_ {
        move |fault| StoreError::damaged(doing, self.engine.path(), fault)
    }

    pub(super) fn unseal(
        &self,
        doing: &'static str,
        place: &ledger::Place,
        row: Vec<u8>,
    ) -> Result<(Vec<u8>, u32), StoreError> {
        ledger::unseal(place, row).map_err(self.damaged(doing))
    }

    /// The highest number of a commit that was begun.
    pub(super) fn begun(&self) -> u64 {
        let logged = lock(&self.wal).as_ref().map_or(0, Wal::last);
        self.commits().max(logged)
    }

    /// Writes all of `ops` as the commit of this number, or none; durable on return.
    pub(super) fn commit(&self, ops: Vec<Op>, commits: u64) -> Result<Durable, StoreError> {
        let mut wal = lock(&self.wal);
        if let Some(wal) = wal.as_mut() {
            wal.append(commits, &ops)?;
        }
        self.commit_rows(ops, commits)
    }

    /// As `commit`, of rows that stand in the log already.
    pub(super) fn commit_rows(&self, ops: Vec<Op>, commits: u64) -> Result<Durable, StoreError> {
        let mut ledger = Ledger { commits, ..*lock(&self.ledger) };
        if ops.iter().any(|op| op.table == wal::TABLE) {
            ledger.records = commits;
        }
        let mut changes = Changes::new();
        for Op { table, key, value } in ops {
            let place = (table, key);
            let after = value.map(|value| ledger::seal(&place, &value));
            // Of several on one row the last holds.
            changes.insert(place, Change { before: None, after });
        }
        let mut differences = Vec::with_capacity(changes.len());
        for (place, change) in &mut changes {
            change.before = self.engine.get(place.0, &place.1)?;
            let before = self.crc("committing", place, change.before.as_ref())?;
            let after = self.crc("committing", place, change.after.as_ref())?;
            ledger.tally.exchange(before, after);
            differences.push((before, after));
        }
        let mut scrub = lock(&self.scrub);
        let mut copying = lock(&self.copying);
        if let Some(copying) = copying.as_mut() {
            changes.iter().for_each(|(place, one)| copying.keep(place, one.before.as_ref()));
        }
        let durable = self.engine.commit(&changes, &ledger.to_bytes())?;
        *lock(&self.ledger) = ledger;
        if let Some(scrub) = scrub.as_mut() {
            scrub.keep_up(changes.keys().zip(differences));
        }
        Ok(durable)
    }

    fn crc(
        &self,
        doing: &'static str,
        place: &ledger::Place,
        row: Option<&Vec<u8>>,
    ) -> Result<Option<u32>, StoreError> {
        let crc = row.map(|row| ledger::check(place, row)).transpose();
        crc.map_err(self.damaged(doing))
    }
}
