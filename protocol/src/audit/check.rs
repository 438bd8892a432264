//! Stage 8 of 8: audit. From `feed::verify`; to whoever asked.
//!
//! First reading: founding files and cards, openings, runs in order, and the payloads beside them.
//! What continues no history is left to the second reading, which knows where branches leave.
//!
//! Invariants: nothing is believed that was not derived from the bytes; the fault of a file is
//! never laid at an author's door. Absent: no store, no engine, no clock.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    board::{Accusation, Boards, Feed},
    bundle::{LoosePayload, Record, Records, end_from_bytes},
    claims::Claims,
    cosigned::{Cosignatures, roots_before_checkpoints},
    finding::{Finding, span_of},
    payload::{Author, Due, Meaning, read_payload},
    second::SecondReading,
    summary::Report,
};
use crate::{
    charter::{Founding, Status},
    codec::{Fixed, Malformed},
    feed::{Header, Kind, Run, VerifiedEntry, VerifiedRun, verify_run},
    hash::{EntryId, FeedId},
    identity::SignedCard,
    time::TimeMs,
};

/// How far two clocks, or one before and after it was put right, may differ before it matters.
pub(super) const CLOCKS_DIFFER_MS: u64 = 15 * 60 * 1_000;
/// From which step forward a claimed time is worth a note: a year and a day.
const JUMP_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Kinds told of one feed, at most.
const KINDS_TOLD_MAX: usize = 64;
/// Places at which branches of one feed may leave, at most; no board has so many members.
const LEAVINGS_MAX: usize = 1_000;
/// What an observer may write.
const OBSERVER_KINDS: [Kind; 6] =
    [Kind::OPEN_FEED, Kind::ACK, Kind::EVIDENCE, Kind::CHECKPOINT, Kind::COSIGN, Kind::CARD];

/// Where a run leaves a history: the seq that it begins with, and the entry before.
pub(super) type Leaving = (u64, EntryId);

/// The first reading of a bundle.
#[derive(Debug, Default)]
pub struct Audit {
    pub(super) boards: Boards,
    pub(super) claims: Claims,
    cosigned: Cosignatures,
    /// Of the last run: the roots before its checkpoints.
    roots: BTreeMap<u64, Fixed<32>>,
    /// Runs that continue no first history, by where they begin.
    pub(super) leavings: BTreeMap<FeedId, Vec<Leaving>>,
    /// Feeds that nothing opens, or whose opening was refused: told once.
    refused: BTreeSet<FeedId>,
    records: u64,
    due: Option<Due>,
    /// The last run was left to the second reading, and its payloads with it.
    is_left: bool,
    is_ended: bool,
    /// That records follow the end is told once.
    is_told_after: bool,
    findings: Vec<Finding>,
}

impl Audit {
    /// An audit of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next record.
    #[must_use]
    pub fn take(&mut self, record: Record<'_>) -> Vec<Finding> {
        self.records = self.records.saturating_add(1);
        let number = self.records;
        self.boards.record = number;
        if self.is_ended {
            let is_first = !core::mem::replace(&mut self.is_told_after, true);
            return is_first.then_some(Finding::AfterEnd { record: number }).into_iter().collect();
        }
        if !matches!(record, Record::Payload(_)) {
            self.close_due();
        }
        match record {
            Record::Founding(body) => match Founding::from_bytes(body) {
                Ok(founding) => self.boards.found(founding),
                Err(why) => self.findings.push(Finding::NotFounded { record: number, why }),
            },
            Record::Card(body) => self.take_card(body),
            Record::Run(body) => match Run::from_bytes(body) {
                Ok(run) => self.take_run(run),
                Err(fault) => {
                    self.is_left = true;
                    self.unreadable(fault);
                }
            },
            Record::Payload(body) => match LoosePayload::from_bytes(body) {
                Ok(loose) => self.take_payload(&loose),
                Err(fault) => self.unreadable(fault),
            },
            Record::End(body) => self.take_end(body),
            Record::Newer { tag } => {
                self.findings.push(Finding::NewerRecord { record: number, tag });
            }
        }
        core::mem::take(&mut self.findings)
    }

    /// Ends the first reading; the same records are then given to the second.
    #[must_use]
    pub fn second_reading(mut self) -> (SecondReading, Vec<Finding>) {
        self.close_due();
        if !self.is_ended {
            self.findings.push(Finding::NoEnd { record: self.records });
        }
        self.findings.extend(self.boards.proven());
        let findings = core::mem::take(&mut self.findings);
        let second = SecondReading::new(self.boards, (self.claims, self.cosigned), self.leavings);
        (second, findings)
    }

    fn unreadable(&mut self, fault: Malformed) {
        self.findings.push(Finding::Unreadable { record: self.records, fault });
    }

    fn take_end(&mut self, body: &[u8]) {
        self.is_ended = true;
        let found = self.records.saturating_sub(1);
        match end_from_bytes(body) {
            Ok(said) if said == found => {}
            Ok(said) => self.findings.push(Finding::WrongCount { said, found }),
            Err(fault) => self.unreadable(fault),
        }
    }

    fn take_card(&mut self, body: &[u8]) {
        let record = self.records;
        let signed = match SignedCard::from_bytes(body) {
            Ok(signed) => signed,
            Err(why) => return self.findings.push(Finding::BadCard { record, why }),
        };
        let card = signed.card();
        let mut feeds = self.boards.feeds.values().map(|feed| feed.descriptor);
        if !feeds.any(|feed| feed.org == card.org && feed.key == card.feed_key) {
            self.findings.push(Finding::ForeignCard { record });
        }
    }

    fn take_run(&mut self, run: Run) {
        let record = self.records;
        self.is_left = false;
        if !self.boards.feeds.contains_key(&run.feed) {
            if self.refused.contains(&run.feed) {
                self.is_left = true;
                return;
            }
            match self.boards.open_with(&run) {
                Some(Ok(())) => {}
                Some(Err((org, why))) => {
                    let feed = run.feed;
                    let finding = Finding::OpeningRefused { record, feed, org, why };
                    self.is_left = true;
                    self.refused.insert(feed);
                    return self.findings.push(finding);
                }
                None => {
                    let (feed, from) = (run.feed, run.from);
                    self.is_left = true;
                    self.refused.insert(feed);
                    return self.findings.push(Finding::Outsider { record, feed, from });
                }
            }
        }
        let Some(feed) = self.boards.feeds.get_mut(&run.feed) else {
            return;
        };
        let is_next = run.from == feed.tip.size() && run.before == feed.tip.id();
        self.is_left = feed.is_broken || !is_next;
        if !self.is_left {
            return self.verify(run);
        }
        let leavings = self.leavings.entry(run.feed).or_default();
        let leaving = (run.from, run.before);
        if !leavings.contains(&leaving) && leavings.len() < LEAVINGS_MAX {
            leavings.push(leaving);
        }
    }

    /// Verifies the run that continues a first history.
    fn verify(&mut self, run: Run) {
        let (id, span) = (run.feed, span_of(&run));
        let Some(feed) = self.boards.feeds.get_mut(&id) else {
            return;
        };
        match verify_run(&feed.tip, &feed.descriptor, run) {
            Ok(run) => {
                self.roots = roots_before_checkpoints(&feed.tip, &run);
                feed.tip = run.tip().clone();
                feed.head = Some(*run.newest_head());
                self.due = Some(Due::after(feed.name.clone(), run.entries()));
                self.read_entries(id, &run);
            }
            Err(why) => {
                feed.is_broken = true;
                self.is_left = true;
                let of = feed.name.clone();
                self.findings.push(Finding::of_run(of, &span, why));
            }
        }
    }

    fn read_entries(&mut self, id: FeedId, run: &VerifiedRun) {
        for entry in run.entries() {
            if let Some(feed) = self.boards.feeds.get_mut(&id) {
                check_header(feed, entry, &mut self.findings);
            }
            if let Some(sealed) = &entry.sealed {
                self.read(id, &entry.header, sealed.payload.bytes());
            }
        }
    }

    /// Reads a payload that fits its header.
    fn read(&mut self, id: FeedId, header: &Header, payload: &[u8]) {
        let (seq, kind) = (header.seq, header.kind);
        let Some(feed) = self.boards.feeds.get(&id) else {
            return;
        };
        let of = feed.name.clone();
        let board = self.boards.foundings.get(&feed.descriptor.board);
        let member = board.and_then(|board| board.charter().member(&feed.descriptor.org));
        let witness_key = member.map(|member| &member.witness_key);
        let before = (seq, self.roots.get(&seq).copied());
        let author = Author { feed: &feed.descriptor, witness_key, before };
        match read_payload(kind, payload, &author) {
            Ok(Meaning::Opening(opening)) => {
                let founding = self.boards.foundings.get(&feed.descriptor.board);
                let checked = founding
                    .filter(|_| feed.descriptor.epoch == 0)
                    .map(|founding| super::board::check_opening(founding, None, id, &opening));
                if let Some(Err(why)) = checked {
                    self.findings.push(Finding::BadFirstOpening { of, why });
                }
            }
            Ok(Meaning::Ack(ack)) => {
                // Under a charter that is not here, it has no effect that we could know.
                if header.charter == feed.descriptor.board.as_charter() {
                    self.claims.take(id, seq, &ack);
                }
            }
            Ok(Meaning::Fork(proof)) => {
                let accusation = Accusation { index: proof.index(), by: of, seq };
                let accused = proof.descriptor().feed_id();
                self.findings.extend(self.boards.accuse(accused, accusation));
            }
            Ok(Meaning::Cosigned(given)) => self.cosigned.take(id, seq, &given),
            Ok(Meaning::Other) => {}
            Err(why) => self.findings.push(Finding::BadPayload { of, seq, kind, why }),
        }
    }

    fn take_payload(&mut self, loose: &LoosePayload) {
        if self.is_left {
            return;
        }
        let header = self.due.as_mut().and_then(|due| due.take(loose));
        let of = self.due.as_ref().map(|due| due.of().clone());
        let (Some(header), Some(of)) = (header, of) else {
            let (record, feed, seq) = (self.records, loose.feed, loose.seq);
            return self.findings.push(Finding::PayloadUnasked { record, feed, seq });
        };
        if loose.sealed.fits(&header) {
            self.read(loose.feed, &header, loose.sealed.payload.bytes());
        } else {
            self.findings.push(Finding::PayloadAltered { of, seq: loose.seq });
        }
    }

    fn close_due(&mut self) {
        if let Some(due) = self.due.take() {
            self.findings.extend(due.absent());
        }
    }
}

/// What a header shows by itself.
fn check_header(feed: &mut Feed, entry: &VerifiedEntry, findings: &mut Vec<Finding>) {
    let header = &entry.header;
    let (seq, kind, of) = (header.seq, header.kind, &feed.name);
    let is_observer = feed.status == Status::Observer && !OBSERVER_KINDS.contains(&kind);
    let is_newer = kind.name().is_none();
    if (is_observer || is_newer)
        && feed.told.kinds.len() < KINDS_TOLD_MAX
        && feed.told.kinds.insert(kind)
    {
        let of = of.clone();
        findings.push(match is_newer {
            true => Finding::NewerKind { of, seq, kind },
            false => Finding::NotForObservers { of, seq, kind },
        });
    }
    if header.charter != feed.descriptor.board.as_charter() && !feed.told.charter {
        feed.told.charter = true;
        let (of, charter) = (of.clone(), header.charter);
        findings.push(Finding::OtherCharter { of, seq, charter });
    }
    check_clock(feed, (seq, header.t), findings);
}

fn check_clock(feed: &mut Feed, (seq, after): (u64, TimeMs), findings: &mut Vec<Finding>) {
    let (first, before) = feed.claimed.unwrap_or((after, after));
    feed.claimed = Some((first, after));
    let latest = feed.latest.max(after);
    feed.latest = latest;
    if latest.ms_since(after) > CLOCKS_DIFFER_MS {
        if !feed.told.back_dated {
            feed.told.back_dated = true;
            findings.push(Finding::BackDated { of: feed.name.clone(), seq, latest, after });
        }
    } else if after < before && !feed.told.clock_back {
        feed.told.clock_back = true;
        findings.push(Finding::ClockBack { of: feed.name.clone(), seq, before, after });
    }
    if after.ms_since(before) > JUMP_MS && !feed.told.clock_jump {
        feed.told.clock_jump = true;
        findings.push(Finding::ClockJump { of: feed.name.clone(), seq, before, after });
    }
}

/// Audits a bundle that is in memory.
#[must_use]
pub fn audit_bundle(bytes: &[u8]) -> Report {
    let mut findings = Vec::new();
    let records = match Records::new(bytes) {
        Ok(records) => records,
        Err(fault) => {
            findings.push(Finding::Damaged { record: 0, fault });
            return Report::new(findings, Default::default());
        }
    };
    let mut first = Audit::new();
    for record in records.clone() {
        match record {
            Ok(record) => findings.extend(first.take(record)),
            Err(fault) => findings.push(Finding::Damaged { record: first.records, fault }),
        }
    }
    let (mut second, rest) = first.second_reading();
    findings.extend(rest);
    for record in records.flatten() {
        findings.extend(second.take(record));
    }
    let (rest, summary) = second.finish();
    findings.extend(rest);
    Report::new(findings, summary)
}
