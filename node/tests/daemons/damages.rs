//! What anybody who passes a bundle on may do to it, and what must be found then.
//!
//! No key is needed for any of this. Records are framed rightly, so that only what they hold gives it away,
//! but where the framing itself is damaged.

use std::thread;

use concordat_protocol::{
    audit::bundle::MAGIC,
    feed::{Body, CompactEntry, Kind, Salted},
};
use serde_json::Value;

use crate::{
    bundles::{Bundle, Feed, Piece},
    verifiers::{audited, list},
};

/// Where something must be found.
pub(crate) enum Place {
    /// An entry of a feed; the finding may span more.
    Entry(Feed, u64),
    /// A record.
    Record(usize),
    /// A run that may be readable still: its record, or some entry of its feed.
    Run(usize, Feed),
}

/// What must be found.
pub(crate) struct Expected {
    /// Any of these.
    pub(crate) codes: &'static [&'static str],
    pub(crate) place: Place,
    pub(crate) exit_code: u64,
}

impl Expected {
    pub(crate) fn at(codes: &'static [&'static str], feed: &Feed, seq: usize) -> Self {
        Self { codes, place: Place::Entry(feed.clone(), seq as u64), exit_code: 2 }
    }

    pub(crate) fn in_record(codes: &'static [&'static str], record: usize) -> Self {
        Self { codes, place: Place::Record(record), exit_code: 2 }
    }

    pub(crate) fn is_met_by(&self, finding: &Value) -> bool {
        let is_record = |record: usize| finding["record"] == record;
        let is_of = |feed: &Feed| {
            let is_named = finding["slug"] == *feed.slug && finding["epoch"] == feed.epoch();
            finding["feed"] == feed.id().to_string() && (is_named || finding["slug"].is_null())
        };
        let spans = |seq: u64| {
            let first = finding["seq"].as_u64();
            let last = finding["last_seq"].as_u64().or(first);
            first.is_some_and(|first| first <= seq) && last.is_some_and(|last| seq <= last)
        };
        let is_place = match &self.place {
            Place::Entry(feed, seq) => is_of(feed) && spans(*seq),
            Place::Record(record) => is_record(*record),
            Place::Run(record, feed) => is_record(*record) || is_of(feed),
        };
        is_place && self.codes.iter().any(|code| finding["code"] == *code)
    }
}

/// Damaged bundles, and what must be found in each.
#[derive(Default)]
pub(crate) struct Damages(pub(crate) Vec<(String, Vec<u8>, Expected)>);

impl Damages {
    pub(crate) fn add(&mut self, what: String, bytes: Vec<u8>, expected: Expected) {
        self.0.push((what, bytes, expected));
    }

    /// Gives all to both verifiers, two at a time; those that were not found as they should be.
    pub(crate) fn missed(&self) -> Vec<String> {
        let look = |(what, bytes, expected): &(String, Vec<u8>, Expected)| {
            let report = audited(bytes);
            let is_found = list(&report, "findings").iter().any(|one| expected.is_met_by(one));
            let is_met = is_found && report["exit_code"] == expected.exit_code;
            (!is_met).then(|| format!("{what}: {report}"))
        };
        let (one, other) = self.0.split_at(self.0.len() / 2);
        thread::scope(|scope| {
            let other = scope.spawn(|| other.iter().filter_map(look).collect());
            let missed: Vec<String> = one.iter().filter_map(look).collect();
            [missed, other.join().unwrap()].concat()
        })
    }
}

/// Places in a feed: the first after its opening, the middle, the last.
pub(crate) fn places(feed: &Feed) -> [usize; 3] {
    [1, feed.size() / 2, feed.size() - 1]
}

/// Bytes of every record: the length, the tag, the first and last of the body, and some between.
pub(crate) fn bytes_changed(whole: &[u8], bundle: &Bundle, feeds: &[Feed], damages: &mut Damages) {
    let changed = |at: usize| {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    for at in [0, MAGIC.len() - 1] {
        let expected = Expected::in_record(&["Damaged"], 0);
        damages.add(format!("byte {at} changed"), changed(at), expected);
    }
    let mut at = MAGIC.len();
    for (number, piece) in (1..).zip(&bundle.pieces) {
        let len = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        let expected = || match (piece, feeds.iter().find(|feed| feed.at + 1 == number)) {
            (Piece::Founding(_), _) => Expected::in_record(&["NotFounded"], number),
            (Piece::Card(_), _) => Expected::in_record(&["BadCard"], number),
            (Piece::Run(_), Some(feed)) => Expected {
                codes: &[
                    "Unreadable",
                    "BrokenRun",
                    "Gap",
                    "Unplaced",
                    "Outsider",
                    "OpeningRefused",
                ],
                place: Place::Run(number, feed.clone()),
                exit_code: 2,
            },
            (Piece::Run(_) | Piece::Payload(_), _) => panic!("nothing has this to say here"),
        };
        for within in [5, 5 + len / 3, 5 + len / 2, 4 + len - 1] {
            let what = format!("byte {within} of record {number} changed");
            damages.add(what, changed(at + within), expected());
        }
        let mut longer = whole.to_vec();
        longer[at] = 1;
        let what = format!("length of record {number} changed");
        damages.add(what, longer, Expected::in_record(&["Damaged"], number - 1));
        at += 4 + len;
    }
}

/// The file ends early: after a record, within one, and right before its end.
pub(crate) fn file_cut(whole: &[u8], bundle: &Bundle, damages: &mut Damages) {
    let records = bundle.pieces.len();
    for (len, code, record) in [
        (whole.len() - 7, &["NoEnd"], records),
        (whole.len() - 1, &["Damaged"], records),
        (MAGIC.len() + 2, &["Damaged"], 0),
    ] {
        let expected = Expected::in_record(code, record);
        damages.add(format!("cut after {len} bytes"), whole[..len].to_vec(), expected);
    }
}

/// The time or the payload of an entry is another.
pub(crate) fn entries_changed(bundle: &Bundle, feed: &Feed, damages: &mut Damages) {
    for at in places(feed) {
        let expected = || Expected::at(&["BrokenRun"], feed, at);
        let later = bundle.changed(feed.at, |run| run.entries[at].t.0 += 1);
        damages.add(format!("time of {at} changed"), later.to_bytes(), expected());
        let other = bundle.changed(feed.at, |run| {
            let mut sealed = feed.entries[at].1.clone();
            let mut bytes = sealed.payload.bytes().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            sealed.payload = Salted::new(sealed.payload.salt(), bytes);
            run.entries[at].body = Body::Carried(sealed);
        });
        damages.add(format!("payload of {at} changed"), other.to_bytes(), expected());
    }
}

/// An entry is gone, alone, with the heads that would tell, or with all that stands under one head.
pub(crate) fn entries_removed(bundle: &Bundle, feed: &Feed, damages: &mut Damages) {
    for at in places(feed) {
        let what = format!("entry {at} of {} removed", feed.slug);
        let alone = bundle.changed(feed.at, |run| drop(run.entries.remove(at)));
        damages.add(what.clone(), alone.to_bytes(), Expected::at(&["BrokenRun"], feed, at));
    }
    let middle = feed.size() / 2;
    let with_heads = bundle.changed(feed.at, |run| {
        run.entries.remove(middle);
        run.heads.retain(|signed| signed.head.size <= middle as u64);
    });
    let what = format!("entry {middle} of {} removed with the heads after it", feed.slug);
    let codes: &[&str] = &["BrokenRun", "Unreadable"];
    let expected = Expected { codes, place: Place::Run(feed.at + 1, feed.clone()), exit_code: 2 };
    damages.add(what, with_heads.to_bytes(), expected);
    let parts = feed.parts();
    for without in 1..parts.len().min(4) - 1 {
        let mut left = parts.clone();
        let removed = left.remove(without);
        let bytes = bundle.with(feed.at, left.into_iter().map(Piece::Run)).to_bytes();
        let at = usize::try_from(removed.from).unwrap();
        let what = format!("run from {at} of {} removed", feed.slug);
        damages.add(what, bytes, Expected::at(&["Gap"], feed, at));
    }
}

/// Entries change places, one is there twice, and whole runs change places.
pub(crate) fn entries_moved(bundle: &Bundle, feed: &Feed, damages: &mut Damages) {
    for at in [1, feed.size() / 2, feed.size() - 2] {
        let swapped = bundle.changed(feed.at, |run| run.entries.swap(at, at + 1));
        let what = format!("entries {at} and the next of {} swapped", feed.slug);
        damages.add(what, swapped.to_bytes(), Expected::at(&["BrokenRun"], feed, at));
        let twice = bundle.changed(feed.at, |run| run.entries.insert(at, run.entries[at].clone()));
        let what = format!("entry {at} of {} twice", feed.slug);
        damages.add(what, twice.to_bytes(), Expected::at(&["BrokenRun"], feed, at + 1));
    }
    let mut parts = feed.parts();
    let last = parts.len() - 1;
    parts.swap(last - 1, last);
    let at = usize::try_from(parts[last].from).unwrap();
    let bytes = bundle.with(feed.at, parts.into_iter().map(Piece::Run)).to_bytes();
    let (what, codes): (_, &[&str]) = (format!("last runs of {} swapped", feed.slug), &["Gap"]);
    // Without its first run a later epoch is not opened.
    let expected = match at {
        0 => Expected::in_record(&["Outsider"], feed.at + 1),
        at => Expected::at(codes, feed, at),
    };
    damages.add(what, bytes, expected);
}

/// The end of a feed is cut off at a head, and others acknowledged more.
pub(crate) fn tails_cut(bundle: &Bundle, feed: &Feed, damages: &mut Damages) {
    let sizes = feed.head_sizes();
    for end in [sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]] {
        let bytes = bundle.with(feed.at, [Piece::Run(feed.part(0, end))]).to_bytes();
        let what = format!("{} cut after {end} entries", feed.slug);
        damages.add(what, bytes, Expected::at(&["EndsEarly"], feed, end));
    }
}

/// A payload is gone, of every kind that the feed has; another stands in its place.
pub(crate) fn payloads_removed(bundle: &Bundle, feed: &Feed, damages: &mut Damages) {
    for kind in Kind::ALL {
        // A later epoch is opened by what it says.
        let of_kind = feed.of_kind(*kind);
        let Some(at) = of_kind.first().copied().filter(|at| *at > 0 || feed.epoch() == 0) else {
            continue;
        };
        let mut run = feed.whole();
        run.entries[at] = CompactEntry::of(feed.entries[at].0.clone(), None);
        let bytes = bundle.with(feed.at, [Piece::Run(run.clone())]).to_bytes();
        let what = format!("payload of {at} of {} ({kind}) removed", feed.slug);
        let (codes, exit_code): (&[&str], _) = match kind.is_withheld() {
            true => (&["PayloadWithheld"], 0),
            false => (&["PayloadAbsent"], 2),
        };
        damages.add(what, bytes, Expected { exit_code, ..Expected::at(codes, feed, at) });

        let mut other = feed.loose(at);
        other.sealed = feed.entries[feed.size() - 1].1.clone();
        if at + 1 < feed.size() {
            let pieces = [Piece::Run(run), Piece::Payload(other)];
            let bytes = bundle.with(feed.at, pieces).to_bytes();
            let what = format!("payload of {at} of {} ({kind}) exchanged", feed.slug);
            damages.add(what, bytes, Expected::at(&["PayloadAltered"], feed, at));
        }
    }
}
