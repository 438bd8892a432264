//! The tables there are: those of the protocol's engine, and those of the node's own.
//!
//! | tables | who decides keys and values | who hears of what they hold |
//! |---|---|---|
//! | [`Table::Engine`] | the protocol's engine | partners, as far as the charter says |
//! | [`Table::Own`] | the node | nobody: the engine, and so the network, cannot name them |
//!
//! *Invariants.* Names are fixed for ever, and no two tables have the same. [`Own`] is not known to the
//! protocol, whose [`Reader`](concordat_protocol::engine::Reader) therefore reads none of it.
//!
//! *Source*: ours.

use concordat_protocol::engine;

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Of the protocol's engine.
    Engine(engine::Table),
    /// Of the node's own.
    Own(Own),
}

/// A table of the node's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Own {
    /// When each peer was last heard of.
    Contacts,
    /// What this node did and saw, in order.
    Journal,
    /// Private records.
    Records,
}

impl Own {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Contacts, Self::Journal, Self::Records];

    const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "own_contacts",
            Self::Journal => "own_journal",
            Self::Records => "own_records",
        }
    }
}

impl Table {
    /// Every table, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut engines = engine::Table::ALL.to_vec();
        engines.sort_unstable();
        engines.into_iter().map(Self::Engine).chain(Own::ALL.map(Self::Own))
    }

    /// The table's name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine(table) => table.name(),
            Self::Own(own) => own.name(),
        }
    }
}

impl From<engine::Table> for Table {
    fn from(table: engine::Table) -> Self {
        Self::Engine(table)
    }
}

impl From<Own> for Table {
    fn from(own: Own) -> Self {
        Self::Own(own)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_tables_have_the_same_name_and_all_are_ascending() {
        let tables: Vec<_> = Table::all().collect();
        assert!(tables.is_sorted());
        let names: BTreeSet<_> = tables.iter().map(|table| table.name()).collect();
        assert_eq!(names.len(), tables.len());
        assert_eq!(names.len(), engine::Table::ALL.len() + Own::ALL.len());
    }
}
