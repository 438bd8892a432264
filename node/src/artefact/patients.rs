//! Every value of every event, remark and field, with a patient's number typed for it.

use concordat_protocol::artefact::{
    guard::holds_number,
    kind::{EventKind, Field, Kind, Scalar, Shape},
    kinds,
};

use crate::{
    control::{Act, Answer, Deed, Edit, Refusal, Request, Word},
    fixture::{Partner, found, partner},
};

const NUMBER: &str = "9434765919";
/// As a whole number, and as text alone.
const FORMS: [&str; 2] = [NUMBER, "943\u{2011}476\n59\u{ad}19"];

fn ask(partner: &Partner, deed: Deed) -> Result<Answer, Refusal> {
    partner.ask(Request::Act(Act { role: None, word: Word::CommandLine, deed }))
}

/// A member of a board with one artefact of each kind.
fn member() -> Partner {
    let wigan = partner("la-wigan", "council");
    let board = found(&[&wigan, &partner("ccg-trafford", "ccg")]);
    wigan.ask(Request::Join { paper: board.to_text() }).unwrap();
    for kind in kinds::ALL {
        let (kind, audience) = (kind.name.to_owned(), Vec::new());
        ask(&wigan, Deed::Open { board: None, kind, audience, title: None }).unwrap();
    }
    wigan
}

/// Refuses to be quiet about anything but an amount; says what the refusal named.
fn expect_refused(what: &str, is_amount: bool, form: &str, asked: Result<Answer, Refusal>) {
    let refusal = match asked {
        Ok(_) if is_amount && form == NUMBER => return,
        other => other.unwrap_err(),
    };
    let digits: String = refusal.message.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.contains(NUMBER), "{what}: {}", refusal.message);
    // An amount that is told well may be refused for something else.
    if !is_amount || form != NUMBER {
        assert_eq!(refusal.code, "patient-number", "{what}: {}", refusal.message);
        assert!(refusal.message.contains(what), "{what}: {}", refusal.message);
    }
}

#[test]
fn no_value_of_an_event_or_a_remark_is_repeated_or_signed() {
    assert!(FORMS.iter().all(|form| holds_number(form)));
    let member = member();
    for kind in kinds::ALL {
        let events = kind.all_events().map(|event| (event, false));
        for (event, is_remark) in events.chain(kind.remarks.iter().map(|event| (event, true))) {
            for param in event.params {
                for form in FORMS {
                    let what = format!("{}: {}", event.name, param.name);
                    let deed = said(kind, event, is_remark, (param.name, form));
                    let is_amount = param.scalar == Scalar::Money;
                    expect_refused(&what, is_amount, form, ask(&member, deed));
                }
                if matches!(param.scalar, Scalar::Int { .. }) {
                    // Without its noughts it would be told as what it is.
                    let deed = said(kind, event, is_remark, (param.name, "0009434765919"));
                    expect_refused(param.name, false, "", ask(&member, deed));
                }
            }
        }
    }
}

fn said(kind: &Kind, event: &EventKind, is_remark: bool, (name, text): (&str, &str)) -> Deed {
    let (artefact, values) = (kind.name.to_owned(), vec![(name.to_owned(), text.to_owned())]);
    let name = event.name.to_owned();
    if is_remark {
        Deed::Remark { artefact, name, values, widens: false }
    } else {
        Deed::Event { artefact, name, values }
    }
}

#[test]
fn no_value_of_a_field_is_repeated_or_signed() {
    let member = member();
    for kind in kinds::ALL {
        let mut fields: Vec<(String, &Field)> =
            kind.all_fields().map(|field| (field.name.to_owned(), field)).collect();
        while let Some((path, field)) = fields.pop() {
            let inside = |of: &'static [Field]| {
                let path = path.clone();
                of.iter().map(move |part| (format!("{path}/{}", part.name), part))
            };
            match field.shape {
                Shape::Record(parts) => fields.extend(inside(parts)),
                Shape::List(of) => {
                    for part in of.iter().filter(|part| !matches!(part.shape, Shape::List(_))) {
                        try_in_item(&member, kind, &path, part);
                    }
                }
                Shape::Text | Shape::Scalar(_) | Shape::Cosmetic(_) | Shape::Set(_) => {
                    for form in FORMS {
                        let (at, value) = (path.clone(), form.to_owned());
                        let edits = vec![Edit::Set { at, value }];
                        let deed = Deed::Edit { artefact: kind.name.to_owned(), edits };
                        expect_refused(&path, is_amount(field), form, ask(&member, deed));
                    }
                }
            }
        }
    }
}

fn try_in_item(member: &Partner, kind: &Kind, list: &str, part: &Field) {
    let name = match part.shape {
        Shape::Record(parts) => format!("{}.{}", part.name, parts[0].name),
        _ => part.name.to_owned(),
    };
    for form in FORMS {
        let (at, values) = (list.to_owned(), vec![(name.clone(), form.to_owned())]);
        let edits = vec![Edit::Add { at, values, after: None }];
        let deed = Deed::Edit { artefact: kind.name.to_owned(), edits };
        expect_refused(part.name, is_amount(part), form, ask(member, deed));
    }
}

fn is_amount(field: &Field) -> bool {
    matches!(field.shape, Shape::Scalar(Scalar::Money))
}

#[test]
fn a_number_that_a_later_edit_takes_out_again_is_not_signed_either() {
    let member = member();
    let set = |value: &str| Edit::Set { at: "summary".to_owned(), value: value.to_owned() };
    let insert = |text: &str| Edit::Splice {
        at: "summary".to_owned(),
        position: None,
        delete: 0,
        insert: text.to_owned(),
    };
    let edit = |edits: Vec<Edit>| {
        let done = ask(&member, Deed::Edit { artefact: "decision".to_owned(), edits });
        done.map(|_| ()).map_err(|refusal| refusal.code)
    };
    let refused = Err("patient-number".to_owned());
    assert_eq!(edit(vec![set("943 476 5919"), set("Somebody")]), refused);
    // Piece by piece the text that is left counts.
    assert_eq!(edit(vec![insert("For 943 ")]), Ok(()));
    assert_eq!(edit(vec![insert("476-")]), Ok(()));
    assert_eq!(edit(vec![insert("5919")]), refused);
    assert_eq!(edit(vec![insert("beds")]), Ok(()));
}
