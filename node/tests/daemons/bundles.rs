//! A bundle taken apart, and put together again otherwise.
//!
//! ```text
//! bytes ──▶ Bundle: board, pieces ──▶ bytes         framing, lengths and the count at the end are right again
//!             └─▶ Feed: headers, payloads, heads    signed anew by whoever has a key
//! ```

use std::collections::BTreeSet;

use concordat_protocol::{
    audit::bundle::{LoosePayload, Record, Records, Writer},
    charter::Founding,
    checkpoint::{Checkpoint, Origin, SignedCheckpoint},
    codec::Fixed,
    feed::{
        Body, CompactEntry, Descriptor, Header, Kind, OpenFeed, Run, Salted, Sealed, SignedHead,
        Tip, verify_run,
    },
    hash::{EntryId, FeedId, Tag},
    identity::{KeyPair, SignedCard},
};

/// A record but for the end.
#[derive(Clone)]
pub(crate) enum Piece {
    Founding(Box<Founding>),
    Card(SignedCard),
    Run(Run),
    Payload(LoosePayload),
}

/// A bundle of one board.
#[derive(Clone)]
pub(crate) struct Bundle {
    pub(crate) pieces: Vec<Piece>,
}

impl Bundle {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let piece = |record| match record {
            Record::Founding(body) => {
                Some(Piece::Founding(Box::new(Founding::from_bytes(body).unwrap())))
            }
            Record::Card(body) => Some(Piece::Card(SignedCard::from_bytes(body).unwrap())),
            Record::Run(body) => Some(Piece::Run(Run::from_bytes(body).unwrap())),
            Record::Payload(body) => Some(Piece::Payload(LoosePayload::from_bytes(body).unwrap())),
            Record::End(_) => None,
            Record::Newer { tag } => panic!("tag {tag}"),
        };
        let records = Records::new(bytes).unwrap();
        Self { pieces: records.filter_map(|record| piece(record.unwrap())).collect() }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (mut writer, magic) = Writer::new();
        let mut bytes = magic.to_vec();
        for piece in &self.pieces {
            bytes.extend(match piece {
                Piece::Founding(founding) => writer.founding(founding),
                Piece::Card(card) => writer.card(card),
                Piece::Run(run) => writer.run(run),
                Piece::Payload(payload) => writer.payload(payload),
            });
        }
        bytes.extend(writer.end());
        bytes
    }

    pub(crate) fn founding(&self) -> &Founding {
        let mut all = self.pieces.iter();
        all.find_map(|piece| match piece {
            Piece::Founding(founding) => Some(founding),
            Piece::Card(_) | Piece::Run(_) | Piece::Payload(_) => None,
        })
        .unwrap()
    }

    pub(crate) fn run(&mut self, at: usize) -> &mut Run {
        let Piece::Run(run) = &mut self.pieces[at] else { panic!("no run") };
        run
    }

    /// The same with these pieces in the place of one.
    pub(crate) fn with(&self, at: usize, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut other = self.clone();
        other.pieces.splice(at..=at, pieces);
        other
    }

    /// The same with a piece in another state.
    pub(crate) fn changed(&self, at: usize, change: impl FnOnce(&mut Run)) -> Self {
        let mut other = self.clone();
        change(other.run(at));
        other
    }

    /// Every feed with its short name, all of each in one run.
    pub(crate) fn feeds(&self) -> Vec<Feed> {
        let mut feeds: Vec<Feed> = vec![];
        for (at, piece) in self.pieces.iter().enumerate() {
            let Piece::Run(run) = piece else { continue };
            if feeds.iter().all(|feed| feed.id() != run.feed) {
                feeds.push(Feed::of(self.founding(), run.clone(), at));
            }
        }
        feeds
    }
}

/// One feed, as its author wrote it.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) slug: String,
    pub(crate) descriptor: Descriptor,
    /// Which piece of the bundle it is.
    pub(crate) at: usize,
    pub(crate) entries: Vec<(Header, Sealed)>,
    pub(crate) heads: Vec<SignedHead>,
}

impl Feed {
    fn of(founding: &Founding, run: Run, at: usize) -> Self {
        let Body::Carried(opening) = &run.entries[0].body else { panic!("no opening") };
        let OpenFeed { descriptor, .. } = OpenFeed::from_bytes(opening.payload.bytes()).unwrap();
        let heads = run.heads.clone();
        let run = verify_run(&Tip::empty(run.feed), &descriptor, run).unwrap();
        let entries = run.entries().iter();
        let entries = entries.map(|entry| (entry.header.clone(), entry.sealed.clone().unwrap()));
        let slug = founding.charter().member(&descriptor.org).unwrap().slug.to_string();
        Self { slug, descriptor, at, entries: entries.collect(), heads }
    }

    pub(crate) fn id(&self) -> FeedId {
        self.descriptor.feed_id()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.descriptor.epoch
    }

    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }

    /// The sizes at which heads are, below the last.
    pub(crate) fn head_sizes(&self) -> Vec<usize> {
        let sizes = self.heads.iter().map(|signed| usize::try_from(signed.head.size).unwrap());
        sizes.filter(|size| *size < self.size()).collect()
    }

    /// The entries of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Vec<usize> {
        (0..self.size()).filter(|at| self.entries[*at].0.kind == kind).collect()
    }

    /// The payload of an entry, by itself.
    pub(crate) fn loose(&self, at: usize) -> LoosePayload {
        let (header, sealed) = self.entries[at].clone();
        let id = Header::id_of(&header.to_bytes());
        LoosePayload { feed: self.id(), seq: at as u64, id, sealed }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Run {
        self.part(0, self.size())
    }

    /// The run of the entries from one up to a size with a head.
    pub(crate) fn part(&self, from: usize, end: usize) -> Run {
        let within = |size: u64| size > from as u64 && size <= end as u64;
        let before = match from {
            0 => EntryId::NONE,
            from => Header::id_of(&self.entries[from - 1].0.to_bytes()),
        };
        let compact = |(header, sealed): &(Header, Sealed)| {
            CompactEntry::of(header.clone(), Some(sealed.clone()))
        };
        Run {
            feed: self.id(),
            from: from as u64,
            before,
            entries: self.entries[from..end].iter().map(compact).collect(),
            heads: self.heads.iter().filter(|one| within(one.head.size)).copied().collect(),
        }
    }

    /// The same, cut at every head.
    pub(crate) fn parts(&self) -> Vec<Run> {
        let ends = [self.head_sizes(), vec![self.size()]].concat();
        let from = [vec![0], self.head_sizes()].concat();
        from.into_iter().zip(ends).map(|(from, end)| self.part(from, end)).collect()
    }

    /// Another entry, of nothing but this, a second after the last.
    pub(crate) fn append(&mut self, sealed: Sealed) {
        let (mut header, _) = self.entries.last().unwrap().clone();
        (header.kind, header.artefact, header.refs) = (Kind::NOTE, None, vec![]);
        header.t.0 += 1_000;
        self.entries.push((header, sealed));
    }

    /// All of it, in its order now, under heads by this key: at the same sizes, where they must be, and last. Its
    /// checkpoints are of these entries then.
    pub(crate) fn signed_by(&self, key: &KeyPair) -> Self {
        let sizes: BTreeSet<u64> = self.heads.iter().map(|signed| signed.head.size).collect();
        let end = self.size() as u64;
        let mut tip = Tip::empty(self.id());
        let mut anew = Self { entries: vec![], heads: vec![], ..self.clone() };
        for (header, sealed) in &self.entries {
            let sealed = match header.kind {
                Kind::CHECKPOINT => checkpointed(&self.descriptor, &tip, (sealed, key)),
                _ => sealed.clone(),
            };
            let header = Header {
                feed: self.id(),
                seq: tip.size(),
                prev: tip.id(),
                payload_hash: sealed.payload.hash(Tag::Payload),
                payload_len: sealed.payload.bytes().len() as u64,
                attribution_hash: sealed.attribution.as_ref().map(|one| one.hash(Tag::Attribution)),
                ..header.clone()
            };
            tip.replay(&header.to_bytes()).unwrap();
            anew.entries.push((header, sealed));
            if tip.is_mandatory() || sizes.contains(&tip.size()) || tip.size() == end {
                anew.heads.push(tip.head().sign(key));
            }
        }
        anew
    }
}

/// The checkpoint of the entries before it: as it is, if it is theirs.
fn checkpointed(feed: &Descriptor, before: &Tip, (old, key): (&Sealed, &KeyPair)) -> Sealed {
    let origin = Origin::of(feed);
    let checkpoint = Checkpoint { origin, size: before.size(), root: before.root() };
    let known = SignedCheckpoint::from_bytes(old.payload.bytes(), (&origin, &feed.key), &[]).ok();
    if known.is_some_and(|known| *known.checkpoint() == checkpoint) {
        return old.clone();
    }
    let payload = Salted::new(Fixed([7; 16]), checkpoint.sign(key).to_bytes());
    Sealed { payload, attribution: None }
}
