//! Excerpts of bundles, and proofs of entries by checkpoints.

use alloc::string::String;

use super::{listing::holdings, *};
use crate::{
    checkpoint::{Checkpoint, Cosigned, CosignedList, Cosigner, Origin, Policy, TlogProof},
    hash::ArtefactId,
    payload::{Audience, Event, Open},
    value::Value,
};

/// The artefact that the first organisation opens with this nonce.
fn opened(nonce: u8) -> (ArtefactId, Vec<u8>) {
    let (nonce, audience) = (Fixed([nonce; 16]), Audience::Everyone);
    let open = Open { nonce, kind: "decision".into(), schema_version: 1, audience };
    (open.artefact_id(&founding().board(), &fixture::org(1)), open.to_bytes())
}

pub(super) fn ours() -> ArtefactId {
    opened(3).0
}

impl Pen {
    /// The same about an artefact.
    fn write_about(&mut self, artefact: ArtefactId, kind: Kind, payload: &[u8]) {
        self.clock += 1_000;
        let salted = |bytes: &[u8]| Salted::new(Fixed([7; 16]), bytes.to_vec());
        let attribution = Some(salted(&[payload, b" by somebody"].concat()));
        let sealed = Sealed { payload: salted(payload), attribution };
        let header = Header {
            feed: self.feed(),
            seq: self.tip.size(),
            prev: self.tip.id(),
            charter: self.descriptor.board.as_charter(),
            t: TimeMs(self.clock),
            kind,
            artefact: Some(artefact),
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: sealed.attribution.as_ref().map(|one| one.hash(Tag::Attribution)),
        };
        self.push(header, sealed);
    }

    fn checkpoint(&self) -> Checkpoint {
        let head = self.tip.head();
        Checkpoint { origin: Origin::of(&self.descriptor), size: head.size, root: head.root }
    }

    /// Cosigns a checkpoint in an entry of its own.
    fn cosign(&mut self, checkpoint: &Checkpoint) {
        let witness = fixture::witness_key(self.descriptor.org.as_bytes()[0]);
        let given = vec![Cosigned::sign(checkpoint, NOON / 1_000, &witness)];
        self.write(Kind::COSIGN, CosignedList { given }.to_bytes());
    }
}

fn event(text: &str) -> Vec<u8> {
    Event { name: "said".into(), values: vec![Value::Text(text.into())] }.to_bytes()
}

/// Two artefacts, some of it in records apart; acknowledged by all.
pub(super) fn board() -> (Vec<Pen>, Vec<u8>) {
    let mut pens: Vec<Pen> = (1..=5).map(Pen::of).collect();
    for (nonce, text) in [(3, "one hub"), (4, "quite secret")] {
        let (artefact, open) = opened(nonce);
        pens[0].write_about(artefact, Kind::OPEN, &open);
        pens[0].write_about(artefact, Kind::EVENT, &event(text));
        let apart = pens[0].tip.size();
        pens[0].apart.push(apart);
        pens[0].write_about(artefact, Kind::EVENT, &event(&format!("{text} apart")));
    }
    pens[0].note("a remark to the board");
    let first = pens[0].clone();
    pens[1..].iter_mut().for_each(|pen| pen.ack(&[&first]));
    let mut pieces = vec![Piece::Founding, Piece::Card];
    pieces.push(Piece::Run(first.run(0, first.entries.len())));
    pieces.extend(
        first.apart.iter().map(|seq| Piece::Payload(first.loose(usize::try_from(*seq).unwrap()))),
    );
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let bytes = bundle(&pieces);
    (pens, bytes)
}

fn excerpt(whole: &[u8], feeds: impl IntoIterator<Item = FeedId>) -> Vec<u8> {
    selected(whole, Selection::about(ours()), feeds)
}

pub(super) fn selected(
    whole: &[u8],
    selection: Selection,
    feeds: impl IntoIterator<Item = FeedId>,
) -> Vec<u8> {
    let founding = founding();
    let on = (founding.board(), founding.charter());
    let (mut excerpt, magic) = Excerpt::of(selection, [on], feeds);
    let mut bytes = magic.to_vec();
    for record in Records::new(whole).unwrap() {
        bytes.extend(excerpt.take(record.unwrap()).unwrap());
    }
    bytes.extend(excerpt.end());
    bytes
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn an_excerpt_holds_the_content_of_its_artefact_and_no_byte_of_others() {
    let (pens, whole) = board();
    let part = excerpt(&whole, pens.iter().map(Pen::feed));
    assert!(has(&part, "one hub") && has(&part, "one hub apart") && has(&part, "by somebody"));
    for text in ["quite secret", "a remark to the board"] {
        assert!(has(&whole, text), "{text}");
        assert!(!has(&part, text), "{text}");
    }
    let sealed = pens[0]
        .entries
        .iter()
        .filter(|(header, ..)| header.kind.is_withheld() && header.artefact != Some(ours()));
    let sealed: Vec<&Sealed> = sealed.map(|(_, _, sealed)| sealed).collect();
    assert_eq!(sealed.len(), 3);
    for sealed in sealed {
        let attribution = sealed.attribution.as_ref().map_or(&[][..], Salted::bytes);
        for content in [sealed.payload.bytes(), attribution].into_iter().filter(|c| !c.is_empty()) {
            assert!(!part.windows(content.len()).any(|window| window == content));
        }
    }
}

#[test]
fn an_audit_finds_in_an_excerpt_what_it_finds_in_the_whole_and_what_is_withheld() {
    let (pens, whole) = board();
    let part = excerpt(&whole, pens.iter().map(Pen::feed));
    let (of_whole, of_part) = (audit_bundle(&whole), audit_bundle(&part));
    assert_eq!(of_whole.summary, of_part.summary);
    assert_eq!(of_whole.findings, [silent_observer()]);
    let of = pens[0].name();
    let withheld = |seq, kind| Finding::PayloadWithheld { of: of.clone(), seq, kind };
    let mut findings = of_part.findings;
    findings.retain(|finding| *finding != silent_observer());
    assert_eq!(
        findings,
        [withheld(5, Kind::EVENT), withheld(6, Kind::EVENT), withheld(7, Kind::NOTE)]
    );
    let (whole, part) = (holdings(&whole), holdings(&part));
    let dossier = |held: &Holdings| format!("{:?}", held.dossier(&ours(), true).unwrap());
    assert_eq!(dossier(&whole), dossier(&part));
}

#[test]
fn an_excerpt_of_an_excerpt_is_the_same_again() {
    let (pens, whole) = board();
    let part = excerpt(&whole, pens.iter().map(Pen::feed));
    assert_eq!(excerpt(&part, pens.iter().map(Pen::feed)), part);
    assert!(part.len() < whole.len());
}

#[test]
fn feeds_of_other_boards_stay_out_with_their_payloads() {
    let (pens, whole) = board();
    let others: Vec<FeedId> = pens[1..].iter().map(Pen::feed).collect();
    let part = excerpt(&whole, others);
    assert!(!has(&part, "one hub") && !has(&part, "quite secret"));
    let report = audit_bundle(&part);
    let feed = report.summary.feeds.iter().find(|feed| feed.name == pens[0].name()).unwrap();
    assert_eq!(feed.entries, 0);
    assert!(report.findings.iter().any(|one| one.code() == "EndsEarly"), "{:?}", report.findings);
}

#[test]
fn a_fork_shows_in_an_excerpt_as_it_does_in_the_whole() {
    let (pens, other) = forked();
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 4))];
    pieces.push(Piece::Run(other.run(2, 5)));
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let whole = bundle(&pieces);
    let part = excerpt(&whole, pens.iter().map(Pen::feed));
    let (of_whole, of_part) = (audit_bundle(&whole), audit_bundle(&part));
    assert_eq!((of_whole.exit_status(), of_part.exit_status()), (1, 1));
    assert_eq!(of_whole.summary, of_part.summary);
    let proven = |report: &Report| {
        let all = report.findings.iter().filter(|one| one.severity() == Severity::Proven);
        all.cloned().collect::<Vec<_>>()
    };
    assert_eq!(proven(&of_whole), proven(&of_part));
}

/// The first feed with a checkpoint, cosigned by so many of the others, and everything in a bundle.
fn logged(cosigners: usize) -> (Vec<Pen>, Vec<u8>) {
    let (mut pens, _) = board();
    pens[0].apart.clear();
    let checkpoint = pens[0].checkpoint();
    let note = checkpoint.sign(&pens[0].key).to_bytes();
    pens[0].write(Kind::CHECKPOINT, note);
    pens[1..=cosigners].iter_mut().for_each(|pen| pen.cosign(&checkpoint));
    let bytes = bundled(&pens);
    (pens, bytes)
}

fn bundled(pens: &[Pen]) -> Vec<u8> {
    let mut pieces = vec![Piece::Founding];
    pieces.extend(pens.iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    bundle(&pieces)
}

#[test]
fn an_entry_is_proven_by_the_checkpoint_that_covers_it_with_all_cosignatures() {
    for cosigners in 0..=4 {
        let (pens, bytes) = logged(cosigners);
        assert_eq!(audit_bundle(&bytes).exit_status(), 0);
        // An excerpt proves as much.
        for bytes in [excerpt(&bytes, pens.iter().map(Pen::feed)), bytes] {
            let held = holdings(&bytes);
            for (header, id, _) in &pens[0].entries[..8] {
                let Logged { proof, checkpoint, policy, origin, key } = held.logged(id).unwrap();
                assert_eq!((proof.index(), key), (header.seq, pens[0].key.public()));
                assert_eq!(checkpoint.cosigned().len(), cosigners);
                assert_eq!(policy.is_met_by(&checkpoint), cosigners > 2);
                let read = TlogProof::from_bytes(&proof.to_bytes()).unwrap();
                let witnesses = policy.witnesses();
                let verified = read.verify(&header.to_bytes(), (&origin, &key), &witnesses);
                assert_eq!(verified.as_ref(), Ok(&checkpoint));
            }
            // The checkpoint's own entry comes after it.
            let after = held.logged(&pens[0].entries[8].1);
            assert_eq!(after, Err(Unlogged::NoCheckpoint));
            assert_eq!(held.logged(&pens[1].entries[0].1), Err(Unlogged::NoCheckpoint));
            assert_eq!(held.logged(&EntryId::NONE), Err(Unlogged::Unknown));
        }
    }
}

#[test]
fn of_several_checkpoints_the_first_counts_that_enough_others_cosigned() {
    let (mut pens, _) = logged(1);
    let mut sizes = vec![];
    for cosigners in [4, 3, 4] {
        pens[0].note("and on");
        let checkpoint = pens[0].checkpoint();
        pens[0].write(Kind::CHECKPOINT, checkpoint.sign(&fixture::feed_key(1)).to_bytes());
        pens[1..=cosigners].iter_mut().for_each(|pen| pen.cosign(&checkpoint));
        sizes.push(checkpoint.size);
    }
    let held = holdings(&bundled(&pens));
    let found = held.logged(&pens[0].entries[1].1).unwrap();
    assert_eq!(found.proof.checkpoint().size, sizes[0]);
    // Where none has enough, the one with most: here those that cover the last note.
    let (pens, bytes) = logged(2);
    let found = holdings(&bytes).logged(&pens[0].entries[1].1).unwrap();
    assert_eq!((found.checkpoint.cosigned().len(), found.proof.checkpoint().size), (2, 8));
}

#[test]
fn forged_cosignatures_and_roots_of_another_tree_prove_nothing() {
    let (mut pens, _) = board();
    pens[0].apart.clear();
    let sound = pens[0].checkpoint();
    let false_root = Checkpoint { root: Fixed([9; 32]), size: 3, ..sound };
    let key = fixture::feed_key(1);
    pens[0].write(Kind::CHECKPOINT, false_root.sign(&key).to_bytes());
    pens[1..].iter_mut().for_each(|pen| pen.cosign(&false_root));
    let held = holdings(&bundled(&pens));
    let first = pens[0].entries[0].1;
    assert_eq!(held.logged(&first), Err(Unlogged::NoCheckpoint));

    // Its author puts a forged cosignature into the note, another member gives one for a third.
    let third = Cosigner { org: fixture::org(3), key: fixture::witness_key(2).public() };
    let forged = Cosigned::sign(&sound, 5, &fixture::witness_key(2));
    let note = sound.sign(&key).with(&third, &forged).unwrap();
    let mut text = String::from_utf8(note.to_bytes()).unwrap();
    let own = Cosigner { org: fixture::org(3), key: fixture::witness_key(3).public() };
    let true_one = Cosigned::sign(&sound, 5, &fixture::witness_key(3));
    let true_note = sound.sign(&key).with(&own, &true_one).unwrap().to_bytes();
    let true_line = String::from_utf8(true_note).unwrap();
    let true_line = true_line.lines().last().unwrap().to_string();
    text.push_str(&true_line.replacen("AAAA", "AAAB", 1));
    text.push('\n');
    pens[0].write(Kind::CHECKPOINT, text.into_bytes());
    let list = CosignedList { given: vec![Cosigned::sign(&sound, 5, &fixture::witness_key(3))] };
    pens[1].write(Kind::COSIGN, list.to_bytes());
    pens[3].cosign(&sound);
    let held = holdings(&bundled(&pens));
    let found = held.logged(&first).unwrap();
    let who: Vec<_> = found.checkpoint.cosigned().iter().map(|(org, _)| *org).collect();
    assert_eq!(who, [fixture::org(4)]);
    let policy = Policy::of(founding().charter(), found.origin, found.key);
    assert_eq!(found.policy, policy);
    let header = pens[0].entries[0].0.to_bytes();
    let verified = found.proof.verify(&header, (&found.origin, &found.key), &policy.witnesses());
    assert!(verified.is_ok(), "{verified:?}");
}

#[test]
fn an_entry_on_a_branch_has_no_proof() {
    let (mut pens, other) = forked();
    let checkpoint = pens[0].checkpoint();
    pens[0].write(Kind::CHECKPOINT, checkpoint.sign(&fixture::feed_key(1)).to_bytes());
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 5))];
    pieces.push(Piece::Run(other.run(2, 5)));
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let held = holdings(&bundle(&pieces));
    assert!(held.logged(&pens[0].entries[2].1).is_ok());
    assert_eq!(held.logged(&other.entries[2].1), Err(Unlogged::OnBranch));
}
