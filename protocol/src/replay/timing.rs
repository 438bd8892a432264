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
    /// By whichever covers least of those that acknowledge a closing, if one does.
    until_closing: Option<Cover>,
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
        let unread = dossier.entries.iter().filter(by_closer);
        let unread = unread.filter(|one| one.kind == Kind::CLOSE && !is_readable(one)).collect();
        let limit = Limit { dossier, closers, closings: &closings, unread };
        let voices = sayings.0.iter().map(|(org, epochs)| (*org, Voice::of(&limit, epochs)));
        let voices = voices.collect();
        let seats = charter.seats().map(|member| member.org).collect();
        Self { seats, closings, voices }
    }

    /// Whether a sign-off is in time, as far as is known here.
    pub(super) fn is_in_time(&self, one: &Entry) -> bool {
        let bounds = self.bounds(one, |voice| &voice.most);
        one.by.settled && one.by.seq < bounds.in_time
    }

    /// Whether an entry is not in time and never will be.
    pub(super) fn is_late(&self, one: &Entry) -> bool {
        let bounds = self.bounds(one, |voice| voice.until_closing.as_ref().unwrap_or(&voice.most));
        bounds.shut.is_some_and(|shut| one.by.seq >= shut)
    }

    fn bounds(&self, one: &Entry, cover: impl Fn(&Voice) -> &Cover) -> Bounds {
        let covered = |voice: &Voice| {
            let of_history =
                |history: &History| cover(voice).get(&(one.feed, *history)).copied().unwrap_or(0);
            let entries = one.histories.iter().map(of_history).max().unwrap_or(0);
            Covered { entries, has_closing: voice.until_closing.is_some() }
        };
        let shares = |closing: &&&Entry| {
            closing.histories.iter().any(|history| one.histories.contains(history))
        };
        let own = self.closings.iter().filter(|closing| closing.feed == one.feed);
        let own = own.filter(shares).map(|closing| closing.by.seq).min();
        let others: Vec<_> = self.others(&one.by.org).collect();
        let said: Vec<Covered> =
            others.iter().filter_map(|org| self.voices.get(*org)).map(covered).collect();
        Bounds::of(others.len(), &said, own)
    }

    fn others<'b>(&'b self, author: &'b OrgId) -> impl Iterator<Item = &'b OrgId> {
        self.seats.iter().filter(move |org| *org != author)
    }

    /// Whether no entry of a feed that is not here can come in time: too many have acknowledged a
    /// closing, and nothing before it that is not here. In a feed of its own a closing ends all.
    pub(super) fn is_shut(&self, (feed, author): (&FeedId, &OrgId)) -> bool {
        let says_all = |voice: &Voice| Covered {
            entries: 0,
            has_closing: voice.until_closing.is_some() && !voice.unknown.contains(feed),
        };
        let others: Vec<_> = self.others(author).collect();
        let said: Vec<Covered> =
            others.iter().filter_map(|org| self.voices.get(*org)).map(says_all).collect();
        let stands = |closing: &&&Entry| closing.feed == *feed && closing.by.branch().is_none();
        let own = self.closings.iter().find(stands).map(|closing| closing.by.seq);
        Bounds::of(others.len(), &said, own).shut.is_some()
    }
}

impl Voice {
    fn of(limit: &Limit<'_>, epochs: &BTreeMap<u64, Vec<Saying<'_>>>) -> Self {
        let mut voice = Self::default();
        for histories in epochs.values() {
            let before = voice.most.clone();
            let mut all_end = true;
            let mut ended: Vec<Cover> = Vec::new();
            for saying in histories {
                let end = limit.of(saying);
                let is_heard = |one: &&&Acknowledged| end.is_none_or(|(end, _)| one.place.1 <= end);
                let mut cover = before.clone();
                for one in saying.items.iter().filter(is_heard) {
                    match one.on {
                        Some(on) => raise(&mut cover, (one.of, on), one.entries),
                        None => _ = voice.unknown.insert(one.of),
                    }
                }
                cover.iter().for_each(|(of, entries)| raise(&mut voice.most, *of, *entries));
                all_end &= end.is_some();
                if end.is_some_and(|(_, is_closing)| is_closing) {
                    ended.push(cover);
                }
            }
            if voice.until_closing.is_none() {
                voice.until_closing = ended.into_iter().reduce(|one, other| least(&one, &other));
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

fn least(one: &Cover, other: &Cover) -> Cover {
    let both = one.iter().filter_map(|(of, entries)| Some((*of, *entries.min(other.get(of)?))));
    both.collect()
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
