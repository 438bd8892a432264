//! What three organisations write about an artefact: an opening, five edits by three of them, a
//! comment, an event; and of every fortieth a proposal, three answers and a closing.
//!
//! The engine writes each entry. Edits are made once for each opener and variation, and stand in
//! many artefacts: a change does not name its artefact.

use std::{array, sync::Arc};

use concordat_node::{
    artefact::prepare,
    control::{Act, Deed, Word},
};
use concordat_protocol::{
    artefact::{
        document::{Atom, Document, Path, Skeleton},
        edit::{Intent, ItemId, Spot, edit},
        events::Statement,
        kinds::DECISION,
    },
    codec::{Blob, Fixed},
    feed::{Draft, Kind},
    hash::{ArtefactId, EntryId, FeedId, OrgId},
    identity::Attribution,
    payload::{Audience, Changes, Open},
    time::TimeMs,
    value::Value,
    verdict::{Actor, ActorPrefix},
};

use crate::board::{Board, MEMBERS};

/// Artefacts that are written at a time; then everybody acknowledges.
const PORTION: usize = 100;
/// One of so many is decided.
pub(crate) const DECIDED_EVERY: usize = 40;
/// Variations of the text, for each opener.
const VARIATIONS: usize = 8;
/// Edits of one artefact.
const EDITS: usize = 5;
const STRATEGY: &str = "artefact-engagementengagementengagementengagementengagementaa";
const SENTENCE: &str = "The hub takes all calls after six in the evening, and hands over to the \
     wards by phone at seven in the morning, on every day of the week. ";

/// Writes so many artefacts; their ids, in the order in which they were begun.
pub(crate) fn fill(board: &mut Board, count: usize) -> Vec<ArtefactId> {
    let templates = templates(&board.feeds);
    let orgs: Vec<OrgId> = (0..MEMBERS.len()).map(|at| board.snapshot(at).me()).collect();
    let mut ids = Vec::new();
    for first in (0..count).step_by(PORTION) {
        let numbers = first..count.min(first + PORTION);
        ids.extend(portion(board, &orgs, &templates, numbers.collect()));
    }
    let decided: Vec<ArtefactId> = ids.iter().copied().step_by(DECIDED_EVERY).collect();
    decide(board, &decided);
    ids
}

/// Raw changes by opener, variation and edit.
type Templates = Vec<Vec<[Vec<Vec<u8>>; EDITS]>>;

fn templates(feeds: &[FeedId]) -> Templates {
    let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
    let of_opener =
        |opener| (0..VARIATIONS).map(|no| template(&skeleton, feeds, opener, no)).collect();
    (0..feeds.len()).map(of_opener).collect()
}

fn template(
    skeleton: &Arc<Skeleton>,
    feeds: &[FeedId],
    opener: usize,
    number: usize,
) -> [Vec<Vec<u8>>; EDITS] {
    let mut document = Document::new(skeleton);
    array::from_fn(|step| {
        let author = feeds.get(author(opener, step)).unwrap();
        let nonce = [u8::try_from(opener * 64 + number * 8 + step).unwrap(); 16];
        let actor = Actor::of(ActorPrefix::of(author), nonce);
        let edited = edit(&document, intents(number, step), actor, TimeMs(0)).unwrap();
        document = edited.document;
        edited.changes
    })
}

/// The opener, then its partners, then the opener again.
const fn author(opener: usize, step: usize) -> usize {
    (opener + [0, 0, 1, 2, 0][step]) % MEMBERS.len()
}

fn intents(number: usize, step: usize) -> Vec<Intent> {
    let path = Path::of;
    let set =
        |at: &[&str], value: &str| Intent::Set { at: path(at), value: Atom::Text(value.into()) };
    let splice = |at: &[&str], insert: String| Intent::Splice {
        at: path(at),
        position: 0,
        delete: 0,
        insert,
    };
    let item = ItemId::fresh([u8::try_from(number).unwrap(); 16]);
    match step {
        0 => vec![set(&["title"], &format!("Winter fund, part {number}"))],
        1 => vec![
            splice(&["summary"], SENTENCE.repeat(6 + number)),
            set(&["decision_type"], "key"),
            set(&["authority", "basis"], "delegated_to_board"),
            set(&["engagement_ref"], STRATEGY),
            set(&["effective_from"], "2018-04-01"),
        ],
        2 => vec![
            splice(&["background"], SENTENCE.repeat(4)),
            Intent::AddItem { at: path(&["recommendations"]), id: item.clone(), spot: Spot::First },
            splice(&["recommendations", item.as_str(), "text"], SENTENCE.to_owned()),
        ],
        3 => vec![
            Intent::AddItem { at: path(&["options"]), id: item.clone(), spot: Spot::First },
            set(&["options", item.as_str(), "label"], "Do nothing"),
            set(&["options", item.as_str(), "result"], "rejected"),
            splice(&["reasons"], SENTENCE.repeat(3)),
        ],
        _ => vec![Intent::Splice {
            at: path(&["summary"]),
            position: 40,
            delete: 20,
            insert: "as agreed by the three".to_owned(),
        }],
    }
}

fn portion(
    board: &mut Board,
    orgs: &[OrgId],
    templates: &Templates,
    numbers: Vec<usize>,
) -> Vec<ArtefactId> {
    let opener = |number: usize| number % MEMBERS.len();
    let opens: Vec<Open> = numbers.iter().map(|number| open(*number)).collect();
    let id = |(number, open): (&usize, &Open)| open.artefact_id(&board.id, &orgs[opener(*number)]);
    let ids: Vec<ArtefactId> = numbers.iter().zip(&opens).map(id).collect();
    let drafts = numbers.iter().zip(&opens).zip(&ids).map(|((number, open), id)| {
        let at = opener(*number);
        (at, draft(Kind::OPEN, *id, at, Vec::new(), open.to_bytes()))
    });
    let mut last: Vec<(usize, EntryId)> = written(board, drafts.collect());
    for step in 0..EDITS + 2 {
        let of = |((number, id), before): ((&usize, &ArtefactId), &(usize, EntryId))| {
            let (at, kind, payload) = deed(templates, *number, step);
            // What the author wrote itself need not be named.
            let refs = if before.0 == at { Vec::new() } else { vec![before.1] };
            (at, draft(kind, *id, at, refs, payload))
        };
        let drafts = numbers.iter().zip(&ids).zip(&last).map(of);
        last = written(board, drafts.collect());
        if step % 3 == 0 {
            board.acknowledge();
        }
    }
    board.acknowledge();
    ids
}

fn written(board: &mut Board, drafts: Vec<(usize, Draft)>) -> Vec<(usize, EntryId)> {
    let authors: Vec<usize> = drafts.iter().map(|(at, _)| *at).collect();
    authors.into_iter().zip(board.write(drafts)).collect()
}

fn deed(templates: &Templates, number: usize, step: usize) -> (usize, Kind, Vec<u8>) {
    let opener = number % MEMBERS.len();
    match step {
        5 => {
            let text = Value::Text(SENTENCE.to_owned());
            let none = || Value::List(Vec::new());
            let kind = DECISION.remark("comment").unwrap();
            let said = Statement::new(kind, vec![text, none(), none(), none()]).unwrap();
            ((opener + 1) % MEMBERS.len(), Kind::REMARK, said.to_remark().to_bytes())
        }
        6 => {
            let said = Statement::new(DECISION.event("consult").unwrap(), Vec::new()).unwrap();
            (opener, Kind::EVENT, said.to_event().to_bytes())
        }
        _ => {
            let raw = &templates[opener][number / MEMBERS.len() % VARIATIONS][step];
            let raw = raw.iter().cloned().map(Blob::from).collect();
            (author(opener, step), Kind::CHANGE, Changes { raw }.to_bytes())
        }
    }
}

fn open(number: usize) -> Open {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Open {
        nonce: Fixed(nonce),
        kind: DECISION.name.to_owned(),
        schema_version: DECISION.version,
        audience: Audience::Everyone,
    }
}

fn draft(
    kind: Kind,
    artefact: ArtefactId,
    at: usize,
    refs: Vec<EntryId>,
    payload: Vec<u8>,
) -> Draft {
    let attribution = Attribution {
        actor_ref: Fixed([0; 16]),
        role: "sponsor_editor".to_owned(),
        capacity: MEMBERS[at].to_owned(),
        how_authenticated: "command line of the node".to_owned(),
    };
    let attribution = Some(attribution.to_bytes());
    Draft { kind, artefact: Some(artefact), refs, payload, attribution }
}

/// Freezes these, answers and closes them, as the command line does.
fn decide(board: &mut Board, artefacts: &[ArtefactId]) {
    let freeze = |artefact| Deed::Freeze { artefact, rule: None, closer: None, closes_on: None };
    act(board, 0, artefacts, freeze);
    for at in 0..MEMBERS.len() {
        let answer = || "approve".to_owned();
        act(board, at, artefacts, |artefact| Deed::Sign {
            artefact,
            proposal: None,
            answer: answer(),
        });
    }
    board.acknowledge();
    act(board, 0, artefacts, |artefact| Deed::Close { artefact, proposal: None });
    board.acknowledge();
    board.acknowledge();
}

fn act(board: &mut Board, at: usize, artefacts: &[ArtefactId], deed: impl Fn(String) -> Deed) {
    let snapshot = board.snapshot(at);
    let drafts = artefacts.iter().flat_map(|artefact| {
        let act = Act { role: None, word: Word::CommandLine, deed: deed(artefact.to_string()) };
        prepare(&snapshot, &act).unwrap_or_else(|why| panic!("{why:?}")).drafts
    });
    let drafts: Vec<(usize, Draft)> = drafts.map(|draft| (at, draft)).collect();
    board.write(drafts);
}
