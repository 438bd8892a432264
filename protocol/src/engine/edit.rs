//! Stage 1 of 8: edit. From `artefact::edit`; to `feed::entry`.
//!
//! Drafts wait while entries of ours are on their way to disk, and are then signed together: one
//! run, one head signature, one commit. What we sign passes the same verification as what we
//! receive.

use alloc::vec::Vec;

use super::{Engine, Refused, Step, Ticket, card::untold, cosign, io::Effect, record::ToldRow};
use crate::{
    charter::Status,
    codec::Fixed,
    feed::{CompactEntry, Draft, Header, Kind, OpenFeed, Run, Salted, Sealed, Tip, verify_run},
    hash::{BoardId, CharterHash, Tag},
    limits::{ATTRIBUTION_BYTES_MAX, PAYLOAD_BYTES_MAX, REFS_MAX, RUN_BYTES_MAX, RUN_HEADERS_MAX},
    payload::Open,
    time::TimeMs,
};

/// Drafts of staff that may wait to be signed.
const DRAFTS_MAX: usize = 10_000;
/// Payload bytes that are signed in one run, unless a single one is longer.
const RUN_PAYLOAD_BYTES_MAX: usize = RUN_BYTES_MAX / 2;

/// Kinds that the engine writes by itself.
const FOR_ENGINE: &[Kind] =
    &[Kind::OPEN_FEED, Kind::ACK, Kind::EVIDENCE, Kind::CARD, Kind::CHECKPOINT, Kind::COSIGN];

impl Engine {
    /// Takes a draft of the staff, or refuses it.
    pub(super) fn write(
        &mut self,
        step: &mut Step<'_>,
        ticket: Ticket,
        board: BoardId,
        draft: Draft,
    ) {
        match self.expect_allowed(step, &board, &draft) {
            Ok(()) => {
                if let Some(board) = self.boards.get_mut(&board) {
                    board.drafts.push_back((Some(ticket), draft));
                }
            }
            Err(why) => step.effects.push(Effect::Refused { ticket, why }),
        }
    }

    fn expect_allowed(&self, step: &Step<'_>, id: &BoardId, draft: &Draft) -> Result<(), Refused> {
        let board = self.boards.get(id).ok_or(Refused::UnknownBoard { board: *id })?;
        let status = board.status(&self.me.org);
        if status != Some(Status::Active) {
            return Err(Refused::Observer);
        }
        if FOR_ENGINE.contains(&draft.kind) {
            return Err(Refused::NotForStaff { kind: draft.kind });
        }
        self.expect_in_audience(step, id, draft)?;
        if draft.refs.len() > REFS_MAX {
            return Err(Refused::TooManyRefs { count: draft.refs.len() });
        }
        for (len, max) in [
            (draft.payload.len(), PAYLOAD_BYTES_MAX),
            (draft.attribution.as_ref().map_or(0, Vec::len), ATTRIBUTION_BYTES_MAX),
        ] {
            if len > max {
                return Err(Refused::TooLong { len, max });
            }
        }
        let own = board.feeds.get(&board.own);
        if let Some(index) = own.and_then(|feed| feed.fork_index()) {
            return Err(Refused::Forked { index });
        }
        if let Some(own) = own.filter(|feed| feed.is_limited()) {
            return Err(Refused::Replaced { epoch: own.descriptor.epoch });
        }
        match board.drafts.len() {
            waiting if waiting >= DRAFTS_MAX => Err(Refused::Waiting { waiting }),
            _ => Ok(()),
        }
    }

    /// An artefact is opened before anything is written about it, and by those in its audience.
    fn expect_in_audience(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        draft: &Draft,
    ) -> Result<(), Refused> {
        if draft.kind == Kind::OPEN {
            let made = Open::from_bytes(&draft.payload);
            let made = made.map(|open| open.artefact_id(board, &self.me.org));
            return match made {
                Ok(made) if draft.artefact != Some(made) => Err(Refused::OtherArtefact { made }),
                Ok(_) | Err(_) => Ok(()),
            };
        }
        let Some(artefact) = draft.artefact else { return Ok(()) };
        let opened = self.boards.get(board).is_some_and(|board| {
            let waiting = board.drafts.iter().map(|(_, draft)| draft);
            waiting
                .into_iter()
                .any(|draft| draft.kind == Kind::OPEN && draft.artefact == Some(artefact))
        });
        let record = self.artefact(step, board, &artefact);
        let includes = record.and_then(|record| record.includes(&self.me.org));
        match opened || includes == Some(true) {
            true => Ok(()),
            false => Err(Refused::NotInAudience { artefact }),
        }
    }

    /// Signs the drafts that wait, on every board where we may sign now.
    pub(super) fn sign_drafts(&mut self, step: &mut Step<'_>) {
        if self.pending.is_signing() {
            return;
        }
        let boards: Vec<BoardId> = self.boards.keys().copied().collect();
        for id in boards {
            while let Some(drafts) = self.take_drafts(&id) {
                if !self.sign(step, &id, drafts) {
                    break;
                }
            }
        }
    }

    /// The drafts for one run; `None` when there are none, or when we may not sign.
    fn take_drafts(&mut self, id: &BoardId) -> Option<Vec<(Option<Ticket>, Draft)>> {
        let org = self.me.org;
        let board = self.boards.get_mut(id)?;
        let feed = board.feeds.get(&board.own)?;
        let is_ours = feed.descriptor.key == self.me.signer.public();
        let is_free = !feed.is_limited() && feed.asking.is_none();
        let may_sign = board.restoring.is_none() && is_ours && is_free;
        let opens = feed.trunk.tip.size() == 0;
        if !may_sign {
            return None;
        }
        let untold = untold(&self.me.card, board);
        let has_work = opens || untold.is_some() || !board.drafts.is_empty();
        if !has_work || board.status(&org).is_none() {
            return None;
        }
        let mut drafts = Vec::new();
        let (mut bytes, mut checkpoints) = (0_usize, 0_usize);
        if opens {
            let opening = self.me.openings.get(id).filter(|o| o.descriptor == feed.descriptor);
            let opening = opening.cloned().unwrap_or(OpenFeed::first(feed.descriptor));
            drafts.push((None, Draft::of(Kind::OPEN_FEED, opening.to_bytes())));
        }
        drafts.extend(untold.map(|card| (None, card)));
        // A checkpoint may follow the last.
        while drafts.len().saturating_add(checkpoints).saturating_add(1) < RUN_HEADERS_MAX {
            let Some((_, next)) = board.drafts.front() else {
                break;
            };
            let is_checkpointed = cosign::calls_for_checkpoint(next.kind);
            let more = if is_checkpointed { cosign::CHECKPOINT_BYTES } else { 0 };
            bytes = bytes.saturating_add(next.payload.len()).saturating_add(more);
            if bytes > RUN_PAYLOAD_BYTES_MAX && !drafts.is_empty() {
                break;
            }
            checkpoints = checkpoints.saturating_add(is_checkpointed.into());
            drafts.extend(board.drafts.pop_front());
        }
        Some(drafts)
    }

    /// Signs drafts as one run and appends it, verified like any other. Says whether that worked.
    fn sign(
        &mut self,
        step: &mut Step<'_>,
        id: &BoardId,
        drafts: Vec<(Option<Ticket>, Draft)>,
    ) -> bool {
        let Some(board) = self.boards.get(id) else { return false };
        let Some(feed) = board.feeds.get(&board.own) else { return false };
        let (own, descriptor, tip) = (board.own, feed.descriptor, feed.trunk.tip.clone());
        let mut signing = Signing::new(id.as_charter(), &tip, step.now);
        let mut tickets = Vec::new();
        let signer = self.me.signer.as_ref();
        let tells = drafts.iter().any(|(_, draft)| draft.kind == Kind::CARD);
        for (ticket, draft) in drafts {
            let is_checkpointed = cosign::calls_for_checkpoint(draft.kind);
            let sealed = seal(&draft, || step.salt());
            tickets.push((ticket, signing.add(signer, draft, sealed)));
            if is_checkpointed {
                let draft = cosign::checkpoint_of(&signing.tip.head(), &descriptor, signer);
                let sealed = seal(&draft, || step.salt());
                tickets.push((None, signing.add(signer, draft, sealed)));
            }
        }
        let run = signing.finish(signer);
        let run = match verify_run(&tip, &descriptor, run) {
            Ok(run) => run,
            Err(why) => {
                // Nothing is stored and nobody was told; whoever waits for an answer gets one.
                for ticket in tickets.into_iter().filter_map(|(ticket, _)| ticket) {
                    let why = Refused::NotSigned { why: why.clone() };
                    step.effects.push(Effect::Refused { ticket, why });
                }
                return false;
            }
        };
        for (entry, (ticket, seq)) in run.entries().iter().zip(tickets) {
            let written = ticket.map(|ticket| Effect::Written { ticket, id: entry.id, seq });
            self.pending.consequences().answers.extend(written);
        }
        if tells {
            self.note_told(id, ToldRow::of(self.me.card.card()));
        }
        self.pending.note_signed();
        self.append(step, (*id, own, 0), &run);
        true
    }
}

fn seal(draft: &Draft, mut salt: impl FnMut() -> Fixed<16>) -> Sealed {
    let payload = Salted::new(salt(), draft.payload.clone());
    let attribution = draft.attribution.clone().map(|bytes| Salted::new(salt(), bytes));
    Sealed { payload, attribution }
}

/// A run of our own in the making.
struct Signing {
    charter: CharterHash,
    now: TimeMs,
    tip: Tip,
    run: Run,
}

impl Signing {
    fn new(charter: CharterHash, tip: &Tip, now: TimeMs) -> Self {
        let run = Run {
            feed: tip.feed(),
            from: tip.size(),
            before: tip.id(),
            entries: Vec::new(),
            heads: Vec::new(),
        };
        Self { charter, now, tip: tip.clone(), run }
    }

    /// Adds one entry and signs the head if one is mandatory after it. Gives its seq.
    fn add(&mut self, signer: &dyn crate::identity::Signer, draft: Draft, sealed: Sealed) -> u64 {
        let seq = self.tip.size();
        let header = Header {
            feed: self.tip.feed(),
            seq,
            prev: self.tip.id(),
            charter: self.charter,
            t: self.now,
            kind: draft.kind,
            artefact: draft.artefact,
            refs: draft.refs,
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: sealed
                .attribution
                .as_ref()
                .map(|salted| salted.hash(Tag::Attribution)),
        };
        self.tip.push(&header);
        self.run.entries.push(CompactEntry::of(header, Some(sealed)));
        if self.tip.is_mandatory() {
            self.run.heads.push(self.tip.head().sign(signer));
        }
        seq
    }

    /// Signs the newest head, unless it was signed as mandatory.
    fn finish(mut self, signer: &dyn crate::identity::Signer) -> Run {
        if !self.tip.is_mandatory() {
            self.run.heads.push(self.tip.head().sign(signer));
        }
        self.run
    }
}
