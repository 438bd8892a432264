//! Random histories by five organisations, each of which knows only part of what the others wrote: the
//! outcome is the same in any order of arrival and in any batches.
//!
//! Histories go somewhere: what people would do next is one act in three, and each thing is done by an
//! organisation that may, most of the time. A companion test counts what they come to.

use alloc::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;
use crate::{
    artefact::{
        calendar,
        kind::{Among, Caution, Count, EventKind, Param, Scalar},
        kinds, scalar,
    },
    decision::Standing as Stands,
};

/// What an organisation does, knowing all but the last few entries of the others.
#[derive(Debug, Clone)]
struct Act {
    by: u8,
    lag: usize,
    no: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Title,
    Text,
    Item,
    Remove,
    Amount,
    /// What people wait for.
    Onwards,
    /// Any event.
    Event,
    Propose,
    Answer(Answer),
    /// An answer to other wording.
    Stale,
    Close,
    Settle,
    /// Says to hold everything.
    Acknowledge,
    /// Its last entry has a rival.
    Fork,
    /// Some entry is not settled.
    Unsettle,
    /// Some payload has not come.
    Due,
    Widen,
    /// Changes that rely on nothing, and so on what nobody can find.
    Bare,
}

fn any_act() -> impl Strategy<Value = Act> {
    let answer = prop_oneof![Just(Answer::Approve), Just(Answer::Reject), Just(Answer::Recused)];
    let what = prop_oneof![
        2 => Just(What::Title),
        2 => Just(What::Text),
        2 => Just(What::Item),
        2 => Just(What::Remove),
        3 => Just(What::Amount),
        14 => Just(What::Onwards),
        6 => Just(What::Event),
        1 => Just(What::Propose),
        3 => answer.prop_map(What::Answer),
        1 => Just(What::Stale),
        1 => Just(What::Close),
        2 => Just(What::Settle),
        1 => Just(What::Acknowledge),
        1 => Just(What::Fork),
        1 => Just(What::Unsettle),
        1 => Just(What::Due),
        1 => Just(What::Widen),
        1 => Just(What::Bare),
    ];
    let lag = prop_oneof![3 => Just(0usize), 2 => 1usize..6];
    (1u8..6, lag, 0usize..60, what).prop_map(|(by, lag, no, what)| Act { by, lag, no, what })
}

fn number(id: &OrgId) -> u8 {
    (1..=6).find(|number| org(*number) == *id).unwrap()
}

fn word(text: &str) -> Value {
    Value::Text(text.into())
}

impl Partnership {
    /// The same as an organisation knows it that has not received the last entries of others.
    fn as_known(&self, by: u8, lag: usize) -> Self {
        let len = self.dossier.entries.len().saturating_sub(lag).max(1);
        let mut dossier = self.dossier.clone();
        let mut place = 0;
        dossier.entries.retain(|one| {
            place += 1;
            place <= len || one.by.org == org(by)
        });
        let (charter, skeleton) = (self.charter.clone(), Arc::clone(&self.skeleton));
        Self { charter, skeleton, dossier, clock: self.clock, actors: self.actors }
    }

    /// Above a fork nobody goes on: that would be one branch or the other.
    fn is_forked(&self, by: u8) -> bool {
        let own = |one: &&Entry| one.by.org == org(by);
        self.dossier.entries.iter().filter(own).any(|one| one.by.branch().is_some())
    }

    fn act(&mut self, act: &Act) {
        let Act { by, lag, no, .. } = *act;
        let item = ItemId::fresh([u8::try_from(no % 2).unwrap(); 16]);
        let list = || path("finance/split");
        match &act.what {
            What::Title => self.edit_known(act, vec![title(&no.to_string())]),
            What::Text => self.edit_known(act, vec![splice("summary", 0, &"word ".repeat(no % 4))]),
            What::Item => {
                self.edit_known(
                    act,
                    vec![Intent::AddItem { at: list(), id: item, spot: Spot::First }],
                );
            }
            What::Remove => {
                let at = list().then(item.as_str());
                self.edit_known(act, vec![Intent::RemoveItem { at }]);
            }
            What::Amount => {
                let pence = Atom::Int(i64::try_from(no).unwrap());
                let amount = list().then(item.as_str()).then("pence");
                let at = if no.is_multiple_of(3) { path("finance/total_pence") } else { amount };
                self.edit_known(act, vec![Intent::Set { at, value: pence }]);
            }
            What::Bare => self.bare(act),
            What::Onwards => self.go_on(act),
            What::Event => {
                let events: Vec<_> = self.skeleton.kind().all_events().collect();
                let event = events[no % events.len()];
                self.event_known(act, event);
            }
            What::Propose => self.propose_known(by, lag),
            What::Answer(answer) => self.answer(act, by, *answer, false),
            What::Stale => self.answer(act, by, Answer::Approve, true),
            What::Close => self.close(act),
            What::Settle => self.settle(act),
            What::Acknowledge => self.acknowledge([by]),
            What::Fork => self.fork(by),
            What::Unsettle | What::Due => {
                let at = self.dossier.entries.len().saturating_sub(1 + no % 8);
                let entry = &mut self.dossier.entries[at];
                if matches!(act.what, What::Due) && entry.kind != Kind::OPEN {
                    entry.content = Content::Due;
                } else {
                    entry.by.settled = false;
                }
            }
            What::Widen => {
                let whom = u8::try_from(no % 5).unwrap() + 1;
                let widening = Widening { orgs: vec![org(whom)], reason: Reason::MENTIONED };
                self.write_known(by, lag, Kind::AUDIENCE, widening.to_bytes());
            }
        }
    }

    fn write_known(&mut self, by: u8, lag: usize, kind: Kind, payload: Vec<u8>) {
        if !self.is_forked(by) {
            let refs = self.as_known(by, lag).replay().refs(&feed(by), &[]);
            self.write(by, kind, payload, refs);
        }
    }

    /// What is to be done in the state that the organisation knows.
    fn go_on(&mut self, act: &Act) {
        let known = self.as_known(act.by, act.lag).replay();
        let life = &known.lifecycle;
        let step = match life.base {
            "draft"
                if self.skeleton.kind().name == "mutual_aid" && life.capacity.lines.is_empty() =>
            {
                "line_quantity"
            }
            "draft" if self.skeleton.kind().name == "mutual_aid" => "offer",
            "draft" | "drafting" => "consult",
            "proposed" => "begin_drafting",
            "consultation" if self.skeleton.kind().name == "standard" => "begin_clinical_review",
            "consultation" | "notice" | "not_carried" | "clinical_review" => {
                return self.propose_known([5, 1][act.no % 2], act.lag);
            }
            "frozen" => {
                let answer =
                    if act.no.is_multiple_of(3) { Answer::Reject } else { Answer::Approve };
                (1..=4).for_each(|by| self.answer(act, by, answer, false));
                if !act.no.is_multiple_of(5) {
                    self.acknowledge_all();
                }
                return;
            }
            "decided" => "begin_standstill",
            "standstill" if act.no.is_multiple_of(2) => "call_in",
            "standstill" => "suspend",
            "offered" if life.capacity.claims.is_empty() || act.no.is_multiple_of(4) => "claim",
            "offered" => "confirm",
            "deferred" => "resume",
            _ => return,
        };
        let event = self.skeleton.kind().event(step).unwrap();
        self.event_known(act, event);
    }

    /// An event with values that fit, by an organisation that may write it, but once in six times.
    fn event_known(&mut self, act: &Act, event: &'static EventKind) {
        let known = self.as_known(act.by, act.lag).replay();
        let Some((named, values)) = fitting(&known, event, act.no) else { return };
        let no = act.no;
        let by = match event.who.org {
            _ if no % 6 == 5 => act.by,
            Among::Members => act.by,
            Among::Sponsor | Among::Offering => 1,
            Among::Secretariat => [5, 1][no % 2],
            Among::Classes(_) => [2, 1][no % 2],
            Among::Locality => [1, 3][no % 2],
            Among::Requesting => act.by.max(2),
            Among::Author => {
                named.and_then(|id| known.written.get(&id)).map_or(1, |by| number(&by.org))
            }
        };
        let event = Event { name: event.name.into(), values };
        self.write_known(by, act.lag, Kind::EVENT, event.to_bytes());
    }

    fn propose_known(&mut self, by: u8, lag: usize) {
        let known = self.as_known(by, lag);
        if let Some(proposal) = known.proposal(&known.document()) {
            self.write_known(by, lag, Kind::PROPOSAL, proposal.to_bytes());
        }
    }

    fn answer(&mut self, act: &Act, by: u8, answer: Answer, is_stale: bool) {
        let known = self.as_known(by, act.lag).replay();
        let last = known.lifecycle.proposal.or_else(|| known.proposals.keys().next().copied());
        let Some(proposal) = last else { return };
        let Some(said) = known.proposals.get(&proposal) else { return };
        let wording = if is_stale { Fixed([1; 32]) } else { said.says.wording };
        let sign_off = SignOff { proposal, answer, wording };
        self.write_known(by, act.lag, Kind::SIGNOFF, sign_off.to_bytes());
    }

    fn close(&mut self, act: &Act) {
        let known = self.as_known(5, act.lag).replay();
        let Some((proposal, said)) = known.proposals.iter().next_back() else { return };
        let firsts = said.poll.slips.iter().filter(|slip| slip.is_first());
        let mut counted: Vec<EntryId> = firsts.map(|slip| slip.entry).collect();
        counted.sort_unstable();
        let close = Close { proposal: *proposal, counted };
        self.write_known(5, act.lag, Kind::CLOSE, close.to_bytes());
    }

    fn settle(&mut self, act: &Act) {
        let found = self.as_known(act.by, act.lag).conflicts();
        let Some(conflict) = found.get(act.no % found.len().max(1)) else { return };
        let said = [conflict.code.to_string(), conflict.about.clone(), "so".into()];
        let mut values: Vec<Value> = said.map(Value::Text).into();
        values.push(Value::List(vec![]));
        let event = Event { name: "settle_conflict".into(), values };
        self.write_known(act.by, act.lag, Kind::EVENT, event.to_bytes());
    }

    fn fork(&mut self, by: u8) {
        let own = |one: &&mut Entry| one.by.org == org(by) && one.kind != Kind::OPEN;
        if by == 1 || self.is_forked(by) {
            return;
        }
        let Some(last) = self.dossier.entries.iter_mut().rfind(own) else { return };
        let mut rival = last.clone();
        let mut id = *last.by.entry.as_bytes();
        id[31] ^= 0xff;
        rival.by.entry = EntryId::from_bytes(id);
        rival.by.settled = false;
        rival.is_kept = false;
        for entry in [last, &mut rival] {
            entry.by.standing = Stands::Forked { branch: entry.by.entry };
        }
        self.dossier.entries.push(rival);
    }

    fn bare(&mut self, act: &Act) {
        let known = self.as_known(act.by, act.lag);
        let only = Replay { changes: vec![], ..known.replay() };
        self.edit_relying(act, &known, &only, vec![title("bare")]);
    }

    fn edit_known(&mut self, act: &Act, intents: Vec<Intent>) {
        let known = self.as_known(act.by, act.lag);
        let replay = known.replay();
        self.edit_relying(act, &known, &replay, intents);
    }

    /// Writes an edit of what is known, if it can be made.
    fn edit_relying(&mut self, act: &Act, known: &Self, replay: &Replay, intents: Vec<Intent>) {
        self.actors += 1;
        let actor = Actor::of(ActorPrefix::of(&feed(act.by)), [self.actors; 16]);
        let document = known.document();
        if let Ok(edited) = edit(&document, intents, actor, TimeMs(self.clock))
            && !self.is_forked(act.by)
        {
            let raw = edited.changes.into_iter().map(Blob::from).collect();
            let refs = replay.refs(&feed(act.by), &document.heads());
            self.write(act.by, Kind::CHANGE, Changes { raw }.to_bytes(), refs);
        }
    }
}

/// Values for an event, and the entry that it names; none if there is nothing to name.
fn fitting(known: &Replay, event: &EventKind, no: usize) -> Option<(Option<EntryId>, Vec<Value>)> {
    let life = &known.lifecycle;
    let mut named = None;
    let mut values = Vec::new();
    for param in event.params {
        let is_answer = event.name == "confirm" && !no.is_multiple_of(3);
        let one = if param.count != Count::One {
            Value::List(vec![])
        } else if param.scalar == Scalar::Entry {
            let there: Vec<EntryId> = match param.name {
                "claim" => life.capacity.claims.keys().copied().collect(),
                "call_in" | "suspension" => life.holds.iter().map(|hold| hold.entry).collect(),
                "step" => life.tips.iter().map(|tip| tip.entry).collect(),
                _ => known.proposals.keys().copied().collect(),
            };
            let id = *there.get(no % there.len().max(1))?;
            named = named.or(Some(id));
            Value::Bytes(id.as_bytes().to_vec())
        } else if param.scalar == Scalar::Decimal && is_answer {
            // A claim is confirmed in whole, or not.
            let claim = named.and_then(|id| life.capacity.claims.get(&id))?;
            Value::Text(scalar::quantity(claim.qty))
        } else {
            plain(param, no)
        };
        values.push(one);
    }
    Some((named, values))
}

fn plain(param: &Param, no: usize) -> Value {
    match param.scalar {
        Scalar::Text { .. } if param.name == "line" => word("nurses"),
        Scalar::Text { .. } => word("words"),
        Scalar::Int { min, .. } => Value::Uint(min),
        Scalar::Money | Scalar::Bool => Value::Uint(1),
        Scalar::Decimal => word(["1", "2", "3"][no % 3]),
        Scalar::Date => word("2017-12-04"),
        Scalar::DateTime if param.name == "from" => word("2017-12-09T20:00Z"),
        Scalar::DateTime => word("2017-12-10T08:00Z"),
        Scalar::Year => word("2017/18"),
        Scalar::Enum(values) => word(values[no % values.len()]),
        Scalar::Code(list) if list.name == "localities" => word("bury"),
        Scalar::Code(list) => word(list.codes[0].0),
        Scalar::Url => word("https://example.org/paper"),
        Scalar::Org => Value::Bytes(org(1).as_bytes().to_vec()),
        Scalar::Artefact | Scalar::Hash | Scalar::Entry => Value::Bytes(vec![9; 32]),
    }
}

fn history(kind: usize, narrow: bool, acts: &[Act]) -> Partnership {
    let only = Audience::Only((1..=4).map(org).collect());
    let audience = if narrow { only } else { Audience::Everyone };
    let mut board = Partnership::new(kinds::ALL[kind], audience);
    for act in acts {
        board.act(act);
    }
    board
}

/// All that must be equal: standings, changes, results, state, conflicts, and the saved bytes.
fn outcome(board: &Partnership, batch: usize) -> impl PartialEq + core::fmt::Debug + use<> {
    let replay = board.replay();
    let raw: Vec<&[u8]> = replay.applied().collect();
    let mut document = Document::new(&board.skeleton);
    for batch in raw.chunks(batch) {
        document = document.with(batch).unwrap();
    }
    let save = document.save().unwrap();
    let found = conflicts(&replay, &document, &read(&document));
    let polls: Vec<_> = replay.proposals.into_iter().map(|(id, one)| (id, one.poll)).collect();
    (replay.entries, replay.changes, polls, replay.lifecycle, found, save)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_batches_give_the_same(
        kind in 0usize..3,
        acts in proptest::collection::vec(any_act(), 1..40),
        narrow in proptest::bool::weighted(0.2),
        turn in 0usize..40,
        batch in 1usize..9,
    ) {
        let mut board = history(kind, narrow, &acts);
        let expected = outcome(&board, usize::MAX);
        let len = board.dossier.entries.len();
        board.dossier.entries.rotate_left(turn % len);
        prop_assert!(outcome(&board, batch) == expected);
        board.dossier.entries.reverse();
        prop_assert!(outcome(&board, 1) == expected);
    }
}

/// What one history came to, in words.
fn reached(board: &Partnership) -> BTreeSet<String> {
    let replay = board.replay();
    let found = board.conflicts();
    let day = calendar::day("2017-12-05").unwrap();
    let shown = replay.lifecycle.at(day);
    let states = [shown.caution.name(), shown.name, replay.lifecycle.base];
    let mut all = BTreeSet::from(states.map(ToString::to_string));
    all.extend(found.iter().map(|one| one.code.to_string()));
    let settled = found.iter().filter(|one| one.settled_by.is_some());
    all.extend(settled.map(|_| "settled".to_string()));
    all.extend(replay.proposals.values().map(|one| alloc::format!("{:?}", one.poll.ruling)));
    all.extend(replay.entries.values().map(|standing| alloc::format!("{standing:?}")));
    let waits = |why: &lifecycle::NoEffect| matches!(why, lifecycle::NoEffect::Waits { .. });
    if replay.lifecycle.without_effect.values().any(waits) {
        all.insert("waits".into());
    }
    all
}

/// Else equal outcomes would say nothing about them.
#[test]
fn random_histories_come_to_every_class_of_state_and_every_conflict() {
    let mut runner = TestRunner::deterministic();
    let acts = proptest::collection::vec(any_act(), 30..40);
    let mut all = BTreeSet::new();
    for number in 0..120 {
        let acts = acts.new_tree(&mut runner).unwrap().current();
        all.extend(reached(&history(number % 3, number % 5 == 4, &acts)));
    }
    let classes = [
        Caution::Approved,
        Caution::Plain,
        Caution::Deferred,
        Caution::CalledIn,
        Caution::Withdrawn,
        Caution::Suspended,
    ];
    let states = [
        "frozen",
        "not_carried",
        "decided",
        "standstill",
        "called_in",
        "withdrawn",
        "confirmed",
        "part_confirmed",
    ];
    let standings = [Standing::Held, Standing::OutsideAudience, Standing::Waiting(Lack::Payload)];
    let mut expected: BTreeSet<_> = classes.map(|class| class.name().to_string()).into();
    expected.extend(states.map(ToString::to_string));
    expected.extend(Code::ALL.map(|code| code.to_string()));
    expected.extend(standings.map(|standing| alloc::format!("{standing:?}")));
    expected.extend(["settled", "waits", "Open", "Carried", "Failed"].map(ToString::to_string));
    let missing: Vec<_> = expected.difference(&all).collect();
    assert!(missing.is_empty(), "{missing:?} of {all:?}");
}
