//! Boards and feeds in an audit: who may have written what.
//!
//! A founding file gives a board its members, and each of them its first feed. Later epochs come
//! with their own opening, warranted by keys that lead back to the charter.
//!
//! Invariant: one tip a feed, whatever its length. Knows nothing of acknowledgements.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::finding::{FeedName, Finding};
use crate::{
    charter::{Founding, Status},
    feed::{
        BadOpening, Body, Descriptor, Extent, Kind, OpenFeed, Opened, Run, SignedHead, Tip,
        expect_room, extents,
    },
    hash::{BoardId, FeedId, OrgId},
    time::TimeMs,
};

/// Feeds that evidence is kept of before they are opened, at most; no board has so many.
const ACCUSED_MAX: usize = 1_000;

/// Evidence that a feed has two histories, and who shows it.
#[derive(Debug, Clone)]
pub(super) struct Accusation {
    pub(super) index: u64,
    pub(super) by: FeedName,
    pub(super) seq: u64,
}

/// One feed, as far as it was read.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    pub(super) name: FeedName,
    pub(super) descriptor: Descriptor,
    /// By which right it was opened.
    pub(super) opened: Opened,
    pub(super) status: Status,
    /// The record that opened it; what stands before is not its.
    pub(super) since: u64,
    pub(super) tip: Tip,
    /// The head over all of it.
    pub(super) head: Option<SignedHead>,
    /// What came after cannot be checked.
    pub(super) is_broken: bool,
    /// The times that its first and last entries claim.
    pub(super) claimed: Option<(TimeMs, TimeMs)>,
    /// The latest time that any of its entries claims.
    pub(super) latest: TimeMs,
    /// The lowest index that is known to be forked.
    pub(super) fork: Option<u64>,
    /// The evidence of the lowest index.
    proof: Option<Accusation>,
    pub(super) told: Told,
}

impl Feed {
    /// How it was opened, as far as that is known: a fork at entry 0 is another opening of it.
    fn as_opened(&self) -> Opened {
        let is_forked = self.descriptor.epoch > 0 && self.fork == Some(0);
        Opened { is_forked, ..self.opened }
    }
}

/// What was told of a feed once, and is not told again.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) charter: bool,
    pub(super) back_dated: bool,
    pub(super) clock_back: bool,
    pub(super) clock_jump: bool,
    pub(super) gap: bool,
}

/// Every board and feed of a bundle.
#[derive(Debug, Clone, Default)]
pub(super) struct Boards {
    pub(super) foundings: BTreeMap<BoardId, Founding>,
    pub(super) feeds: BTreeMap<FeedId, Feed>,
    /// The lowest evidence about each feed that was not opened when it came.
    accused: BTreeMap<FeedId, Accusation>,
    /// The record that is being read, from 1.
    pub(super) record: u64,
}

impl Boards {
    /// Takes in a board, with the first feeds of its members.
    pub(super) fn found(&mut self, founding: Founding) {
        let board = founding.board();
        if self.foundings.contains_key(&board) {
            return;
        }
        let members = founding.charter().members.clone();
        self.foundings.insert(board, founding);
        for member in members {
            let descriptor = Descriptor { board, org: member.org, epoch: 0, key: member.feed_key };
            self.open(descriptor, Opened::first(&descriptor));
        }
    }

    /// Takes in a feed of a member.
    fn open(&mut self, descriptor: Descriptor, opened: Opened) {
        let founding = self.foundings.get(&descriptor.board);
        let member = founding.and_then(|founding| founding.charter().member(&descriptor.org));
        let Some(member) = member else { return };
        let feed = descriptor.feed_id();
        let slug = member.slug.clone();
        let state = Feed {
            name: FeedName { feed, slug, epoch: descriptor.epoch },
            descriptor,
            opened,
            status: member.status,
            since: self.record,
            tip: Tip::empty(feed),
            head: None,
            is_broken: false,
            claimed: None,
            latest: TimeMs(0),
            proof: None,
            fork: None,
            told: Told::default(),
        };
        self.feeds.insert(feed, state);
    }

    /// Takes in the feed that a run opens, if it may; `None` if the run opens none.
    pub(super) fn open_with(&mut self, run: &Run) -> Option<Result<(), (OrgId, BadOpening)>> {
        let first = run.entries.first().filter(|_| run.from == 0)?;
        let Body::Carried(sealed) = &first.body else { return None };
        if first.kind != Kind::OPEN_FEED {
            return None;
        }
        let opening = OpenFeed::from_bytes(sealed.payload.bytes()).ok()?;
        let Descriptor { board, org, .. } = opening.descriptor;
        let checked = match self.foundings.get(&board) {
            None => Err(BadOpening::NotAMember),
            Some(founding) => self.check_place(founding, run.feed, &opening),
        };
        let opened = Opened::by(&opening);
        Some(checked.map(|()| self.open(opening.descriptor, opened)).map_err(|why| (org, why)))
    }

    /// Checks an opening against all feeds of the organisation: some feed of the epoch before must
    /// warrant it.
    fn check_place(
        &self,
        founding: &Founding,
        feed: FeedId,
        opening: &OpenFeed,
    ) -> Result<(), BadOpening> {
        let Descriptor { board, org, epoch, key } = opening.descriptor;
        let of_org = || self.of_org(&board, &org).map(|feed| &feed.descriptor);
        let opened: Vec<Opened> = self.of_org(&board, &org).map(Feed::as_opened).collect();
        expect_room(&opened, &Opened::by(opening))?;
        if epoch > 0 && of_org().any(|one| one.key == key) {
            return Err(BadOpening::KeyUsedBefore);
        }
        let newest = of_org().max_by_key(|one| one.epoch);
        let mut checked = check_opening(founding, newest, feed, opening);
        for before in of_org().filter(|one| one.epoch.checked_add(1) == Some(epoch)) {
            checked = checked.or_else(|_| check_opening(founding, Some(before), feed, opening));
        }
        checked
    }

    /// Takes in evidence about a feed, which may be opened later; tells what cannot be kept.
    pub(super) fn accuse(&mut self, of: FeedId, accusation: Accusation) -> Option<Finding> {
        if let Some(feed) = self.feeds.get_mut(&of) {
            feed.accuse(accusation);
        } else if let Some(kept) = self.accused.get_mut(&of) {
            if accusation.index < kept.index {
                *kept = accusation;
            }
        } else if self.accused.len() < ACCUSED_MAX {
            self.accused.insert(of, accusation);
        } else {
            return Some(accusation.of_unknown(of));
        }
        None
    }

    /// What all evidence proves, now that every feed is opened.
    pub(super) fn proven(&mut self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (of, accusation) in core::mem::take(&mut self.accused) {
            match self.feeds.get_mut(&of) {
                Some(feed) => feed.accuse(accusation),
                None => found.push(accusation.of_unknown(of)),
            }
        }
        found.extend(self.feeds.values_mut().filter_map(Feed::proven));
        found
    }

    /// The feeds of an organisation on a board.
    fn of_org(&self, board: &BoardId, org: &OrgId) -> impl Iterator<Item = &Feed> {
        let is_of = |one: &Descriptor| one.board == *board && one.org == *org;
        self.feeds.values().filter(move |feed| is_of(&feed.descriptor))
    }

    /// How much of each feed counts by itself, by all openings that were read.
    pub(super) fn extents(&self) -> BTreeMap<FeedId, Extent> {
        let all = self.feeds.values().map(|feed| (feed.descriptor.board, feed.descriptor.org));
        let all: BTreeSet<(BoardId, OrgId)> = all.collect();
        let of_each = all.iter().flat_map(|(board, org)| {
            let opened: Vec<Opened> = self.of_org(board, org).map(Feed::as_opened).collect();
            extents(&opened)
        });
        of_each.collect()
    }

    /// The members of a board with a vote, other than one organisation.
    pub(super) fn voting_others(&self, board: &BoardId, org: &OrgId) -> BTreeSet<OrgId> {
        let founding = self.foundings.get(board);
        let seats = founding.into_iter().flat_map(|founding| founding.charter().seats());
        seats.map(|member| member.org).filter(|other| other != org).collect()
    }
}

impl Feed {
    /// Takes in evidence; that of the lowest index is kept.
    fn accuse(&mut self, accusation: Accusation) {
        let index = accusation.index;
        self.fork = Some(self.fork.map_or(index, |known| known.min(index)));
        if self.proof.as_ref().is_none_or(|kept| index < kept.index) {
            self.proof = Some(accusation);
        }
    }

    fn proven(&mut self) -> Option<Finding> {
        let Accusation { index, by, seq } = self.proof.take()?;
        Some(Finding::ForkProven { of: self.name.clone(), index, by, seq })
    }
}

impl Accusation {
    fn of_unknown(self, feed: FeedId) -> Finding {
        Finding::AccusesUnknown { feed, by: self.by, seq: self.seq }
    }
}

/// Checks the opening that stands in `feed` against the charter and the organisation's epoch before.
///
/// # Errors
/// [`BadOpening`], exactly.
pub fn check_opening(
    founding: &Founding,
    before: Option<&Descriptor>,
    feed: FeedId,
    opening: &OpenFeed,
) -> Result<(), BadOpening> {
    let descriptor = &opening.descriptor;
    if descriptor.feed_id() != feed {
        return Err(BadOpening::OtherFeed);
    }
    let member = founding.charter().member(&descriptor.org);
    let member =
        member.filter(|_| descriptor.board == founding.board()).ok_or(BadOpening::NotAMember)?;
    match (descriptor.epoch, before) {
        (0, _) => opening.check_first(&member.feed_key),
        (_, Some(before)) => opening.check_next(before, &member.recovery_digest),
        (_, None) => Err(BadOpening::KeyNotInCharter),
    }
}
