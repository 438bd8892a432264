//! Small partnerships as lists of entries: what their artefacts come to, in any order of arrival.

mod arrival;
mod bonds;
mod hostile;
mod random;
mod settling;
mod votes;

use alloc::{string::ToString, sync::Arc, vec, vec::Vec};

use super::*;
use crate::{
    artefact::{
        document::{Atom, Document, Path, Skeleton},
        edit::{Intent, ItemId, Spot, edit},
        kinds::{DECISION, STANDARD},
        read::read,
    },
    charter::{Answer, Charter, KindTerms, Who, fixture},
    codec::{Blob, Fixed},
    decision::Ruling,
    feed::Salted,
    payload::{Audience, Changes, Close, Open, Proposal, Reason, SignOff, Widening},
    value::Value,
    verdict::{Actor, ActorPrefix, ChangeHash},
};

const NOON: u64 = 1_511_179_200_000;

/// One artefact, opened by organisation 1, as everybody knows it.
#[derive(Clone)]
struct Partnership {
    charter: Charter,
    skeleton: Arc<Skeleton>,
    dossier: Dossier,
    clock: u64,
    actors: u8,
}

fn org(number: u8) -> OrgId {
    fixture::org(number)
}

fn feed(number: u8) -> FeedId {
    FeedId::from_bytes([number; 32])
}

/// An organisation acknowledges so many entries, at a place of its feed.
fn acknowledged(by: u8, place: u64, of: FeedId, entries: u64) -> Acknowledged {
    Acknowledged {
        by: org(by),
        feed: feed(by),
        history: 0,
        place: (0, place),
        of,
        on: Some(0),
        entries,
        received_at: TimeMs(NOON),
    }
}

impl Partnership {
    fn new(kind: &'static Of, audience: Audience) -> Self {
        let mut charter = fixture::mini_board();
        let terms = |kind: &'static Of| KindTerms {
            kind: kind.name.into(),
            schema_version: kind.version,
            creates: Who::Everyone,
            edits: Who::Everyone,
        };
        charter.kinds = vec![terms(kind)];
        let board = BoardId::from_bytes([0; 32]);
        let open = Open {
            nonce: Fixed([1; 16]),
            kind: kind.name.into(),
            schema_version: kind.version,
            audience,
        };
        let dossier = Dossier {
            board,
            artefact: open.artefact_id(&board, &org(1)),
            opener: org(1),
            kind: kind.name.into(),
            schema_version: kind.version,
            entries: vec![],
            feeds: (1..=6).map(|number| (feed(number), (org(number), 0))).collect(),
            acknowledged: vec![],
        };
        let skeleton = Arc::new(Skeleton::new(kind).unwrap());
        let mut made = Self { charter, skeleton, dossier, clock: NOON, actors: 0 };
        made.write(1, Kind::OPEN, open.to_bytes(), vec![]);
        made
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            charter: &self.charter,
            charter_hash: self.charter.hash(),
            skeleton: &self.skeleton,
        }
    }

    fn replay(&self) -> Replay {
        replay(self.ground(), &self.dossier)
    }

    fn document(&self) -> Document {
        document(&self.skeleton, &self.replay())
    }

    /// An organisation writes an entry that relies on these.
    fn write(&mut self, by: u8, kind: Kind, payload: Vec<u8>, refs: Vec<EntryId>) -> EntryId {
        self.clock += 1_000;
        let size = &mut self.dossier.feeds.get_mut(&feed(by)).unwrap().1;
        let mut id = [by; 32];
        id[..8].copy_from_slice(&size.to_be_bytes());
        let written = Written {
            entry: EntryId::from_bytes(id),
            org: org(by),
            epoch: 0,
            seq: *size,
            at: TimeMs(self.clock),
            charter: self.charter.hash(),
            settled: true,
            standing: crate::decision::Standing::Stands,
        };
        *size += 1;
        let sealed = Sealed { payload: Salted::new(Fixed([7; 16]), payload), attribution: None };
        let content = Content::Here(sealed);
        let before = self.dossier.entries.iter().filter(|one| one.feed == feed(by));
        let after = before.max_by_key(|one| one.by.seq).map(|one| one.by.entry);
        let (is_kept, histories, feed) = (true, vec![0], feed(by));
        let entry = Entry { by: written, feed, kind, refs, content, is_kept, after, histories };
        self.dossier.entries.push(entry);
        EntryId::from_bytes(id)
    }

    /// Everybody says to hold all that there is.
    fn acknowledge_all(&mut self) {
        self.acknowledge(1..=5);
    }

    /// These say to hold all that there is, each in the next entry of its feed.
    fn acknowledge(&mut self, by: impl IntoIterator<Item = u8>) {
        let all = self.dossier.feeds.clone();
        for by in by {
            let others = all.iter().filter(|(of, _)| **of != feed(by));
            let items: Vec<_> = others.map(|(of, (_, entries))| (*of, *entries)).collect();
            self.say_held(by, &items);
        }
    }

    /// An organisation says to hold so many entries of these feeds.
    fn say_held(&mut self, by: u8, items: &[(FeedId, u64)]) {
        let size = &mut self.dossier.feeds.get_mut(&feed(by)).unwrap().1;
        let place = *size;
        *size += 1;
        let received_at = TimeMs(self.clock);
        for (of, entries) in items {
            let said = acknowledged(by, place, *of, *entries);
            self.dossier.acknowledged.push(Acknowledged { received_at, ..said });
        }
    }

    /// The same, relying on all that is known.
    fn add(&mut self, by: u8, kind: Kind, payload: Vec<u8>) -> EntryId {
        let refs = self.replay().refs(&feed(by), &[]);
        self.write(by, kind, payload, refs)
    }

    fn event(&mut self, by: u8, name: &str, values: Vec<Value>) -> EntryId {
        self.add(by, Kind::EVENT, Event { name: name.into(), values }.to_bytes())
    }

    /// An organisation edits what another partnership, perhaps an older copy, has.
    fn edit_from(&mut self, by: u8, known: &Document, replay: &Replay, intents: Vec<Intent>) {
        self.actors += 1;
        let actor = Actor::of(ActorPrefix::of(&feed(by)), [self.actors; 16]);
        let edited = edit(known, intents, actor, TimeMs(self.clock)).unwrap();
        let raw = edited.changes.into_iter().map(Blob::from).collect();
        let refs = replay.refs(&feed(by), &known.heads());
        self.write(by, Kind::CHANGE, Changes { raw }.to_bytes(), refs);
    }

    fn edit(&mut self, by: u8, intents: Vec<Intent>) {
        let (document, replay) = (self.document(), self.replay());
        self.edit_from(by, &document, &replay, intents);
    }

    /// The wording that everybody knows, put to a decision by the only rule.
    fn propose(&mut self, by: u8) -> EntryId {
        let (document, refs) = (self.document(), self.replay().refs(&feed(by), &[]));
        let proposal = self.proposal(&document).unwrap();
        self.write(by, Kind::PROPOSAL, proposal.to_bytes(), refs)
    }

    fn proposal(&self, document: &Document) -> Option<Proposal> {
        let frozen = wording(self.skeleton.kind(), &read(document)).ok()?;
        Some(Proposal {
            heads: document.heads().into_iter().map(|head| Fixed(head.0)).take(32).collect(),
            wording: frozen.digest(),
            snapshot: Blob::from(frozen.to_bytes()),
            rule: self.charter.rules[0].name.clone(),
            closer: org(5),
            closes_at: TimeMs(NOON),
            replaces: None,
        })
    }

    fn sign(&mut self, by: u8, proposal: EntryId, answer: Answer) -> EntryId {
        let wording = self.replay().proposals[&proposal].says.wording;
        self.add(by, Kind::SIGNOFF, SignOff { proposal, answer, wording }.to_bytes())
    }

    fn conflicts(&self) -> Vec<Conflict> {
        let document = self.document();
        conflicts(&self.replay(), &document, &read(&document))
    }

    fn codes(&self) -> Vec<Code> {
        self.conflicts().iter().map(|conflict| conflict.code).collect()
    }

    fn statuses(&self) -> Vec<Status> {
        self.replay().changes.into_iter().map(|change| change.status).collect()
    }
}

fn document(skeleton: &Arc<Skeleton>, replay: &Replay) -> Document {
    let raw: Vec<&[u8]> = replay.applied().collect();
    Document::new(skeleton).with(&raw).unwrap()
}

fn path(text: &str) -> Path {
    Path::of(&text.split('/').collect::<Vec<_>>())
}

fn set(at: &str, value: Atom) -> Intent {
    Intent::Set { at: path(at), value }
}

fn title(text: &str) -> Intent {
    set("title", Atom::Text(text.into()))
}

fn splice(at: &str, position: u64, insert: &str) -> Intent {
    Intent::Splice { at: path(at), position, delete: 0, insert: insert.into() }
}

fn decision() -> Partnership {
    Partnership::new(&DECISION, Audience::Everyone)
}

#[test]
fn edits_of_two_organisations_merge_and_what_contradicts_is_shown() {
    let mut board = decision();
    board.edit(1, vec![title("Home care"), splice("summary", 0, "One paragraph.")]);
    let (document, known) = (board.document(), board.replay());
    board.edit_from(
        2,
        &document,
        &known,
        vec![title("Care at home"), splice("summary", 0, "First. ")],
    );
    board.edit_from(
        3,
        &document,
        &known,
        vec![title("Home care for all"), splice("summary", 14, " Last.")],
    );
    assert_eq!(board.statuses(), vec![Status::Applied; 3]);
    assert_eq!(board.codes(), [Code::Values, Code::Paragraph]);
    let found = board.conflicts();
    let says: Vec<_> =
        found[0].sides.iter().map(|side| (side.says.as_str(), side.orgs.clone())).collect();
    assert_eq!(says, [("Care at home", vec![org(2)]), ("Home care for all", vec![org(3)])]);
    assert_eq!(
        wording(&DECISION, &read(&board.document())),
        Err(NotDecidable::SeveralValues { at: path("title") })
    );
    board.edit(1, vec![title("Care at home")]);
    assert_eq!(board.codes(), [Code::Paragraph]);
    let field = found[1].about.clone();
    let said = [
        Value::Text("C2".into()),
        Value::Text(field),
        Value::Text("read".into()),
        Value::List(vec![]),
    ];
    let settled = board.event(2, "settle_conflict", said.to_vec());
    assert_eq!(board.conflicts()[0].settled_by, Some(settled));
    wording(&DECISION, &read(&board.document())).unwrap();
}

#[test]
fn an_item_that_one_removes_and_another_edits_stays_and_is_shown() {
    let mut board = decision();
    let id = ItemId::fresh([5; 16]);
    let item = path("recommendations").then(id.as_str());
    board.edit(1, vec![Intent::AddItem { at: path("recommendations"), id, spot: Spot::First }]);
    let (document, known) = (board.document(), board.replay());
    board.edit_from(2, &document, &known, vec![Intent::RemoveItem { at: item.clone() }]);
    let insert = "Agree".to_string();
    let text = Intent::Splice { at: item.then("text"), position: 0, delete: 0, insert };
    board.edit_from(3, &document, &known, vec![text]);
    assert_eq!(board.codes(), [Code::Item]);
}

/// A change counts only with what it builds on named by its entry.
#[test]
fn a_change_whose_dependency_no_ref_names_is_refused() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    let (document, known) = (board.document(), board.replay());
    board.actors += 1;
    let actor = Actor::of(ActorPrefix::of(&feed(2)), [99; 16]);
    let edited = edit(&document, vec![title("b")], actor, TimeMs(NOON)).unwrap();
    let changes = Changes { raw: edited.changes.into_iter().map(Blob::from).collect() };
    let refs: Vec<EntryId> = known.refs(&feed(2), &document.heads());
    let opening = board.dossier.entries[0].by.entry;
    board.write(2, Kind::CHANGE, changes.to_bytes(), vec![opening]);
    let dependency: ChangeHash = document.heads()[0];
    let refused = Status::Refused(Refusal::DependencyNotNamed { dependency });
    assert_eq!(board.statuses(), [refused, Status::Applied], "by how much lies in their past");
    // The same bytes, once more: its actor's numbers go on in the feed, and this was the first.
    board.write(2, Kind::CHANGE, changes.to_bytes(), refs);
    assert_eq!(board.statuses()[2], Status::Refused(Refusal::Repeated));
}

#[test]
fn a_change_in_an_entry_that_does_not_count_has_its_standing_and_others_share_it() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    board.edit(2, vec![title("b")]);
    let first = board.dossier.entries.iter_mut().find(|one| one.kind == Kind::CHANGE).unwrap();
    first.by.standing = crate::decision::Standing::Void;
    let (cause, entry) = {
        let change = &board.replay().changes[0];
        (change.hash, change.entry)
    };
    assert_eq!(board.statuses(), [Status::Entry(Standing::Void), Status::Shares { cause, entry }]);
}

/// Above a fork, what nobody else acknowledged never reaches some of the others: who relied on it
/// would have effect here and wait there. So it waits here too, and is not named.
#[test]
fn what_relies_on_what_others_may_never_hold_waits_and_neither_is_named() {
    let mut board = decision();
    let opened = board.dossier.entries[0].by.entry;
    let forked = board.add(2, Kind::REMARK, vec![]);
    let on_it = board.add(3, Kind::REMARK, vec![]);
    assert_eq!(board.replay().refs(&feed(4), &[]), [on_it]);
    let held = board.dossier.entries.iter_mut().find(|one| one.by.entry == forked).unwrap();
    held.by.standing = crate::decision::Standing::Forked { branch: forked };
    held.by.settled = false;
    assert_eq!(board.replay().refs(&feed(4), &[]), [on_it], "kept: somebody acknowledged it");
    assert_eq!(board.replay().entries[&on_it], Standing::Counts);
    let held = board.dossier.entries.iter_mut().find(|one| one.by.entry == forked).unwrap();
    held.is_kept = false;
    let replay = board.replay();
    assert_eq!(replay.refs(&feed(4), &[]), [opened]);
    let standings = [forked, on_it].map(|id| replay.entries[&id]);
    assert_eq!(standings, [Standing::Held, Standing::Waiting(Lack::Entry)]);
}

#[test]
fn a_payload_that_is_not_here_makes_what_builds_on_it_wait() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    board.edit(2, vec![title("b")]);
    let first = board.dossier.entries.iter_mut().find(|one| one.kind == Kind::CHANGE).unwrap();
    first.content = Content::Due;
    let entry = first.by.entry;
    assert_eq!(board.statuses(), [Status::Unknown { entry }]);
    assert_eq!(board.replay().entries[&entry], Standing::Waiting(Lack::Payload));
}

#[test]
fn those_outside_the_audience_have_no_effect_until_somebody_inside_lets_them_in() {
    let only = Audience::Only(vec![org(1), org(2)]);
    let mut board = Partnership::new(&DECISION, only);
    board.edit(1, vec![title("a")]);
    board.edit(3, vec![title("b")]);
    let standings = |board: &Partnership| board.statuses();
    assert_eq!(standings(&board), [Status::Applied, Status::Entry(Standing::OutsideAudience)]);
    let widening = Widening { orgs: vec![org(3)], reason: Reason::MENTIONED };
    board.add(4, Kind::AUDIENCE, widening.to_bytes());
    board.edit(3, vec![title("c")]);
    assert_eq!(standings(&board)[2], Status::Entry(Standing::OutsideAudience));
    board.add(2, Kind::AUDIENCE, widening.to_bytes());
    board.edit(3, vec![title("d")]);
    // Its first two changes stay without effect: it was not in the audience, as far as it knew.
    assert_eq!(standings(&board)[3], Status::Applied);
    assert_eq!(standings(&board)[1], Status::Entry(Standing::OutsideAudience));
}

#[test]
fn who_does_not_rely_on_the_opening_has_no_effect() {
    let mut board = Partnership::new(&DECISION, Audience::Only(vec![org(1), org(2)]));
    let event = Event { name: "consult".into(), values: vec![Value::List(vec![])] };
    let bare = board.write(3, Kind::EVENT, event.to_bytes(), vec![]);
    assert_eq!(board.replay().entries[&bare], Standing::OutsideAudience);
}

#[test]
fn an_opening_of_which_the_artefact_is_not_made_shuts_nobody_out() {
    let mut board = decision();
    let open = Open {
        nonce: Fixed([2; 16]),
        kind: DECISION.name.into(),
        schema_version: 1,
        audience: Audience::Only(vec![org(3)]),
    };
    board.add(3, Kind::OPEN, open.to_bytes());
    board.edit(2, vec![title("a")]);
    assert_eq!(board.statuses(), [Status::Applied]);
    assert_eq!(board.replay().audience, Audience::Everyone);
}

#[test]
fn an_editor_whose_first_change_is_not_here_is_waited_for() {
    let mut board = decision();
    let (document, known) = (board.document(), board.replay());
    board.edit_from(2, &document, &known, vec![title("a")]);
    board.actors -= 1;
    let (document, known) = (board.document(), board.replay());
    board.edit_from(2, &document, &known, vec![title("b")]);
    assert_eq!(board.statuses(), vec![Status::Applied; 2]);
    let first = board.dossier.entries.iter_mut().find(|one| one.kind == Kind::CHANGE).unwrap();
    first.content = Content::Due;
    let entry = first.by.entry;
    assert_eq!(board.statuses(), [Status::Unknown { entry }]);
}

#[test]
fn a_branch_that_does_not_stand_repeats_nothing() {
    let mut board = decision();
    let (document, known) = (board.document(), board.replay());
    board.edit_from(2, &document, &known, vec![title("a")]);
    let mut other = board.dossier.entries[1].clone();
    other.by.entry = EntryId::from_bytes([0; 32]);
    for (entry, settled) in [(&mut board.dossier.entries[1], true), (&mut other, false)] {
        let branch = entry.by.entry;
        entry.by.standing = crate::decision::Standing::Forked { branch };
        entry.by.settled = settled;
    }
    board.dossier.entries.push(other);
    assert_eq!(board.statuses(), [Status::Entry(Standing::Held), Status::Applied]);
}

/// A decision by the mini board: frozen, signed off, carried; an edit made meanwhile comes late.
#[test]
fn a_decision_is_frozen_signed_off_and_carried() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    let (document, known) = (board.document(), board.replay());
    let frozen = wording(&DECISION, &read(&document)).unwrap();
    let heads = document.heads().into_iter().map(|head| Fixed(head.0)).collect();
    let proposal = Proposal {
        heads,
        wording: frozen.digest(),
        snapshot: Blob::from(frozen.to_bytes()),
        rule: board.charter.rules[0].name.clone(),
        closer: org(5),
        closes_at: TimeMs(NOON + 86_400_000),
        replaces: None,
    };
    let proposed = board.add(1, Kind::PROPOSAL, proposal.to_bytes());
    board.edit_from(2, &document, &known, vec![title("b")]);
    let wording = frozen.digest();
    for by in 1..=4 {
        let answer = Answer::Approve;
        let sign_off = SignOff { proposal: proposed, answer, wording };
        board.add(by, Kind::SIGNOFF, sign_off.to_bytes());
    }
    let sign_off = SignOff { proposal: proposed, answer: Answer::Reject, wording: Fixed([1; 32]) };
    board.add(5, Kind::SIGNOFF, sign_off.to_bytes());
    let again = SignOff { proposal: proposed, answer: Answer::Reject, wording };
    board.add(4, Kind::SIGNOFF, again.to_bytes());
    board.acknowledge_all();
    let replay = board.replay();
    assert_eq!(replay.proposals[&proposed].poll.waits, []);
    assert_eq!(
        replay.proposals[&proposed].poll.ruling,
        Ruling::Carried,
        "{:?}",
        replay.proposals[&proposed].poll
    );
    assert_eq!(replay.amendments(&proposed).len(), 1);
    let codes = board.codes();
    assert!(codes.contains(&Code::Answers) && codes.contains(&Code::Stale), "{codes:?}");
    let closed = Close { proposal: proposed, counted: vec![] };
    board.add(5, Kind::CLOSE, closed.to_bytes());
    assert_eq!(board.replay().proposals[&proposed].poll.ruling, Ruling::Carried);
    let proof = board.dossier.proof(board.ground(), &proposed).unwrap();
    assert_eq!((proof.result, proof.wording.matches), ("carried", true));
    let (claimed, held) = (proof.proposed.claimed_ms, proof.proposed.held_by_majority_ms);
    assert!(held.is_some_and(|at| at >= claimed), "{held:?}");
    assert_eq!(board.dossier.proof(board.ground(), &EntryId::from_bytes([9; 32])), None);
}

/// A locality adopted a version that was put to a decision before the one that was carried.
#[test]
fn adoption_of_a_version_that_another_has_replaced_is_shown() {
    let mut board = Partnership::new(&STANDARD, Audience::Everyone);
    board.edit(1, vec![title("a")]);
    for step in ["begin_drafting", "consult", "begin_clinical_review"] {
        board.event(1, step, vec![]);
    }
    let document = board.document();
    let frozen = wording(&STANDARD, &read(&document)).unwrap();
    let first = Proposal {
        heads: document.heads().into_iter().map(|head| Fixed(head.0)).collect(),
        wording: frozen.digest(),
        snapshot: Blob::from(frozen.to_bytes()),
        rule: board.charter.rules[0].name.clone(),
        closer: org(5),
        closes_at: TimeMs(NOON),
        replaces: None,
    };
    let replaced = board.add(1, Kind::PROPOSAL, first.to_bytes());
    let carried = board.add(1, Kind::PROPOSAL, first.to_bytes());
    for by in 1..=4 {
        let says = SignOff { proposal: carried, answer: Answer::Approve, wording: first.wording };
        board.add(by, Kind::SIGNOFF, says.to_bytes());
    }
    board.acknowledge_all();
    assert_eq!(board.replay().lifecycle.carried, Some(carried));
    let text = |text: &str| Value::Text(text.into());
    let adopt = |version: EntryId| {
        let version = Value::Bytes(version.as_bytes().to_vec());
        vec![text("bury"), version, text("full"), Value::List(vec![]), Value::List(vec![])]
    };
    board.event(1, "adopt", adopt(replaced));
    assert_eq!(board.codes(), [Code::Adoption]);
    board.event(1, "adopt", adopt(carried));
    assert_eq!(board.codes(), []);
}

/// Equal entries in any order come to the same, byte by byte.
#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut board = decision();
    board.edit(1, vec![title("a"), splice("summary", 0, "One.")]);
    let (document, known) = (board.document(), board.replay());
    for by in 2..=5 {
        let text = vec![title(&by.to_string()), splice("summary", 0, "More. ")];
        board.edit_from(by, &document, &known, text);
    }
    board.edit(3, vec![splice("background", 0, "Since.")]);
    let outcome = |board: &Partnership| {
        let replay = board.replay();
        let mut document = document_of(board, &replay);
        let save = document.save().unwrap();
        let found = conflicts(&replay, &document, &read(&document));
        (replay.changes, replay.lifecycle, found, save)
    };
    let first = outcome(&board);
    for turn in 1..board.dossier.entries.len() {
        board.dossier.entries.rotate_left(turn);
        board.dossier.entries.reverse();
        assert_eq!(outcome(&board), first);
    }
}

fn document_of(board: &Partnership, replay: &Replay) -> Document {
    document(&board.skeleton, replay)
}

#[test]
fn an_artefact_is_shown_as_it_was() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    let then = board.clock;
    let last = board.dossier.entries[1].by.entry;
    board.edit(2, vec![title("b")]);
    board.dossier.acknowledged = vec![acknowledged(3, 1, feed(1), 2)];
    let changes = |cut| replay(board.ground(), &board.dossier.cut(cut)).changes.len();
    assert_eq!(changes(Cut::Now), 2);
    assert_eq!(changes(Cut::At(last)), 1);
    assert_eq!(changes(Cut::By(TimeMs(then))), 1);
    assert_eq!(changes(Cut::KnownTo(org(3))), 1);
}

#[test]
fn nothing_counts_about_an_artefact_that_its_author_may_not_begin() {
    let mut board = decision();
    board.edit(2, vec![title("Beds")]);
    let consult = board.event(1, "consult", vec![]);
    let standings = |board: &Partnership| {
        let replay = board.replay();
        (replay.changes[0].status.clone(), replay.entries[&consult])
    };
    let barred = (Status::Entry(Standing::MayNotBegin), Standing::MayNotBegin);
    assert_eq!(standings(&board), (Status::Applied, Standing::Counts));
    let named = |number| Who::Named { classes: vec![], orgs: vec![org(number)] };
    for (terms, expected) in [
        (KindTerms { creates: named(2), ..board.charter.kinds[0].clone() }, false),
        (KindTerms { creates: named(1), ..board.charter.kinds[0].clone() }, true),
        (KindTerms { schema_version: 2, ..board.charter.kinds[0].clone() }, false),
    ] {
        let hash = board.charter.hash();
        board.charter.kinds = vec![terms];
        let fresh = board.charter.hash();
        for entry in board.dossier.entries.iter_mut().filter(|one| one.by.charter == hash) {
            entry.by.charter = fresh;
        }
        assert_eq!(standings(&board) != barred, expected);
    }
}

/// A feed with three histories: one parts from the others at its first entry, and those part again at
/// the second. Which of them a node saw first decides what it calls the branches, and nothing else.
#[test]
fn histories_that_part_twice_are_told_apart() {
    use crate::decision::Standing as Stands;
    let mut board = decision();
    let opened = board.dossier.entries[0].by.entry;
    let shared = board.write(2, Kind::REMARK, vec![], vec![opened]);
    let left = board.write(2, Kind::REMARK, vec![], vec![]);
    let on_left = board.write(3, Kind::REMARK, vec![], vec![left]);
    let copy = |board: &Partnership, of: EntryId, number| {
        let of = board.dossier.entries.iter().find(|one| one.by.entry == of).unwrap();
        let by = Written { entry: EntryId::from_bytes([number; 32]), ..of.by.clone() };
        Entry { by, ..of.clone() }
    };
    let (right, other) = (copy(&board, left, 0xfe), copy(&board, shared, 0xff));
    let (right_id, other_id) = (right.by.entry, other.by.entry);
    board.dossier.entries.extend([right, other]);
    for (names, settled, expected) in [
        // The first chain is the other one, or the left one.
        ([shared, shared, shared, other_id], vec![], Standing::Counts),
        ([shared, shared, right_id, other_id], vec![], Standing::Counts),
        ([shared, shared, right_id, other_id], vec![shared, left], Standing::Counts),
        ([shared, shared, shared, other_id], vec![shared, left, right_id], Standing::Held),
    ] {
        for (id, branch) in [shared, left, right_id, other_id].into_iter().zip(names) {
            let mut entries = board.dossier.entries.iter_mut();
            let one = entries.find(|one| one.by.entry == id).unwrap();
            one.by.standing = Stands::Forked { branch };
            one.by.settled = settled.contains(&id);
        }
        let replay = board.replay();
        assert_eq!(replay.entries[&on_left], Standing::Counts, "it has a place");
        let held = if settled.is_empty() { Standing::Held } else { expected };
        assert_eq!(replay.entries[&left], held);
        let size = |id| replay.pasts[&id].size();
        assert_eq!([shared, other_id, left, right_id].map(size), [1, 1, 2, 2]);
    }
}
