//! A copy of all rows as they are at one commit, taken while commits go on.
//!
//! ```text
//!   begin ── commit n ─────────────────────────────────────────────▶ later commits
//!              slice 1 │ slice 2 │ …        before a commit changes a row that is not copied yet,
//!                                           its image is kept, and copied in its place
//! ```
//!
//! *Bounds.* Images take at most [`IMAGES_BYTES_MAX`]; beyond, the copy is given up.
//!
//! *Invariants.* What is copied is what the store held at the commit at which it began: no row of a later
//! one, none missing. Works over what every engine does, and asks nothing more of it.
//!
//! *Source*: ours; copy on write, as in any engine's snapshots.

use std::collections::BTreeMap;

use super::{
    Engine, Row, StoreError, Table,
    ledger::{Fault, Ledger, Place, Tally},
    shared::{Shared, lock},
    walk::Walk,
};

/// Rows that are changed while a copy is taken are mostly new ones, whose image is their key alone.
const IMAGES_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a copy held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// At which commit.
    pub commits: u64,
    /// How many rows.
    pub rows: u64,
}

/// How far a copy has come.
#[derive(Debug)]
pub(super) struct Copying {
    walk: Walk,
    /// Rows as they were, of those that have changed since and are not past.
    images: BTreeMap<Place, Option<Vec<u8>>>,
    images_bytes: usize,
}

impl Copying {
    fn begin() -> Self {
        Self { walk: Walk::over_all(), images: BTreeMap::new(), images_bytes: 0 }
    }

    /// A commit is about to change this row, which is as `before`.
    pub(super) fn keep(&mut self, place: &Place, before: Option<&Vec<u8>>) {
        if self.walk.is_past(place) || self.images.contains_key(place) {
            return;
        }
        self.images_bytes += place.1.len() + before.map_or(0, Vec::len);
        self.images.insert(place.clone(), before.cloned());
    }

    /// The next rows as they were; `None` at the end.
    fn slice(&mut self, engine: &dyn Engine) -> Result<Option<(Table, Vec<Row>)>, StoreError> {
        // The store changes faster than it is copied.
        if self.images_bytes > IMAGES_BYTES_MAX {
            return Err(StoreError::Overrun);
        }
        let Some((table, found)) = self.walk.slice(engine)? else { return Ok(None) };
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = found.into_iter().collect();
        // Of this table: those of the ones before it went with their last slices.
        while let Some(image) = self.images.first_entry()
            && self.walk.is_past(image.key())
        {
            let ((_, key), before) = image.remove_entry();
            let len_bytes = key.len() + before.as_ref().map_or(0, Vec::len);
            self.images_bytes = self.images_bytes.saturating_sub(len_bytes);
            match before {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        Ok(Some((table, rows.into_iter().collect())))
    }
}

impl Shared {
    pub(super) fn copy<E: From<StoreError>>(
        &self,
        see: &mut dyn FnMut(Table, Row) -> Result<(), E>,
    ) -> Result<Copied, E> {
        let _alone = lock(&self.walking);
        let began = {
            // No commit is under way while this is held.
            let mut copying = lock(&self.copying);
            *copying = Some(Copying::begin());
            *lock(&self.ledger)
        };
        let copied = self.copy_slices(see);
        *lock(&self.copying) = None;
        let (Ledger { commits, tally: written, .. }, found) = (began, copied?);
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
        while let Some((table, rows)) = self.copy_slice()? {
            for (key, row) in rows {
                let place = (table, key);
                let (value, crc) = self.unseal("copying", &place, row)?;
                tally.add(crc);
                see(table, (place.1, value))?;
            }
        }
        Ok(tally)
    }

    fn copy_slice(&self) -> Result<Option<(Table, Vec<Row>)>, StoreError> {
        let mut copying = lock(&self.copying);
        copying.as_mut().map_or(Ok(None), |copying| copying.slice(&*self.engine))
    }
}
