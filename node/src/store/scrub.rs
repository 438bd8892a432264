//! A scrub: every row is compared with its checksum and all of them with the ledger, while commits go on.
//!
//! ```text
//!   slice 1 │ slice 2 │ …     a commit that changes a row that is past changes the scrub's account too
//! ```
//!
//! *Invariants.* A sound store is never called damaged: rows that are past are counted as they are now.
//!
//! *Source*: ours.

use super::{
    StoreError,
    ledger::{Fault, Place, Tally},
    shared::{Shared, lock},
    walk::Walk,
};

/// How far a scrub has come.
#[derive(Debug)]
pub(super) struct Scrub {
    walk: Walk,
    /// Of the rows that are past.
    tally: Tally,
}

impl Scrub {
    /// Takes in what a commit did: checksums of rows before and after.
    pub(super) fn keep_up<'a>(
        &mut self,
        changed: impl Iterator<Item = (&'a Place, (Option<u32>, Option<u32>))>,
    ) {
        let past = changed.filter(|(place, _)| self.walk.is_past(place));
        past.for_each(|(_, (before, after))| self.tally.exchange(before, after));
    }
}

impl Shared {
    pub(super) fn scrub(&self) -> Result<(), StoreError> {
        let _alone = lock(&self.walking);
        *lock(&self.scrub) = Some(Scrub { walk: Walk::over_all(), tally: Tally::default() });
        let done = self.scrub_slices();
        *lock(&self.scrub) = None;
        done
    }

    fn scrub_slices(&self) -> Result<(), StoreError> {
        while self.scrub_slice()? {}
        let scrub = lock(&self.scrub);
        let written = lock(&self.ledger).tally;
        match scrub.as_ref().map(|scrub| scrub.tally) {
            Some(found) if found != written => {
                Err(self.damaged("verifying")(Fault::Tally { written, found }))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether there may be more.
    fn scrub_slice(&self) -> Result<bool, StoreError> {
        let mut guard = lock(&self.scrub);
        let Some(scrub) = guard.as_mut() else { return Ok(false) };
        let Some((table, rows)) = scrub.walk.slice(&*self.engine)? else { return Ok(false) };
        for (key, row) in rows {
            let (_, crc) = self.unseal("verifying", &(table, key), row)?;
            scrub.tally.add(crc);
        }
        Ok(true)
    }
}
