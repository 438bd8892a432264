//! Random histories by five organisations, each of which knows only part of what the others wrote: the
//! outcome is the same in any order of arrival and in any batches.

use proptest::prelude::*;

use super::*;

/// What an organisation does, knowing all but the last few entries of the others.
#[derive(Debug, Clone)]
struct Act {
    by: u8,
    lag: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Title(u8),
    Text(u8),
    Item(u8),
    Remove(u8),
    Consult,
    Withdraw,
    Propose,
    Answer(Answer),
    Widen(u8),
    /// Changes that rely on nothing, and so on what nobody can find.
    Bare,
}

fn any_act() -> impl Strategy<Value = Act> {
    let small = || 0u8..4;
    let answer = prop_oneof![Just(Answer::Approve), Just(Answer::Reject), Just(Answer::Recused)];
    let what = prop_oneof![
        3 => small().prop_map(What::Title),
        3 => small().prop_map(What::Text),
        2 => small().prop_map(What::Item),
        1 => small().prop_map(What::Remove),
        1 => Just(What::Consult),
        1 => Just(What::Withdraw),
        1 => Just(What::Propose),
        3 => answer.prop_map(What::Answer),
        1 => (1u8..6).prop_map(What::Widen),
        1 => Just(What::Bare),
    ];
    (1u8..6, 0usize..6, what).prop_map(|(by, lag, what)| Act { by, lag, what })
}

impl Partnership {
    /// The same as an organisation knows it that has not received the last entries of others.
    fn as_known(&self, act: &Act) -> Self {
        let len = self.dossier.entries.len().saturating_sub(act.lag).max(1);
        let mut dossier = self.dossier.clone();
        let mut place = 0;
        dossier.entries.retain(|one| {
            place += 1;
            place <= len || one.by.org == org(act.by)
        });
        let (charter, skeleton) = (self.charter.clone(), Arc::clone(&self.skeleton));
        Self { charter, skeleton, dossier, clock: self.clock, actors: self.actors }
    }

    fn act(&mut self, act: &Act) {
        let known = self.as_known(act);
        let (replay, by) = (known.replay(), act.by);
        let refs = replay.refs(&feed(by), &[]);
        let edits = |intents| Some(intents);
        let item = |no: u8| ItemId::fresh([no; 16]);
        let list = || path("recommendations");
        let intents = match act.what {
            What::Title(no) => edits(vec![title(&no.to_string())]),
            What::Text(no) => edits(vec![splice("summary", 0, &"word ".repeat(no.into()))]),
            What::Item(no) => {
                edits(vec![Intent::AddItem { at: list(), id: item(no), after: None }])
            }
            What::Remove(no) => {
                edits(vec![Intent::RemoveItem { at: list().then(item(no).as_str()) }])
            }
            What::Bare => {
                let only = Replay { changes: vec![], ..replay.clone() };
                known_edit(self, act, &known, &only, vec![title("bare")]);
                None
            }
            What::Consult | What::Withdraw => {
                let name = if matches!(act.what, What::Consult) { "consult" } else { "withdraw" };
                let event = Event { name: name.into(), values: vec![Value::List(vec![])] };
                self.write(by, Kind::EVENT, event.to_bytes(), refs.clone());
                None
            }
            What::Propose => {
                self.propose_known(by, &known, refs.clone());
                None
            }
            What::Answer(answer) => {
                let last = replay.proposals.iter().next_back();
                if let Some((proposal, said)) = last {
                    let wording = said.says.wording;
                    let sign_off = SignOff { proposal: *proposal, answer, wording };
                    self.write(by, Kind::SIGNOFF, sign_off.to_bytes(), refs.clone());
                }
                None
            }
            What::Widen(whom) => {
                let widening = Widening { orgs: vec![org(whom)], reason: Reason::MENTIONED };
                self.write(by, Kind::AUDIENCE, widening.to_bytes(), refs.clone());
                None
            }
        };
        if let Some(intents) = intents {
            known_edit(self, act, &known, &replay, intents);
        }
    }

    fn propose_known(&mut self, by: u8, known: &Self, refs: Vec<EntryId>) {
        let document = known.document();
        let Ok(frozen) = wording(&DECISION, &read(&document)) else { return };
        let proposal = Proposal {
            heads: document.heads().into_iter().map(|head| Fixed(head.0)).take(32).collect(),
            wording: frozen.digest(),
            snapshot: Blob::from(frozen.to_bytes()),
            rule: self.charter.rules[0].name.clone(),
            closer: org(5),
            closes_at: TimeMs(NOON),
            replaces: None,
        };
        self.write(by, Kind::PROPOSAL, proposal.to_bytes(), refs);
    }
}

/// Writes an edit of what is known, if it can be made.
fn known_edit(
    board: &mut Partnership,
    act: &Act,
    known: &Partnership,
    replay: &Replay,
    intents: Vec<Intent>,
) {
    board.actors += 1;
    let actor = Actor::of(ActorPrefix::of(&feed(act.by)), [board.actors; 16]);
    let document = known.document();
    if let Ok(edited) = edit(&document, intents, actor, TimeMs(board.clock)) {
        let raw = edited.changes.into_iter().map(Blob::from).collect();
        let refs = replay.refs(&feed(act.by), &document.heads());
        board.write(act.by, Kind::CHANGE, Changes { raw }.to_bytes(), refs);
    }
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
        acts in proptest::collection::vec(any_act(), 1..24),
        narrow in any::<bool>(),
        turn in 0usize..40,
        batch in 1usize..9,
    ) {
        let only = || Audience::Only(vec![org(1), org(2), org(3)]);
        let audience = if narrow { only() } else { Audience::Everyone };
        let mut board = Partnership::new(&DECISION, audience);
        for act in &acts {
            board.act(act);
        }
        let expected = outcome(&board, usize::MAX);
        let len = board.dossier.entries.len();
        board.dossier.entries.rotate_left(turn % len);
        prop_assert!(outcome(&board, batch) == expected);
        board.dossier.entries.reverse();
        prop_assert!(outcome(&board, 1) == expected);
    }
}
