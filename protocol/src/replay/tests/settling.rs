//! Conflicts that are shown, and who settles them: an organisation that may, and nobody else.

use super::*;
use crate::artefact::kinds::MUTUAL_AID;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn none() -> Value {
    Value::List(vec![])
}

fn named(entry: EntryId) -> Value {
    Value::Bytes(entry.as_bytes().to_vec())
}

impl Partnership {
    /// Which organisations settle the only conflict by saying so, each on its own.
    fn settlers(&self) -> Vec<u8> {
        let found = self.conflicts();
        assert_eq!(found.len(), 1, "{found:?}");
        let said = [text(&found[0].code.to_string()), text(&found[0].about), text("so"), none()];
        let settles = |by: &u8| {
            let mut board = self.clone();
            let settled = board.event(*by, "settle_conflict", said.to_vec());
            board.conflicts()[0].settled_by == Some(settled)
        };
        (1..=6).filter(settles).collect()
    }
}

#[test]
fn several_values_are_settled_by_the_sponsor_and_paragraphs_by_anybody() {
    let mut board = decision();
    let (document, known) = (board.document(), board.replay());
    let mut paragraphs = board.clone();
    board.edit_from(2, &document, &known, vec![title("a")]);
    board.edit_from(3, &document, &known, vec![title("b")]);
    assert_eq!((board.codes(), board.settlers()), (vec![Code::Values], vec![1]));
    paragraphs.edit_from(2, &document, &known, vec![splice("summary", 0, "First. ")]);
    paragraphs.edit_from(3, &document, &known, vec![splice("summary", 0, "Last. ")]);
    assert_eq!(paragraphs.codes(), [Code::Paragraph]);
    assert_eq!(paragraphs.settlers(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_disputed_item_is_settled_by_the_sponsor_and_a_sum_by_any_member() {
    let mut board = decision();
    let id = ItemId::fresh([5; 16]);
    let item = path("finance/split").then(id.as_str());
    board.edit(1, vec![Intent::AddItem { at: path("finance/split"), id, spot: Spot::First }]);
    let mut sums = board.clone();
    let (document, known) = (board.document(), board.replay());
    board.edit_from(2, &document, &known, vec![Intent::RemoveItem { at: item.clone() }]);
    let year = Intent::Set { at: item.then("year"), value: Atom::Text("2017/18".into()) };
    board.edit_from(3, &document, &known, vec![year]);
    assert_eq!((board.codes(), board.settlers()), (vec![Code::Item], vec![1]));
    sums.edit(1, vec![set("finance/total_pence", Atom::Int(100))]);
    sums.edit(2, vec![Intent::Set { at: item.then("pence"), value: Atom::Int(99) }]);
    assert_eq!((sums.codes(), sums.settlers()), (vec![Code::Sum], vec![1, 2, 3, 4, 5]));
}

#[test]
fn late_edits_and_steps_taken_at_once_are_settled_by_the_secretariat() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    board.event(1, "consult", vec![]);
    let mut steps = board.clone();
    let (document, known) = (board.document(), board.replay());
    board.propose(5);
    board.edit_from(2, &document, &known, vec![title("b")]);
    assert_eq!((board.codes(), board.settlers()), (vec![Code::Amendment], vec![1, 5]));
    let refs = |by| known.refs(&feed(by), &[]);
    let event = |name: &str, values| Event { name: name.into(), values }.to_bytes();
    steps.write(1, Kind::EVENT, event("withdraw", vec![text("no need")]), refs(1));
    steps.write(5, Kind::EVENT, event("give_notice", vec![]), refs(5));
    assert_eq!((steps.codes(), steps.settlers()), (vec![Code::Steps], vec![1, 5]));
}

/// The votes and the withdrawal cross: both stand until the secretariat decides.
#[test]
fn a_decision_that_is_withdrawn_while_it_is_carried_is_shown() {
    let mut board = decision();
    board.edit(1, vec![title("a")]);
    board.event(1, "consult", vec![]);
    let proposal = board.propose(5);
    board.sign(1, proposal, Answer::Approve);
    let known = board.replay();
    for by in 2..=4 {
        board.sign(by, proposal, Answer::Approve);
    }
    board.acknowledge_all();
    assert_eq!(board.replay().lifecycle.base, "decided");
    let event = Event { name: "withdraw".into(), values: vec![text("no need")] };
    let refs = known.refs(&feed(1), &[]);
    let withdrawn = board.write(1, Kind::EVENT, event.to_bytes(), refs);
    assert_eq!(board.replay().lifecycle.why_not(&withdrawn), None);
    assert_eq!(board.replay().lifecycle.base, "withdrawn");
    let found = board.conflicts();
    let sides: Vec<_> =
        found[0].sides.iter().map(|side| (side.says.as_str(), side.entries.clone())).collect();
    assert_eq!(sides, [("withdrawn", vec![withdrawn]), ("decided", vec![proposal])]);
    board.event(5, "uphold", vec![named(proposal), none()]);
    assert_eq!((board.replay().lifecycle.base, board.codes()), ("decided", vec![]));
}

#[test]
fn answers_are_settled_by_the_organisation_that_gave_them() {
    let mut board = decision();
    board.event(1, "consult", vec![]);
    let proposal = board.propose(5);
    let mut stale = board.clone();
    board.sign(2, proposal, Answer::Approve);
    board.sign(2, proposal, Answer::Reject);
    assert_eq!((board.codes(), board.settlers()), (vec![Code::Answers], vec![2]));
    let sign_off = SignOff { proposal, answer: Answer::Approve, wording: Fixed([1; 32]) };
    stale.add(3, Kind::SIGNOFF, sign_off.to_bytes());
    assert_eq!((stale.codes(), stale.settlers()), (vec![Code::Stale], vec![3]));
}

fn quantity(qty: &str) -> Vec<Value> {
    let times = ["2017-12-09T20:00Z", "2017-12-11T08:00Z"];
    vec![text("nurses"), text(qty), text("shift"), text(times[0]), text(times[1])]
}

fn claim(qty: &str) -> Vec<Value> {
    let mut values = quantity(qty);
    values.remove(2);
    values.insert(0, Value::Bytes(org(1).as_bytes().to_vec()));
    values
}

#[test]
fn claims_above_the_offer_are_shown_and_settled_by_who_offers() {
    let mut board = Partnership::new(&MUTUAL_AID, Audience::Everyone);
    let line = board.event(1, "line_quantity", quantity("3"));
    board.event(1, "offer", vec![text("2017-12-08T12:00Z")]);
    let first = board.event(2, "claim", claim("2"));
    assert_eq!(board.codes(), []);
    let second = board.event(3, "claim", claim("2"));
    let side = |says: &str, by: u8, entry: EntryId| {
        let at = board.dossier.entries.iter().find(|one| one.by.entry == entry).unwrap().by.at;
        Side { says: says.into(), orgs: vec![org(by)], entries: vec![entry], at: Some(at) }
    };
    let mut sides = vec![side("3 shift", 1, line)];
    let mut claims = [(first, 2), (second, 3)];
    claims.sort_unstable();
    sides.extend(claims.map(|(entry, by)| side("claimed 2, confirmed 0", by, entry)));
    let about = "nurses".into();
    let expected = Conflict { code: Code::Capacity, about, sides, settled_by: None };
    assert_eq!((board.conflicts(), board.settlers()), (vec![expected], vec![1]));
    let mut declined = board.clone();
    declined.event(1, "decline_claim", vec![named(second), text("no more")]);
    assert_eq!(declined.codes(), []);
    board.event(1, "confirm", vec![named(first), text("2")]);
    board.event(1, "confirm", vec![named(second), text("1")]);
    assert_eq!(board.codes(), []);
    board.event(1, "line_quantity", quantity("1"));
    let short = board.conflicts();
    let says: Vec<&str> = short[0].sides.iter().map(|side| side.says.as_str()).collect();
    assert_eq!(short.len(), 1);
    assert_eq!(says[0], "1 shift");
    assert!(says.contains(&"claimed 2, confirmed 2") && says.contains(&"claimed 2, confirmed 1"));
}

#[test]
fn adoption_is_settled_by_the_organisations_of_the_locality() {
    let mut board = Partnership::new(&STANDARD, Audience::Everyone);
    board.edit(1, vec![title("a")]);
    for step in ["begin_drafting", "consult", "begin_clinical_review"] {
        board.event(1, step, vec![]);
    }
    let [replaced, carried] = [5, 5].map(|by| board.propose(by));
    for by in 1..=4 {
        board.sign(by, carried, Answer::Approve);
    }
    board.acknowledge_all();
    board.event(1, "adopt", vec![text("bury"), named(replaced), text("full"), none(), none()]);
    assert_eq!((board.codes(), board.settlers()), (vec![Code::Adoption], vec![1, 3]));
}
