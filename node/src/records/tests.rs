//! Collections and records of a node without a daemon: kept, found, deleted, promoted; what is refused.

use std::{fs, path::Path};

use crate::{
    control::{
        Act, Answer, AsOf, Deed, Leaving, Look, Promoting, PromotionLine, RecordsAnswer,
        RecordsAsked, RecordsChange, RecordsKept, RecordsLook, RecordsPut, RecordsQuery, Refusal,
        Request, Values, Word,
    },
    fixture::{Partner, found, partner},
    store::{KeyRange, Order, Own, open},
};

use super::*;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/collections");

/// A member of a board with a decision, and the example collections.
fn member() -> Partner {
    let wigan = partner("la-wigan", "council");
    let board = found(&[&wigan, &partner("ccg-trafford", "ccg")]);
    wigan.ask(Request::Join { paper: board.to_text() }).unwrap();
    fs::create_dir(wigan.home.collections()).unwrap();
    for file in fs::read_dir(EXAMPLES).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, wigan.home.collections().join(path.file_name().unwrap())).unwrap();
    }
    let deed = Deed::Open {
        board: None,
        kind: "decision".to_owned(),
        audience: Vec::new(),
        title: Some("Winter fund".to_owned()),
    };
    act(&wigan, deed);
    wigan
}

fn act(partner: &Partner, deed: Deed) {
    let act = Act { role: None, word: Word::CommandLine, deed };
    partner.ask(Request::Act(act)).unwrap();
}

fn ask(partner: &Partner, asked: RecordsAsked) -> Result<RecordsAnswer, Refusal> {
    match partner.ask(Request::Records(Box::new(asked)))? {
        Answer::Records(answer) => Ok(answer),
        other => panic!("{other:?}"),
    }
}

fn line(number: &str, amount: &str) -> Values {
    let pairs = [
        ("line", number),
        ("posted_on", "2017-11-30"),
        ("scheme", "Winter beds"),
        ("amount", amount),
        ("status", "paid"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn put(partner: &Partner, rows: Vec<Values>, replaces: bool) -> Result<RecordsKept, Refusal> {
    let put = RecordsPut { collection: "ledger".to_owned(), rows, replaces };
    match ask(partner, RecordsAsked::Change(RecordsChange::Put(put)))? {
        RecordsAnswer::Kept(kept) => Ok(kept),
        other => panic!("{other:?}"),
    }
}

fn list(partner: &Partner, conditions: &[&str], limit: usize) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    let mut query = RecordsQuery {
        collection: "ledger".to_owned(),
        conditions: conditions.iter().map(|text| (*text).to_owned()).collect(),
        after: None,
        limit,
    };
    loop {
        let asked = RecordsAsked::Look(RecordsLook::List(query.clone()));
        let RecordsAnswer::Page(page) = ask(partner, asked)? else { panic!("no page") };
        assert!(page.records.len() <= limit);
        ids.extend(page.records.into_iter().map(|record| record.record));
        match page.next {
            None => return Ok(ids),
            next => query.after = next,
        }
    }
}

fn what(fields: &[&str], targets: &[(&str, &str)]) -> Promoting {
    Promoting {
        collection: "ledger".to_owned(),
        record: "L1".to_owned(),
        artefact: "decision".to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        targets: targets.iter().map(|(one, to)| ((*one).to_owned(), (*to).to_owned())).collect(),
    }
}

fn leaving(partner: &Partner, what: Promoting) -> Result<Leaving, Refusal> {
    match ask(partner, RecordsAsked::Look(RecordsLook::Leaving(what)))? {
        RecordsAnswer::Leaving(leaving) => Ok(*leaving),
        other => panic!("{other:?}"),
    }
}

fn promote(partner: &Partner, what: Promoting) -> Result<PromotionLine, Refusal> {
    let seal = leaving(partner, what.clone())?.seal;
    let word = Word::CommandLine;
    match ask(partner, RecordsAsked::Promote { what, seal, word })? {
        RecordsAnswer::Promoted(line) => Ok(*line),
        other => panic!("{other:?}"),
    }
}

fn promotions(partner: &Partner) -> Vec<PromotionLine> {
    let asked = RecordsLook::Promotions { after: None, limit: 50 };
    match ask(partner, RecordsAsked::Look(asked)).unwrap() {
        RecordsAnswer::Promotions(page) => page.promotions,
        other => panic!("{other:?}"),
    }
}

/// How many rows the table of records has, whatever they are.
fn rows(partner: &Partner) -> usize {
    let store = open(&partner.home.store(), partner.config.store()).unwrap();
    let all = store.reader().scan(Own::Records, &KeyRange::all(), 1_000, Order::Ascending);
    all.unwrap().len()
}

#[test]
fn every_example_is_a_collection() {
    let member = member();
    let asked = RecordsAsked::Look(RecordsLook::Collections);
    let RecordsAnswer::Collections(lines) = ask(&member, asked).unwrap() else { panic!("no list") };
    let names: Vec<&str> = lines.iter().map(|line| line.collection.as_str()).collect();
    assert_eq!(names, ["beds", "delays", "forward-plan", "ledger", "returns"]);
    assert_eq!(fs::read_dir(EXAMPLES).unwrap().count(), names.len());
    assert!(lines.iter().all(|line| line.records == Some(0)));
}

#[test]
fn a_collection_is_named_by_its_file_and_no_path() {
    let member = member();
    let named = |name: &str| Collection::named(&member.home, name).unwrap_err();
    for name in ["../collections/ledger", "Ledger", "", "ledger.toml", "leger"] {
        assert!(matches!(named(name), CollectionError::Unknown { .. }), "{name}");
    }
    let wrong = member.home.collections().join("My ledger.toml");
    fs::copy(Path::new(EXAMPLES).join("ledger.toml"), &wrong).unwrap();
    assert!(matches!(Collection::all(&member.home), Err(CollectionError::Name { .. })));
}

#[test]
fn rows_are_kept_once_and_replaced_only_when_asked() {
    let member = member();
    let rows = || vec![line("L1", "1.00"), line("L2", "£2,000.00")];
    let kept = put(&member, rows(), false).unwrap();
    assert_eq!((kept.added, kept.same), (2, 0));
    let kept = put(&member, rows(), false).unwrap();
    assert_eq!((kept.added, kept.same), (0, 2));
    let changed = || vec![line("L1", "3.00"), line("L3", "4.00")];
    let kept = put(&member, changed(), false).unwrap();
    assert_eq!((kept.added, kept.existing), (1, vec!["L1".to_owned()]));
    assert_eq!(list(&member, &["amount=3.00"], 50).unwrap(), Vec::<String>::new());
    let kept = put(&member, changed(), true).unwrap();
    assert_eq!((kept.replaced, kept.same), (1, 1));
    assert_eq!(list(&member, &["amount=3.00"], 50).unwrap(), ["L1"]);
}

#[test]
fn one_bad_row_keeps_all_out_and_is_told_without_what_it_holds() {
    let member = member();
    let number = "943 476 5919";
    let noted = |text: &str| {
        let mut row = line("L9", "1.00");
        row.insert("note".to_owned(), text.to_owned());
        row
    };
    let table = [
        (line("L9", "12,5"), "bad-value", "row 2, Amount (£): is not pounds and pence"),
        (line("L9", ""), "missing", "row 2, Amount (£): is empty"),
        (line("L1", "1.00"), "repeated-key", "row 2 has the same key as row 1"),
        (line(" L9", "1.00"), "bad-key", "row 2 has a key (line)"),
        (noted(number), "patient-number", "row 2, Note: holds a valid NHS number"),
        (noted("\u{7}"), "bad-value", "row 2, Note: holds a control character"),
        (line("9434765919", "1.00"), "patient-number", "row 2, Line: holds a valid NHS number"),
    ];
    for (row, code, expected) in table {
        let refusal = put(&member, vec![line("L1", "1.00"), row], false).unwrap_err();
        assert_eq!(refusal.code, code, "{}", refusal.message);
        assert!(refusal.message.contains(expected), "{}", refusal.message);
        let digits: String = refusal.message.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains("9434765919"), "{}", refusal.message);
    }
    assert_eq!(rows(&member), 0);
}

#[test]
fn records_are_found_by_conditions_page_by_page() {
    let member = member();
    let amounts = (1..=300).map(|number| line(&format!("L{number:03}"), &format!("{number}.00")));
    put(&member, amounts.collect(), false).unwrap();
    let found = |conditions: &[&str], limit| list(&member, conditions, limit).unwrap();
    assert_eq!(found(&[], 7).len(), 300);
    assert_eq!(found(&["amount>=299.00"], 50), ["L299", "L300"]);
    assert_eq!(found(&["amount<3.00", "amount!=1.00"], 50), ["L002"]);
    assert_eq!(found(&["supplier=", "line=L007"], 50), ["L007"]);
    assert_eq!(found(&["supplier!="], 50), Vec::<String>::new());
    for wrong in ["amount", "amount=12", "colour=red", "=x", "amount>="] {
        let refusal = list(&member, &[wrong], 50).unwrap_err();
        let codes = ["bad-condition", "bad-value", "unknown-field"];
        assert!(codes.contains(&refusal.code.as_str()), "{wrong}: {refusal:?}");
    }
}

#[test]
fn a_record_is_named_by_the_beginning_of_its_id_and_deleted_for_good() {
    let member = member();
    put(&member, vec![line("L1", "1.00"), line("L10", "2.00"), line("L2", "3.00")], false).unwrap();
    let delete = |records: &[&str]| {
        let records = records.iter().map(|id| (*id).to_owned()).collect();
        let delete = RecordsChange::Delete { collection: "ledger".to_owned(), records };
        ask(&member, RecordsAsked::Change(delete)).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(delete(&["L1", "L3"]), Err("unknown-record".to_owned()));
    assert_eq!(delete(&["L"]), Err("which-record".to_owned()));
    assert_eq!(delete(&[""]), Err("unknown-record".to_owned()));
    assert_eq!(rows(&member), 3);
    assert_eq!(delete(&["L1", "L2"]), Ok(()));
    assert_eq!(list(&member, &[], 50).unwrap(), ["L10"]);
    assert_eq!(rows(&member), 1);
}

#[test]
fn what_is_allowed_leaves_as_it_was_shown_and_a_note_stays() {
    let member = member();
    put(&member, vec![line("L1", "1200.50")], false).unwrap();
    let chosen = what(&["amount"], &[("amount", "finance/total_pence")]);
    let shown = leaving(&member, chosen.clone()).unwrap();
    assert_eq!(shown.holders, ["ccg-trafford", "la-wigan"]);
    assert_eq!(shown.values[0].value, "120050");

    let line_written = promote(&member, chosen).unwrap();

    assert_eq!(line_written.written.as_ref().unwrap().len(), 1);
    assert_eq!(promotions(&member), [line_written]);
    let note = serde_json::to_string(&promotions(&member)).unwrap();
    assert!(!note.contains("120050") && !note.contains("1200.50"), "{note}");
    let look = Look::Show { artefact: "decision".into(), as_of: AsOf::Now };
    let Ok(Answer::Artefact(artefact)) = member.ask(Request::Look(look)) else { panic!("no") };
    let total = artefact.fields.iter().find(|field| field.path == "finance/total_pence").unwrap();
    assert_eq!(total.values[0].value, "120050");
    // The record, the note and its salt.
    assert_eq!(rows(&member), 3);
}

#[test]
fn what_is_not_allowed_does_not_leave_and_leaves_no_note() {
    let member = member();
    put(&member, vec![line("L1", "1200.50")], false).unwrap();
    let table = [
        (what(&["status"], &[]), "not-allowed"),
        (what(&["amount"], &[("amount", "summary")]), "not-allowed"),
        (what(&["amount"], &[]), "which-target"),
        (what(&["supplier"], &[]), "not-allowed"),
        (what(&["colour"], &[]), "unknown-field"),
        (what(&["amount"], &[("scheme", "background")]), "unknown-field"),
        (
            what(
                &["amount", "scheme"],
                &[("amount", "finance/total_pence"), ("scheme", "comment:text")],
            ),
            "promote-apart",
        ),
        (Promoting { artefact: "standard".to_owned(), ..what(&[], &[]) }, "unknown-artefact"),
        (Promoting { record: "L7".to_owned(), ..what(&[], &[]) }, "unknown-record"),
    ];
    for (what, code) in table {
        let refusal = promote(&member, what.clone()).unwrap_err();
        assert_eq!(refusal.code, code, "{what:?}: {}", refusal.message);
    }
    assert_eq!((promotions(&member), rows(&member)), (vec![], 1));
}

#[test]
fn what_has_changed_since_it_was_shown_does_not_leave() {
    let member = member();
    put(&member, vec![line("L1", "1200.50")], false).unwrap();
    let chosen = what(&["amount"], &[("amount", "finance/total_pence")]);
    let seal = leaving(&member, chosen.clone()).unwrap().seal;
    put(&member, vec![line("L1", "1200.51")], true).unwrap();
    let asked = RecordsAsked::Promote { what: chosen, seal, word: Word::CommandLine };
    assert_eq!(ask(&member, asked).unwrap_err().code, "changed-meanwhile");
    assert_eq!(rows(&member), 1);
}

#[test]
fn texts_are_added_at_the_end_and_list_fields_share_an_item() {
    let member = member();
    put(&member, vec![line("L1", "1200.50")], false).unwrap();
    let chosen = || {
        what(
            &["amount", "scheme"],
            &[("amount", "finance/split/*/pence"), ("scheme", "background")],
        )
    };
    promote(&member, chosen()).unwrap();
    let again = leaving(&member, chosen()).unwrap();
    assert_eq!(again.values[1].how, "is added at the end of the text");
    promote(&member, chosen()).unwrap();
    promote(&member, what(&["scheme"], &[("scheme", "comment:text")])).unwrap();
    let look = Look::Show { artefact: "decision".into(), as_of: AsOf::Now };
    let Ok(Answer::Artefact(artefact)) = member.ask(Request::Look(look)) else { panic!("no") };
    let field = |path: &str| artefact.fields.iter().find(|field| field.path == path).unwrap();
    assert_eq!(field("background").text.as_deref(), Some("Winter beds\nWinter beds"));
    assert_eq!(field("finance/split").items.len(), 2);
    assert_eq!(artefact.remarks.len(), 1);
    assert_eq!(promotions(&member).len(), 3);
}

#[test]
fn a_number_that_would_come_about_in_the_artefact_is_blocked() {
    let member = member();
    let mut row = line("L1", "1.00");
    row.insert("scheme".to_owned(), "476 5919".to_owned());
    put(&member, vec![row], false).unwrap();
    let edits = vec![crate::control::Edit::Set {
        at: "background".to_owned(),
        value: "Waited: 943".to_owned(),
    }];
    act(&member, Deed::Edit { artefact: "decision".to_owned(), edits });
    let refusal = promote(&member, what(&["scheme"], &[("scheme", "background")])).unwrap_err();
    assert_eq!(refusal.code, "patient-number", "{}", refusal.message);
    assert!(refusal.message.contains("background"), "{}", refusal.message);
    assert_eq!((promotions(&member), rows(&member)), (vec![], 1));
}
