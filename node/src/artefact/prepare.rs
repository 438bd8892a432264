//! What a person wants done, as entries to be signed.
//!
//! ```text
//! open            [open] [change]            a title is the first edit
//! remark          [audience] remark          whom it names is let in first, if the author was told
//! settle          [change] event             a value is chosen before the settlement is recorded
//! all others      one entry, or as many as its changes need
//! ```
//!
//! *Invariants.* Works on a snapshot; whoever calls sees to it that this node prepares one act at a
//! time. Everything is guarded and tried before it is handed on.
//!
//! *Source*: ours; formats, sections 3 and 5.

use std::panic::{AssertUnwindSafe, catch_unwind};

use concordat_protocol::{
    artefact::{
        events::Statement,
        guard,
        kind::{EventKind, Kind as ArtefactKind, Role, Trigger},
        kinds,
    },
    charter::Who,
    codec::Fixed,
    engine::BoardView,
    feed::{Draft, Kind},
    hash::{ArtefactId, BoardId, OrgId},
    identity::Attribution,
    payload::{Audience, Open},
};

use super::{Case, Span, edits, names, needs, poll, remark, settle, trial, values};
use crate::{
    clock,
    control::{Act, Acted, Deed, Edit, Pair, Refusal, Word},
    replica::{Snapshot, board_named},
};

/// Entries to be signed, and what to tell once they are durable.
#[derive(Debug)]
pub struct Prepared {
    /// On which board.
    pub board: BoardId,
    /// In their order.
    pub drafts: Vec<Draft>,
    /// The entries are still missing in it.
    pub acted: Acted,
}

/// Prepares what a person wants done.
///
/// # Errors
/// - [`Refusal`]: it cannot be done, or would have no effect.
pub fn prepare(snapshot: &Snapshot, act: &Act) -> Result<Prepared, Refusal> {
    // Edits run in Automerge, on copies: a panic leaves nothing behind.
    let made = catch_unwind(AssertUnwindSafe(|| made_of(snapshot, act)));
    made.unwrap_or_else(|_| {
        let message =
            "Automerge panicked on this edit, and nothing was signed; edit in another way";
        Err(Refusal::new("panicked", message))
    })
}

fn made_of(snapshot: &Snapshot, act: &Act) -> Result<Prepared, Refusal> {
    let mut made = match &act.deed {
        Deed::Open { board, kind, audience, title } => {
            open(snapshot, board.as_deref(), kind, audience, title.as_deref())?
        }
        Deed::Edit { artefact, edits } => edit(&signing(snapshot, artefact)?, edits)?,
        Deed::Event { artefact, name, values } => {
            event(&signing(snapshot, artefact)?, name, values)?
        }
        Deed::Remark { artefact, name, values, widens } => {
            remark::remark(&signing(snapshot, artefact)?, name, values, *widens)?
        }
        Deed::Widen { artefact, orgs, reason } => {
            remark::widen(&signing(snapshot, artefact)?, orgs, reason)?
        }
        Deed::Freeze { artefact, rule, closer, closes_on } => {
            let case = signing(snapshot, artefact)?;
            poll::freeze(&case, rule.as_deref(), closer.as_deref(), closes_on.as_deref())?
        }
        Deed::Sign { artefact, proposal, answer } => {
            poll::sign(&signing(snapshot, artefact)?, proposal.as_deref(), answer)?
        }
        Deed::Close { artefact, proposal } => {
            poll::close(&signing(snapshot, artefact)?, proposal.as_deref())?
        }
        Deed::Settle { artefact, code, about, chosen, reason } => {
            let case = signing(snapshot, artefact)?;
            let chosen = settle::Chosen { code, about, chosen, reason: reason.as_deref() };
            settle::settle(&case, &chosen)?
        }
    };
    let role = match &act.role {
        Some(role) => values::role_named(role)?,
        None => made.role,
    };
    // A lesser role than the one that is needed must not be the way around it.
    for role in [made.role, role] {
        expect_covers(act.word, role)?;
    }
    let case = &made.case_of;
    let attribution = attribution(act.word, role, &case.slug);
    for draft in &mut made.drafts {
        draft.attribution = Some(attribution.clone());
    }
    Ok(Prepared { board: case.board, drafts: made.drafts, acted: made.acted })
}

/// Entries that were found to have effect.
pub(super) struct Made {
    pub(super) drafts: Vec<Draft>,
    pub(super) acted: Acted,
    /// The role that is needed.
    role: Role,
    case_of: Of,
}

struct Of {
    board: BoardId,
    slug: String,
}

impl Made {
    /// Tries the entries, and says what will have been done.
    ///
    /// # Errors
    /// - [`Refusal`]: they would have no effect.
    pub(super) fn tried(
        case: &Case<'_>,
        drafts: Vec<Draft>,
        role: Role,
        did: String,
    ) -> Result<Self, Refusal> {
        trial::expect_effect(case, &drafts)?;
        let (board, slug) = (case.board.board, case.slug(&case.snapshot.me()));
        Ok(Self {
            drafts,
            acted: Acted {
                board: board.to_string(),
                artefact: case.dossier.artefact.to_string(),
                did,
                written: Vec::new(),
                items: Vec::new(),
                let_in: Vec::new(),
                frozen: None,
            },
            role,
            case_of: Of { board, slug },
        })
    }
}

/// The case that something is to be signed on top of.
fn signing<'a>(snapshot: &'a Snapshot, artefact: &str) -> Result<Case<'a>, Refusal> {
    let case = Case::of(snapshot, artefact, &Span::Sign)?;
    expect_signing(case.board)?;
    Ok(case)
}

fn expect_signing(board: &BoardView) -> Result<(), Refusal> {
    if board.is_restoring {
        let message = "the node first has to hear from its partners how far its own feed had come; \
                       try again when `concordat status` says so no more";
        return Err(Refusal::new("restoring", message));
    }
    Ok(())
}

/// The next entry about an artefact, which relies on all that is known of it.
pub(super) fn draft(case: &Case<'_>, kind: Kind, payload: Vec<u8>) -> Draft {
    let refs = case.replay.refs(&case.board.own, &[]);
    Draft { kind, artefact: Some(case.dossier.artefact), refs, payload, attribution: None }
}

/// Refuses a role that the word does not cover.
fn expect_covers(word: Word, role: Role) -> Result<(), Refusal> {
    let is_covered = match (word, role) {
        (Word::CommandLine | Word::Token { binds: true, .. }, _)
        | (Word::Token { .. }, Role::Editor | Role::SponsorEditor) => true,
        (
            Word::Token { binds: false, .. },
            Role::Secretariat
            | Role::Signatory
            | Role::ClinicalSafety
            | Role::FinanceSignatory
            | Role::OpsOnCall
            | Role::IgLead,
        ) => false,
    };
    if is_covered {
        return Ok(());
    }
    let message = format!(
        "this is done in the role {}, which an editor's token does not cover; use a token of the \
         role signatory",
        role.name()
    );
    Err(Refusal::new("needs-signatory", message))
}

/// In which role and capacity, as this organisation says. Who it was stays here: of the command line
/// one of its administrators, of a token whoever stands beside its id in this node's home.
fn attribution(word: Word, role: Role, slug: &str) -> Vec<u8> {
    let (actor, how) = match word {
        Word::CommandLine => ([0; 16], "command line of the node"),
        Word::Token { id, binds: _ } => (id, "token of the node's API"),
    };
    let attribution = Attribution {
        actor_ref: Fixed(actor),
        role: role.name().to_owned(),
        capacity: slug.to_owned(),
        how_authenticated: how.to_owned(),
    };
    attribution.to_bytes()
}

fn open(
    snapshot: &Snapshot,
    board: Option<&str>,
    kind: &str,
    audience: &[String],
    title: Option<&str>,
) -> Result<Made, Refusal> {
    let board = board_named(&snapshot.views, |view| view.board, board)?;
    expect_signing(board)?;
    let (charter, me) = (snapshot.charter(board)?, snapshot.me());
    let known = expect_may_create(snapshot, board, kind)?;
    let mut orgs: Vec<OrgId> = Vec::new();
    for named in audience {
        orgs.push(names::member_named(charter, named)?.org);
    }
    if !orgs.is_empty() {
        orgs.push(me);
        orgs.sort_unstable();
        orgs.dedup();
    }
    let audience = if orgs.is_empty() { Audience::Everyone } else { Audience::Only(orgs) };
    let nonce = Fixed(clock::nonce().map_err(|why| Refusal::new("system", why))?);
    let (kind, schema_version) = (known.name.to_owned(), known.version);
    let open = Open { nonce, kind, schema_version, audience };
    let artefact: ArtefactId = open.artefact_id(&board.board, &me);
    let case = Case::unopened(snapshot, board, known, artefact)?;
    let mut drafts = vec![draft(&case, Kind::OPEN, open.to_bytes())];
    if let Some(title) = title {
        let edit = Edit::Set { at: "title".to_owned(), value: title.to_owned() };
        drafts.extend(edits::carry_out(&case, &[edit])?.drafts);
    }
    Made::tried(&case, drafts, Role::Editor, format!("began a {}", known.name))
}

fn expect_may_create(
    snapshot: &Snapshot,
    board: &BoardView,
    kind: &str,
) -> Result<&'static ArtefactKind, Refusal> {
    let charter = snapshot.charter(board)?;
    let names = || {
        let names: Vec<&str> = charter.kinds.iter().map(|terms| terms.kind.as_str()).collect();
        names.join(", ")
    };
    let terms = charter.kinds.iter().find(|terms| terms.kind == kind).ok_or_else(|| {
        let message = format!("the board has no artefacts of kind {kind:?}; it has {}", names());
        Refusal::new("unknown-kind", message)
    })?;
    let creates: &Who = &terms.creates;
    let may = charter.member(&snapshot.me()).is_some_and(|member| creates.permits(member));
    if !may {
        let message = format!("by the charter this organisation may not begin a {kind}");
        return Err(Refusal::new("may-not-create", message));
    }
    kinds::find(kind, terms.schema_version).ok_or_else(|| {
        let version = terms.schema_version;
        let message = format!("this program does not know {kind} in version {version}; upgrade it");
        Refusal::new("newer-kind", message)
    })
}

fn edit(case: &Case<'_>, wishes: &[Edit]) -> Result<Made, Refusal> {
    let edited = edits::carry_out(case, wishes)?;
    let mut made = Made::tried(case, edited.drafts, Role::Editor, "edited it".to_owned())?;
    made.acted.items = edited.items;
    Ok(made)
}

fn event(case: &Case<'_>, name: &str, given: &[Pair]) -> Result<Made, Refusal> {
    let kind = case.kind().event(name).ok_or_else(|| {
        let names: Vec<&str> = case.kind().all_events().map(|event| event.name).collect();
        unknown(case, "event", name, &names)
    })?;
    let said = values::statement(case, kind, given)?;
    expect_no_patient(&said)?;
    let drafts = vec![draft(case, Kind::EVENT, said.to_event().to_bytes())];
    let made = Made::tried(case, drafts, kind.who.role, lower(kind))?;
    // Who may, and from which state, is told before what is missing.
    needs::expect_met(case, |trigger| *trigger == Trigger::Event(kind.name))?;
    Ok(made)
}

pub(super) fn lower(kind: &EventKind) -> String {
    let mut label = kind.label.to_owned();
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    label
}

pub(super) fn expect_no_patient(said: &Statement) -> Result<(), Refusal> {
    guard::expect_none_said(said).map_err(|why| Refusal::new("patient-number", why))
}

pub(super) fn unknown(case: &Case<'_>, what: &str, name: &str, names: &[&str]) -> Refusal {
    let kind = case.kind().name;
    let message = format!("a {kind} has no {what} {name:?}; it has {}", names.join(", "));
    Refusal::new("unknown-event", message)
}
