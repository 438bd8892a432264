//! Which sign-offs are in time, as members say in their own feeds.
//!
//! ```text
//! a member's feed    … ack ─ ack ─ ack ┊ ack of a closing ─ ack …
//!                      └── these count ──────────┘   these do not, for this proposal
//!                    … ack ─ ack of what is not here ─ ack …
//!                      └── these count ──┘   there might be a closing
//! ```
//!
//! Only closings by those who may close count, and all of them: also one that is void or held now,
//! since acknowledgements that are still on their way may settle it after all.
//!
//! *Forks.* What two histories have in common is told for each. A member with two of its own is heard
//! for whatever one of them covers, so a late fork takes nothing away; where another says that it is
//! late, the sign-off is contested.
//!
//! *Invariant.* With more entries nothing that is in time, late or shut ceases to be so; what is both
//! is contested, and that takes a member that signed two histories.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Acknowledged, Content, Dossier, Entry, History};
use crate::{
    charter::Charter,
    decision::{Bounds, Covered},
    feed::Kind,
    hash::{FeedId, OrgId},
};

/// How many entries are covered of each history of a feed.
type Cover = BTreeMap<(FeedId, History), u64>;

/// What all members acknowledged, by member, epoch, and history of a feed, in order.
pub(super) struct Sayings<'a>(BTreeMap<OrgId, BTreeMap<u64, Vec<Saying<'a>>>>);

/// One history of one feed.
struct Saying<'a> {
    feed: FeedId,
    history: History,
    items: Vec<&'a Acknowledged>,
}

impl<'a> Sayings<'a> {
    pub(super) fn of(dossier: &'a Dossier) -> Self {
        type Histories<'a> = BTreeMap<History, Vec<&'a Acknowledged>>;
        let mut found: BTreeMap<(OrgId, u64, FeedId), Histories<'a>> = BTreeMap::new();
        for one in &dossier.acknowledged {
            let (by, (epoch, _)) = (one.by, one.place);
            let histories = found.entry((by, epoch, one.feed)).or_default();
            histories.entry(one.history).or_default().push(one);
        }
        let mut sayings: BTreeMap<OrgId, BTreeMap<u64, Vec<Saying<'a>>>> = BTreeMap::new();
        for ((by, epoch, feed), mut histories) in found {
            histories.values_mut().for_each(|items| items.sort_by_key(|one| one.place));
            let of_epoch = sayings.entry(by).or_default().entry(epoch).or_default();
            let fullest = |(history, items): (&History, &Vec<&'a Acknowledged>)| {
                let mut others = histories.iter().filter(|(other, _)| *other != history);
                let goes_on = others.any(|(other, longer)| {
                    begins_with(longer, items) && (longer.len(), history) > (items.len(), other)
                });
                (!goes_on).then(|| Saying { feed, history: *history, items: items.clone() })
            };
            of_epoch.extend(histories.iter().filter_map(fullest));
        }
        Self(sayings)
    }
}

/// Whether one history says first what another says in all.
fn begins_with(longer: &[&Acknowledged], items: &[&Acknowledged]) -> bool {
    let said = |one: &Acknowledged| (one.place, one.of, one.on, one.entries);
    longer.len() >= items.len()
        && longer.iter().zip(items).all(|(one, other)| said(one) == said(other))
}

/// What is known of when sign-offs on one proposal came.
pub(super) struct Timing<'a> {
    seats: BTreeSet<OrgId>,
    closings: Vec<&'a Entry>,
    voices: BTreeMap<OrgId, Voice>,
}

/// What a member acknowledged no later than a closing.
#[derive(Default)]
struct Voice {
    /// By whichever of its histories covers most.
    most: Cover,
    /// By each of its histories that acknowledges a closing.
    ended: Vec<Ended>,
}

/// What one history acknowledged no later than a closing.
struct Ended {
    cover: Cover,
    /// Feeds of which it names entries that are not here.
    unknown: BTreeSet<FeedId>,
}

/// Where a history of a member's feed stops to count.
struct Limit<'a> {
    dossier: &'a Dossier,
    closers: &'a BTreeSet<OrgId>,
    /// Closings by those, and entries of theirs that might be.
    closings: &'a [&'a Entry],
    unread: Vec<&'a Entry>,
}

impl<'a> Timing<'a> {
    /// Of a proposal with these closings, by organisations that may close it.
    pub(super) fn of(
        (charter, dossier): (&Charter, &'a Dossier),
        sayings: &Sayings<'_>,
        closers: &BTreeSet<OrgId>,
        closings: Vec<&'a Entry>,
    ) -> Self {
        let by_closer = |one: &&Entry| closers.contains(&one.by.org);
        let unread = dossier.kept().filter(by_closer);
        let unread = unread.filter(|one| one.kind == Kind::CLOSE && !is_readable(one)).collect();
        let limit = Limit { dossier, closers, closings: &closings, unread };
        let voices = sayings.0.iter().map(|(org, epochs)| (*org, Voice::of(&limit, epochs)));
        let voices = voices.collect();
        let seats = charter.seats().map(|member| member.org).collect();
        Self { seats, closings, voices }
    }

    /// Whether a sign-off is in time, as far as is known here.
    pub(super) fn is_in_time(&self, one: &Entry) -> bool {
        let most = |voice: &Voice| covers(&voice.most, one);
        let said = |voice: &Voice| Covered { entries: most(voice), has_closing: false };
        one.by.settled && one.by.seq < self.bounds(one, said).in_time
    }

    /// Whether an entry is not in time and never will be.
    pub(super) fn is_late(&self, one: &Entry) -> bool {
        let said = |voice: &Voice| {
            let ended = voice.told_all(&one.feed).map(|ended| covers(&ended.cover, one)).min();
            Covered { entries: ended.unwrap_or(0), has_closing: ended.is_some() }
        };
        self.bounds(one, said).shut.is_some_and(|shut| one.by.seq >= shut)
    }

    fn bounds(&self, one: &Entry, said: impl Fn(&Voice) -> Covered) -> Bounds {
        let shares = |closing: &&&Entry| {
            closing.histories.iter().any(|history| one.histories.contains(history))
        };
        let own = self.closings.iter().filter(|closing| closing.feed == one.feed);
        let own = own.filter(shares).map(|closing| closing.by.seq).min();
        self.of_others(&one.by.org, said, own)
    }

    fn of_others(
        &self,
        author: &OrgId,
        said: impl Fn(&Voice) -> Covered,
        own: Option<u64>,
    ) -> Bounds {
        let others: Vec<_> = self.seats.iter().filter(|org| *org != author).collect();
        let voices = others.iter().filter_map(|org| self.voices.get(*org));
        let said: Vec<Covered> = voices.map(said).collect();
        Bounds::of(others.len(), &said, own)
    }

    /// Whether no entry of a feed that is not here can come in time: too many have acknowledged a
    /// closing, and nothing before it that is not here. In a feed of its own a closing ends all.
    pub(super) fn is_shut(&self, (feed, author): (&FeedId, &OrgId)) -> bool {
        let said = |voice: &Voice| {
            let has_closing = voice.told_all(feed).next().is_some();
            Covered { entries: 0, has_closing }
        };
        let stands = |closing: &&&Entry| closing.feed == *feed && closing.by.branch().is_none();
        let own = self.closings.iter().find(stands).map(|closing| closing.by.seq);
        self.of_others(author, said, own).shut.is_some()
    }
}

/// How many entries of the histories of an entry are covered.
fn covers(cover: &Cover, one: &Entry) -> u64 {
    let of_history = |history: &History| cover.get(&(one.feed, *history)).copied();
    one.histories.iter().filter_map(of_history).max().unwrap_or(0)
}

impl Voice {
    /// The histories that acknowledge a closing, and nothing before of this feed that is not here.
    fn told_all(&self, feed: &FeedId) -> impl Iterator<Item = &Ended> {
        self.ended.iter().filter(move |ended| !ended.unknown.contains(feed))
    }

    fn of(limit: &Limit<'_>, epochs: &BTreeMap<u64, Vec<Saying<'_>>>) -> Self {
        let mut voice = Self::default();
        let mut unknown: BTreeSet<FeedId> = BTreeSet::new();
        for histories in epochs.values() {
            let (before, unknown_before) = (voice.most.clone(), unknown.clone());
            let mut all_end = true;
            let mut ended: Vec<Ended> = Vec::new();
            for saying in histories {
                let end = limit.of(saying);
                let is_heard = |one: &&&Acknowledged| end.is_none_or(|(end, _)| one.place.1 <= end);
                let mut own = Ended { cover: before.clone(), unknown: unknown_before.clone() };
                for one in saying.items.iter().filter(is_heard) {
                    match one.on {
                        Some(on) => raise(&mut own.cover, (one.of, on), one.entries),
                        None => _ = own.unknown.insert(one.of),
                    }
                }
                own.cover.iter().for_each(|(of, entries)| raise(&mut voice.most, *of, *entries));
                unknown.extend(own.unknown.iter().copied());
                all_end &= end.is_some();
                if end.is_some_and(|(_, is_closing)| is_closing) {
                    ended.push(own);
                }
            }
            if voice.ended.is_empty() {
                voice.ended = ended;
            }
            if all_end {
                break;
            }
        }
        voice
    }
}

fn raise(cover: &mut Cover, of: (FeedId, History), entries: u64) {
    let known = cover.entry(of).or_insert(0);
    *known = entries.max(*known);
}

impl Limit<'_> {
    /// At which place of its feed a history acknowledges a closing first, or what might be one; and
    /// whether it is a closing.
    fn of(&self, saying: &Saying<'_>) -> Option<(u64, bool)> {
        let own = |one: &&Entry| one.feed == saying.feed && one.histories.contains(&saying.history);
        let written =
            |entries: &[&Entry]| entries.iter().copied().filter(own).map(|one| one.by.seq).min();
        let said = |tells: &dyn Fn(&Acknowledged) -> bool| {
            saying.items.iter().filter(|one| tells(one)).map(|one| one.place.1).min()
        };
        let closing =
            said(&|one| names(self.closings, one)).into_iter().chain(written(self.closings));
        let closing = closing.min();
        let unread =
            said(&|one| self.is_unread(one)).into_iter().chain(written(&self.unread)).min();
        match (closing, unread) {
            (Some(closing), unread) if unread.is_none_or(|unread| closing <= unread) => {
                Some((closing, true))
            }
            (_, unread) => unread.map(|unread| (unread, false)),
        }
    }

    /// Whether an acknowledgement may cover a closing that is not known here.
    fn is_unread(&self, one: &Acknowledged) -> bool {
        let author = self.dossier.feeds.get(&one.of).map(|(author, _)| author);
        author.is_none_or(|author| self.closers.contains(author))
            && (one.on.is_none() || names(&self.unread, one))
    }
}

/// Whether an acknowledgement covers one of these entries.
fn names(entries: &[&Entry], one: &Acknowledged) -> bool {
    entries.iter().any(|entry| {
        let is_below = entry.feed == one.of && entry.by.seq < one.entries;
        is_below && one.on.is_some_and(|on| entry.histories.contains(&on))
    })
}

/// Whether it is known what an entry says: that it says too much is known too.
pub(super) const fn is_readable(one: &Entry) -> bool {
    matches!(one.content, Content::Here(_) | Content::Beyond)
}
