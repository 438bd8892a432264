//! The store and its readers: what the rest of the node holds, whichever engine is behind.
//!
//! ```text
//!   commit:  ops ─▶ one change a row ─▶ engine, with the ledger ─▶ high-water file ─▶ durable
//!   scrub:   rows in the order of their places, a slice at a time; commits go on in between
//! ```
//!
//! *Invariants.* One commit at a time. A row is given out only if it agrees with its checksum.
//!
//! *Source*: ours.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use concordat_protocol::engine;

use super::{
    Change, Changes, Copied, Durable, Engine, Kept, KeyRange, Op, Order, Row, Size, StoreError,
    Table, Verified, copy::Copying, high_water::HighWater, high_water_file, ledger, ledger::Fault,
    ledger::Ledger, ledger::Tally, op, place::Place,
};

/// Rows of one slice of a scrub: of the longest values, 128 MiB.
const SLICE_ROWS: usize = 64;

/// An open store with the right to write; give it to a [`Writer`](super::Writer).
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// Held throughout a commit. The file is opened by the first: whoever opens the store may look
    /// at it before, and write that it is an older copy.
    high_water: Mutex<Option<HighWater>>,
}

/// The right to read, shared freely between threads; outlives the writer.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    /// The first read on behalf of the protocol's engine that failed, on any copy of this reader.
    failure: Arc<OnceLock<StoreError>>,
}

#[derive(Debug)]
struct Shared {
    engine: Box<dyn Engine>,
    ledger: Mutex<Ledger>,
    /// Held throughout an engine's commit, and a slice of a scrub.
    scrub: Mutex<Option<Scrub>>,
    /// As `scrub`, of a copy.
    copying: Mutex<Option<Copying>>,
    /// Held throughout a scrub or a copy.
    scrubbing: Mutex<()>,
    /// Ends after the engine, whose directory it locks.
    place: Option<Place>,
}

/// How far a scrub has come.
#[derive(Debug)]
struct Scrub {
    /// Rows before this place have been counted.
    next: ledger::Place,
    tally: Tally,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Without a directory, and so without a high-water file.
    pub(super) fn over_engine(engine: Box<dyn Engine>) -> Result<Self, StoreError> {
        Self::over(None, engine)
    }

    /// How many rows an engine's ledger counts.
    pub(super) fn rows(engine: &dyn Engine) -> Result<u64, StoreError> {
        Ok(first_ledger(engine)?.tally.rows)
    }

    pub(super) fn at(place: Place, engine: Box<dyn Engine>) -> Result<Self, StoreError> {
        Self::over(Some(place), engine)
    }

    fn over(place: Option<Place>, engine: Box<dyn Engine>) -> Result<Self, StoreError> {
        let ledger = first_ledger(&*engine)?;
        let (ledger, scrub) = (Mutex::new(ledger), Mutex::default());
        let (copying, scrubbing) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { engine, ledger, scrub, copying, scrubbing, place });
        Ok(Self { shared, high_water: Mutex::default() })
    }

    /// Writes all of `ops` over all their tables, or none; durable on return.
    ///
    /// # Errors
    /// As [`Store::commit_marked`].
    pub fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        self.commit_marked(ops, None)
    }

    /// Writes all of `ops`, then `lines` in place of those of the high-water file; without `lines`
    /// they stay. Durable on return.
    ///
    /// # Errors
    /// - [`StoreError::KeyTooLong`], [`StoreError::ValueTooLong`]: our mistake; none written.
    /// - any other: all or none of it may be on disk; the process must write no more and stop.
    pub fn commit_marked(
        &self,
        ops: Vec<Op>,
        lines: Option<String>,
    ) -> Result<Durable, StoreError> {
        ops.iter().try_for_each(op::check_bounds)?;
        let mut high_water = lock(&self.high_water);
        let file = self.open_high_water(&mut high_water)?;
        let kept = file.as_ref().map_or_else(Kept::default, |file| file.kept().clone());
        let commits = self.shared.commits().max(kept.commits).saturating_add(1);
        let durable = self.shared.commit(ops, commits)?;
        if let Some(file) = file {
            file.swap(Kept { commits, lines: lines.unwrap_or(kept.lines) })?;
        }
        Ok(durable)
    }

    /// Writes rows of a store that is being made of another one. All of them count as its first commit,
    /// however many these are: it is known to be behind the store that it takes the place of.
    ///
    /// # Errors
    /// As [`Store::commit_marked`].
    pub(super) fn fill(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        self.shared.commit(ops, 1)
    }

    fn open_high_water<'a>(
        &self,
        file: &'a mut Option<HighWater>,
    ) -> Result<Option<&'a mut HighWater>, StoreError> {
        if let (None, Some(path)) = (&file, self.shared.high_water_file()) {
            *file = Some(HighWater::open(&path)?);
        }
        Ok(file.as_mut())
    }

    /// A view that can only read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { shared: Arc::clone(&self.shared), failure: Arc::default() }
    }
}

/// The ledger of a store that was just opened.
fn first_ledger(engine: &dyn Engine) -> Result<Ledger, StoreError> {
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
    fn commits(&self) -> u64 {
        lock(&self.ledger).commits
    }

    fn high_water_file(&self) -> Option<PathBuf> {
        self.place.as_ref().map(|place| high_water_file(place.directory()))
    }

    fn damaged(&self, doing: &'static str) -> impl Fn(Fault) -> StoreError + '_ {
        move |fault| StoreError::damaged(doing, self.engine.path(), fault)
    }

    fn unseal(
        &self,
        doing: &'static str,
        place: &ledger::Place,
        row: Vec<u8>,
    ) -> Result<(Vec<u8>, u32), StoreError> {
        ledger::unseal(place, row).map_err(self.damaged(doing))
    }

    fn commit(&self, ops: Vec<Op>, commits: u64) -> Result<Durable, StoreError> {
        let mut changes = Changes::new();
        for Op { table, key, value } in ops {
            let place = (table, key);
            let after = value.map(|value| ledger::seal(&place, &value));
            // Of several on one row the last holds.
            changes.insert(place, Change { before: None, after });
        }
        let mut ledger = Ledger { commits, ..*lock(&self.ledger) };
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
            let counted = changes.keys().zip(differences).filter(|(place, _)| **place < scrub.next);
            counted.for_each(|(_, (before, after))| scrub.tally.exchange(before, after));
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

    fn scrub(&self) -> Result<(), StoreError> {
        let _alone = lock(&self.scrubbing);
        let Some(first) = Table::all().next() else { return Ok(()) };
        *lock(&self.scrub) = Some(Scrub { next: (first, Vec::new()), tally: Tally::default() });
        let done = self.scrub_slices();
        *lock(&self.scrub) = None;
        done
    }

    fn copy<E: From<StoreError>>(
        &self,
        see: &mut dyn FnMut(Table, Row) -> Result<(), E>,
    ) -> Result<Copied, E> {
        let _alone = lock(&self.scrubbing);
        let Some(first) = Table::all().next() else { return Ok(Copied { commits: 0, rows: 0 }) };
        let began = {
            // No commit is under way while this is held.
            let mut copying = lock(&self.copying);
            *copying = Some(Copying::from(first));
            *lock(&self.ledger)
        };
        let copied = self.copy_slices(see);
        *lock(&self.copying) = None;
        let (Ledger { commits, tally: written }, found) = (began, copied?);
        if found != written {
            return Err(self.damaged("copying")(Fault::Tally { written, found }).into());
        }
        Ok(Copied { commits, rows: found.rows })
    }

    fn copy_slices<E: From<StoreError>>(
        &self,
        see: &mut dyn FnMut(Table, Row) -> Result<(), E>,
    ) -> Result<Tally, E> {
        let mut tally = Tally::default();
        for table in Table::all() {
            loop {
                let (rows, is_last) = self.copy_slice(table)?;
                for (key, row) in rows {
                    let place = (table, key);
                    let (value, crc) = self.unseal("copying", &place, row)?;
                    tally.add(crc);
                    see(table, (place.1, value))?;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(tally)
    }

    /// The next rows of the table as they were, and whether there are no more.
    fn copy_slice(&self, table: Table) -> Result<(Vec<Row>, bool), StoreError> {
        let mut guard = lock(&self.copying);
        let Some(copying) = guard.as_mut() else { return Ok((Vec::new(), true)) };
        if copying.is_overrun() {
            return Err(StoreError::Overrun);
        }
        if copying.next.0 != table {
            copying.next = (table, Vec::new());
        }
        let range = KeyRange { start: copying.next.1.clone(), end: None };
        let found = self.engine.scan(table, &range, SLICE_ROWS, Order::Ascending)?;
        let is_last = found.len() < SLICE_ROWS;
        let rows = copying.slice(table, found, is_last);
        if is_last {
            // Places of this table are all copied: what follows is of the next.
            copying.end_table(table);
        }
        Ok((rows, is_last))
    }

    fn scrub_slices(&self) -> Result<(), StoreError> {
        for table in Table::all() {
            while self.scrub_slice(table)? {}
        }
        let scrub = lock(&self.scrub);
        let written = lock(&self.ledger).tally;
        match scrub.as_ref().map(|scrub| scrub.tally) {
            Some(found) if found != written => {
                Err(self.damaged("verifying")(Fault::Tally { written, found }))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether there may be more of the table.
    fn scrub_slice(&self, table: Table) -> Result<bool, StoreError> {
        let mut guard = lock(&self.scrub);
        let Some(scrub) = guard.as_mut() else { return Ok(false) };
        if scrub.next.0 != table {
            scrub.next = (table, Vec::new());
        }
        let range = KeyRange { start: scrub.next.1.clone(), end: None };
        let rows = self.engine.scan(table, &range, SLICE_ROWS, Order::Ascending)?;
        let is_more = rows.len() == SLICE_ROWS;
        for (key, row) in rows {
            let place = (table, key);
            let (_, crc) = self.unseal("verifying", &place, row)?;
            scrub.tally.add(crc);
            scrub.next = place;
            // The least key after it.
            scrub.next.1.push(0);
        }
        Ok(is_more)
    }
}

impl Reader {
    /// The value of `key`.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    pub fn get(&self, table: impl Into<Table>, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let table = table.into();
        let Some(row) = self.shared.engine.get(table, key)? else { return Ok(None) };
        let (value, _) = self.shared.unseal("reading", &(table, key.to_vec()), row)?;
        Ok(Some(value))
    }

    /// At most `limit` pairs of `range`, from the end that `order` names.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    pub fn scan(
        &self,
        table: impl Into<Table>,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        let table = table.into();
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let rows = self.shared.engine.scan(table, range, limit, order)?;
        let rows = rows.into_iter().map(|(key, row)| {
            let place = (table, key);
            let (value, _) = self.shared.unseal("scanning", &place, row)?;
            Ok((place.1, value))
        });
        rows.collect()
    }

    /// Checks everything stored, the engine's own book-keeping too; reads and writes may wait meanwhile.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let verified = self.shared.engine.check()?;
        self.shared.scrub()?;
        Ok(verified)
    }

    /// Checks every row against its checksum and all of them against the ledger, a few at a time;
    /// reads and writes go on.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    pub fn scrub(&self) -> Result<(), StoreError> {
        self.shared.scrub()
    }

    /// Gives all rows as they are at one commit, in the order of tables and keys, while commits go on; one copy
    /// or scrub at a time.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    /// - [`StoreError::Overrun`]: it changes faster than it is copied.
    /// - whatever `see` says.
    pub fn copy<E: From<StoreError>>(
        &self,
        see: &mut dyn FnMut(Table, Row) -> Result<(), E>,
    ) -> Result<Copied, E> {
        self.shared.copy(see)
    }

    /// What the high-water file says; `None` if there is no file, as for a store in memory.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn kept(&self) -> Result<Option<Kept>, StoreError> {
        self.shared.high_water_file().map_or(Ok(None), |path| Kept::load(&path))
    }

    /// Number of the last commit that the store holds; 0 if there was none.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits()
    }

    /// What the store holds.
    ///
    /// # Errors
    /// - [`StoreError::Io`]: the disk.
    pub fn size(&self) -> Result<Size, StoreError> {
        let entries = lock(&self.shared.ledger).tally.rows;
        Ok(Size { entries, disk_bytes: self.shared.engine.disk_bytes()? })
    }

    /// Why a read for the protocol's engine failed, if one did.
    ///
    /// # Order
    /// Whoever hands this reader to the protocol's engine asks afterwards, and if there is a
    /// failure does nothing of what the engine wanted: it took what it could not read for absent.
    #[must_use]
    pub fn failure(&self) -> Option<&StoreError> {
        self.failure.get()
    }

    /// The same store, with failures kept apart from those of this reader.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), failure: Arc::default() }
    }

    fn or_absent<T: Default>(&self, read: Result<T, StoreError>) -> T {
        read.unwrap_or_else(|error| {
            // Only the first is kept: it says where the trouble began.
            let _later = self.failure.set(error);
            T::default()
        })
    }
}

/// What the protocol's engine reads by; it knows of no errors, so they are kept aside.
impl engine::Reader for Reader {
    fn get(&self, table: engine::Table, key: &[u8]) -> Option<Vec<u8>> {
        self.or_absent(Self::get(self, table, key))
    }

    fn scan(&self, table: engine::Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        let range = KeyRange::between(from.to_vec(), to.to_vec());
        self.or_absent(Self::scan(self, table, &range, limit, Order::Ascending))
    }
}
