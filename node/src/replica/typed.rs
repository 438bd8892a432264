//! What people type to name things, looked through before anything is said of it: a refusal repeats a
//! name that nobody knows.
//!
//! *Invariants.* A refusal says what was being named, never what was typed.
//!
//! *Source*: ours; SPEC, section 16.7.

use std::borrow::Cow;

use concordat_protocol::artefact::guard;

use crate::control::{
    Act, AsOf, Deed, Edit, JournalAsk, Look, Pair, Promoting, RecordsAsked, RecordsChange,
    RecordsLook, Refusal, Request,
};

/// What is named, and as what it was typed.
type Named<'a> = (&'static str, Cow<'a, str>);

/// Refuses a request in which something is named by a patient's number.
///
/// # Errors
/// - [`Refusal`]: with what was being named.
pub(super) fn expect_no_patient(request: &Request) -> Result<(), Refusal> {
    for (what, text) in names(request) {
        guard::expect_none(what, &text).map_err(|why| Refusal::new("patient-number", why))?;
    }
    Ok(())
}

fn names(request: &Request) -> Vec<Named<'_>> {
    match request {
        // Papers have forms of their own.
        Request::Status
        | Request::Join { .. }
        | Request::AddCard { .. }
        // Told by this program itself.
        | Request::Record(_)
        | Request::Backup(_)
        | Request::Journal(JournalAsk::Verify) => Vec::new(),
        Request::Journal(JournalAsk::Page(query)) => [
            some("the event", &query.event),
            some("the peer", &query.peer),
            some("the board", &query.board),
            some("the outcome", &query.outcome),
        ]
        .concat(),
        Request::Notes { board, .. }
        | Request::Charter { board }
        | Request::Export { board, .. } => some("the board", board),
        Request::Log(query) => {
            [some("the board", &query.board), some("the member", &query.feed)].concat()
        }
        Request::Look(look) => in_look(look),
        Request::Records(asked) => in_records(asked),
        Request::Act(Act { role, word: _, deed }) => {
            [some("the role", role), in_deed(deed)].concat()
        }
    }
}

fn one<'a>(what: &'static str, text: &'a str) -> Vec<Named<'a>> {
    Vec::from([(what, Cow::Borrowed(text))])
}

fn some<'a>(what: &'static str, text: &'a Option<String>) -> Vec<Named<'a>> {
    text.as_deref().map(|text| one(what, text)).unwrap_or_default()
}

fn each<'a>(what: &'static str, texts: &'a [String]) -> Vec<Named<'a>> {
    texts.iter().map(|text| (what, Cow::Borrowed(text.as_str()))).collect()
}

fn names_of(values: &[Pair]) -> Vec<Named<'_>> {
    values.iter().map(|(name, _)| ("the name of a value", Cow::Borrowed(name.as_str()))).collect()
}

fn in_look(look: &Look) -> Vec<Named<'_>> {
    match look {
        Look::List(query) => {
            [some("the board", &query.board), some("the artefact", &query.after)].concat()
        }
        Look::Show { artefact, as_of } => {
            let as_of = match as_of {
                AsOf::Now => Vec::new(),
                AsOf::At(entry) => one("the entry", entry),
                AsOf::By(time) => one("the time", time),
                AsOf::KnownTo(member) => one("the member", member),
            };
            [one("the artefact", artefact), as_of].concat()
        }
        Look::Prove { artefact, proposal } => {
            [one("the artefact", artefact), some("the proposal", proposal)].concat()
        }
        Look::History { artefact } | Look::Retry { artefact } => one("the artefact", artefact),
    }
}

/// Values of rows and of conditions are looked at where their types are known.
fn in_records(asked: &RecordsAsked) -> Vec<Named<'_>> {
    let of = |collection| one("the collection", collection);
    match asked {
        RecordsAsked::Look(RecordsLook::Collections) => Vec::new(),
        RecordsAsked::Look(RecordsLook::List(query)) => {
            let fields = query.conditions.iter().map(|condition| {
                let name = condition.split(['<', '>', '=', '!']).next().unwrap_or_default();
                ("the field", Cow::Borrowed(name))
            });
            let (of, after) = (of(&query.collection), some("the record", &query.after));
            [of, after, fields.collect()].concat()
        }
        RecordsAsked::Look(RecordsLook::Show { collection, record }) => {
            [of(collection), one("the record", record)].concat()
        }
        RecordsAsked::Look(RecordsLook::Promotions { after, limit: _ }) => {
            some("the promotion", after)
        }
        RecordsAsked::Change(RecordsChange::Put(put)) => of(&put.collection),
        RecordsAsked::Change(RecordsChange::Delete { collection, records }) => {
            [of(collection), each("the record", records)].concat()
        }
        RecordsAsked::Look(RecordsLook::Leaving(what))
        | RecordsAsked::Promote { what, seal: _, word: _ } => in_promotion(what),
    }
}

fn in_promotion(what: &Promoting) -> Vec<Named<'_>> {
    let Promoting { collection, record, artefact, fields, targets } = what;
    let to = targets.iter().map(|(_, to)| ("the target", Cow::Borrowed(to.as_str())));
    [
        one("the collection", collection),
        one("the record", record),
        one("the artefact", artefact),
        each("the field", fields),
        names_of(targets),
        to.collect(),
    ]
    .concat()
}

fn in_deed(deed: &Deed) -> Vec<Named<'_>> {
    let about = |artefact| one("the artefact", artefact);
    match deed {
        Deed::Open { board, kind, audience, title: _ } => {
            let (kind, audience) = (one("the kind", kind), each("the audience", audience));
            [some("the board", board), kind, audience].concat()
        }
        Deed::Edit { artefact, edits } => {
            about(artefact).into_iter().chain(edits.iter().flat_map(in_edit)).collect()
        }
        Deed::Event { artefact, name, values } => {
            [about(artefact), one("the event", name), names_of(values)].concat()
        }
        Deed::Remark { artefact, name, values, widens: _ } => {
            [about(artefact), one("the remark", name), names_of(values)].concat()
        }
        Deed::Widen { artefact, orgs, reason } => {
            [about(artefact), each("the members", orgs), one("the reason", reason)].concat()
        }
        Deed::Freeze { artefact, rule, closer, closes_on } => {
            let (rule, closer) = (some("the rule", rule), some("the closer", closer));
            [about(artefact), rule, closer, some("the day", closes_on)].concat()
        }
        Deed::Sign { artefact, proposal, answer } => {
            [about(artefact), some("the proposal", proposal), one("the answer", answer)].concat()
        }
        Deed::Close { artefact, proposal } => {
            [about(artefact), some("the proposal", proposal)].concat()
        }
        // What was chosen is recorded as text, whatever the field holds.
        Deed::Settle { artefact, code, about: field, chosen, reason } => [
            about(artefact),
            one("the code", code),
            one("the field", field),
            one("what was chosen", chosen),
            some("the reason", reason),
        ]
        .concat(),
    }
}

fn in_edit(edit: &Edit) -> Vec<Named<'_>> {
    let place = |at| one("the field", at);
    match edit {
        Edit::Set { at, value: _ }
        | Edit::Choose { at, value: _ }
        | Edit::Include { at, values: _ }
        | Edit::Remove { at, values: _ } => place(at),
        Edit::Splice { at, position, delete, insert: _ } => {
            let number = |what, number: u64| Vec::from([(what, Cow::Owned(number.to_string()))]);
            let position = position.map(|position| number("the position", position));
            [place(at), position.unwrap_or_default(), number("the length", *delete)].concat()
        }
        Edit::Add { at, values, after } => {
            [place(at), names_of(values), some("the item", after)].concat()
        }
        Edit::Restore { at } => one("the item", at),
        Edit::Move { at, after } => [one("the item", at), some("the item", after)].concat(),
    }
}
