//! `artefact`, `event`, `conflicts`, `propose` and `sign`: begin, edit, decide and prove what a board shares.
//!
//! *Invariants.* Commands only turn arguments into what they mean, and answers into words.
//!
//! *Source*: ours.

mod show;

pub(super) use show::{artefact as artefact_in_words, by_place, places, proof as proof_in_words};

use concordat_protocol::artefact::{guard, kind::EventKind, kinds};

use super::{
    args::{
        ArtefactCommand,
        artefact::{Add, Conflicts, Event, List, Open, Propose, Settle, Show, Sign, pair},
    },
    context::Context,
    error::CliError,
    out::{Out, time_in_words},
};
use crate::{
    artefact::needed,
    control::{
        Act, Acted, Answer, AsOf, Deed, Edit, Frozen, ListQuery, Look, Pair, Refusal, Request, Word,
    },
};

pub(super) fn run(context: &Context, command: ArtefactCommand, out: &Out) -> Result<(), CliError> {
    use ArtefactCommand as Command;
    match command {
        Command::List(List { board, after, limit }) => {
            look(context, Look::List(ListQuery { board, after, limit }), out)
        }
        Command::Show(show) => look(context, show_as_of(show), out),
        Command::Prove(one) => {
            let look_at = Look::Prove { artefact: one.artefact, proposal: one.proposal };
            look(context, look_at, out)
        }
        Command::History(one) => look(context, Look::History { artefact: one.artefact }, out),
        Command::Retry(one) => look(context, Look::Retry { artefact: one.artefact }, out),
        Command::Events(events) => list_events(&events.kind, out),
        other => act(context, deed(other)?, out),
    }
}

pub(super) fn event(context: &Context, event: Event, out: &Out) -> Result<(), CliError> {
    let Event { artefact, name, values, role } = event;
    act(context, Act { role, ..plain(Deed::Event { artefact, name, values }) }, out)
}

pub(super) fn conflicts(context: &Context, which: Conflicts, out: &Out) -> Result<(), CliError> {
    match which.artefact {
        Some(artefact) => show::conflicts(context, artefact, out),
        None => show::all_conflicts(context, which.board, out),
    }
}

pub(super) fn propose(context: &Context, propose: Propose, out: &Out) -> Result<(), CliError> {
    let Propose { artefact, rule, closer, closes_on } = propose;
    act(context, plain(Deed::Freeze { artefact, rule, closer, closes_on }), out)
}

pub(super) fn sign(context: &Context, sign: Sign, out: &Out) -> Result<(), CliError> {
    act(context, signed(sign), out)
}

fn show_as_of(show: Show) -> Look {
    let Show { artefact, at, by, known_to } = show;
    let as_of = match (at, by, known_to) {
        (Some(entry), _, _) => AsOf::At(entry),
        (_, Some(time), _) => AsOf::By(time),
        (_, _, Some(member)) => AsOf::KnownTo(member),
        (None, None, None) => AsOf::Now,
    };
    Look::Show { artefact, as_of }
}

fn look(context: &Context, look: Look, out: &Out) -> Result<(), CliError> {
    match context.ask(Request::Look(look))? {
        Answer::Artefacts(list) => out.show(&list, &show::list(&list)),
        Answer::Artefact(artefact) => out.show(&*artefact, &show::artefact(&artefact)),
        Answer::Proven(proof) => out.show(&*proof, &show::proof(&proof)),
        Answer::History(history) => out.show(&*history, &show::history(&history)),
        Answer::Retried(was_suspended) => {
            let said = if was_suspended { "it is opened again" } else { "it was not suspended" };
            out.show(&was_suspended, &[said.to_owned()])
        }
        _ => Err(CliError::OtherAnswer),
    }
}

/// What the commands that write mean; those that look are handled before.
fn deed(command: ArtefactCommand) -> Result<Act, CliError> {
    use ArtefactCommand as Command;
    Ok(match command {
        Command::Open(Open { kind, board, title, audience }) => {
            plain(Deed::Open { board, kind, audience, title })
        }
        Command::Set(set) => {
            let edit = |(at, value)| Edit::Set { at, value };
            let edits = set.values.into_iter().map(edit).collect();
            let deed = Deed::Edit { artefact: set.artefact, edits };
            Act { role: set.role, ..plain(deed) }
        }
        Command::Choose(one) => {
            edit(one.artefact, Edit::Choose { at: one.field, value: one.value })
        }
        Command::Text(text) => {
            let (position, delete, insert) = (text.at, text.delete, text.insert);
            edit(text.artefact, Edit::Splice { at: text.field, position, delete, insert })
        }
        Command::Add(add) => {
            let (artefact, added) = added(add)?;
            edit(artefact, added)
        }
        Command::Remove(one) => {
            edit(one.artefact, Edit::Remove { at: one.field, values: one.values })
        }
        Command::Restore(one) => edit(one.artefact, Edit::Restore { at: one.item }),
        Command::Move(one) => {
            edit(one.at.artefact, Edit::Move { at: one.at.item, after: one.after })
        }
        Command::Remark(one) => plain(Deed::Remark {
            artefact: one.artefact,
            name: one.name,
            values: one.values,
            widens: one.widen,
        }),
        Command::Widen(one) => {
            plain(Deed::Widen { artefact: one.artefact, orgs: one.members, reason: one.reason })
        }
        Command::Settle(Settle { artefact, code, about, chosen, reason }) => {
            plain(Deed::Settle { artefact, code, about, chosen, reason })
        }
        Command::Close(one) => {
            plain(Deed::Close { artefact: one.artefact, proposal: one.proposal })
        }
        Command::List(_)
        | Command::Show(_)
        | Command::Prove(_)
        | Command::History(_)
        | Command::Retry(_)
        | Command::Events(_) => return Err(CliError::OtherAnswer),
    })
}

/// In the role that is needed.
const fn plain(deed: Deed) -> Act {
    Act { role: None, word: Word::CommandLine, deed }
}

fn edit(artefact: String, edit: Edit) -> Act {
    plain(Deed::Edit { artefact, edits: Vec::from([edit]) })
}

/// An item if every value has a name, else elements of a set.
fn added(add: Add) -> Result<(String, Edit), CliError> {
    let Add { artefact, field: at, values, after } = add;
    let pairs: Result<Vec<Pair>, String> = values.iter().map(|text| pair(text)).collect();
    let edit = match pairs {
        Ok(values) => Edit::Add { at, values, after },
        Err(_) if values.iter().any(|value| value.contains('=')) => {
            let message = "write every value of an item as name=value";
            return Err(Refusal::new("bad-value", message).into());
        }
        Err(_) => Edit::Include { at, values },
    };
    Ok((artefact, edit))
}

fn signed(sign: Sign) -> Act {
    let Sign { artefact, approve, reject, abstain, recuse: _, proposal, role } = sign;
    let answer = match (approve, reject, abstain) {
        (true, _, _) => "approve",
        (_, true, _) => "reject",
        (_, _, true) => "abstain",
        (false, false, false) => "recuse",
    };
    let deed = Deed::Sign { artefact, proposal, answer: answer.to_owned() };
    Act { role, ..plain(deed) }
}

fn act(context: &Context, act: Act, out: &Out) -> Result<(), CliError> {
    match context.ask(Request::Act(act))? {
        Answer::Acted(acted) => out.show(&*acted, &words(&acted)),
        _ => Err(CliError::OtherAnswer),
    }
}

fn words(acted: &Acted) -> Vec<String> {
    let mut lines = vec![acted.did.clone(), format!("  {}", acted.artefact)];
    lines.extend(acted.items.iter().map(|item| format!("  item {item}")));
    if !acted.let_in.is_empty() {
        lines.push(format!("  let in: {}", acted.let_in.join(", ")));
    }
    lines.extend(acted.frozen.iter().flat_map(frozen));
    for written in &acted.written {
        lines.push(format!("wrote entry {} {}", written.seq, written.id));
    }
    lines
}

fn frozen(frozen: &Frozen) -> Vec<String> {
    let mut lines = vec![
        format!("  wording {}", frozen.digest),
        format!("  rule {:?}: {}", frozen.rule, frozen.rule_in_words),
        format!("  {} may close it, by {}", frozen.closer, time_in_words(frozen.closes_at_ms)),
    ];
    if let Some(replaces) = &frozen.replaces {
        lines.push(format!("  replaces {replaces}"));
    }
    let fields = frozen.wording.get("fields").and_then(|fields| fields.as_object());
    for (name, value) in fields.into_iter().flatten() {
        lines.push(format!("  {name}: {value}"));
    }
    lines
}

fn list_events(kind: &str, out: &Out) -> Result<(), CliError> {
    guard::expect_none("the kind", kind).map_err(|why| Refusal::new("patient-number", why))?;
    let Some(kind) = kinds::ALL.iter().find(|one| one.name == kind) else {
        let names: Vec<&str> = kinds::ALL.iter().map(|kind| kind.name).collect();
        let message = format!("no kind is called {kind:?}; there is {}", names.join(", "));
        return Err(Refusal::new("unknown-kind", message).into());
    };
    let events: Vec<&EventKind> = kind.all_events().chain(kind.remarks).collect();
    let words: Vec<String> =
        events.iter().map(|event| format!("{}; {}", event.label, needed(event))).collect();
    let names: Vec<&str> = events.iter().map(|event| event.name).collect();
    out.show(&names, &words)
}
