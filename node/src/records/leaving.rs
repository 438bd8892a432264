//! What a promotion lets out, and to whom: worked out before anything leaves.
//!
//! ```text
//! record ─ fields on the allow-list for this kind ─▶ guard ─▶ values in the form of their targets
//! artefact ─ audience, or the whole board ─▶ holders            │
//!                                           both, in one seal ◀─┘ ─▶ a deed, as a person would do it
//! ```
//!
//! *Invariants.* Only named targets of named fields leave; the record's id does not. Nothing that holds a
//! valid NHS number leaves. The seal stands for all that was shown.
//!
//! *Source*: ours; domain, section 1.6.

use concordat_protocol::artefact::{guard, kind::Scalar};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    collection::{Collection, Field},
    find,
    form::Form,
    row::Row,
    table::Records,
    target::{Place, Target},
};
use crate::{
    artefact::pounds,
    control::{AsOf, Deed, Edit, Leaving, LeavingValue, Pair, Promoting, Refusal},
    home::Home,
    replica::{Snapshot, board_named},
    view::artefact::{Artefact, show},
};

/// A field on its way.
struct Chosen<'a> {
    field: &'a Field,
    target: &'a Target,
    value: String,
}

/// What would leave, and the deed that lets it out.
///
/// # Errors
/// - [`Refusal`]: something is not there, not on the allow-list, or about a patient.
pub(super) fn leaving(
    snapshot: &Snapshot,
    home: &Home,
    what: &Promoting,
) -> Result<(Leaving, Deed), Refusal> {
    let collection = Collection::named(home, &what.collection)?;
    let records = Records::of(snapshot.reader(), collection.name());
    let row = find::named(&collection, &records, &what.record)?;
    let artefact = show(snapshot, &what.artefact, AsOf::Now)?;
    let chosen = chosen(&collection, &row, &artefact, what)?;
    let deed = deed(&artefact, &chosen)?;
    let value = |one: &Chosen<'_>| LeavingValue {
        field: one.field.name.clone(),
        to: one.target.to.clone(),
        how: how(&artefact, one.target),
        value: one.value.clone(),
    };
    let mut leaving = Leaving {
        collection: collection.name().to_owned(),
        record: row.id,
        artefact: artefact.artefact.clone(),
        kind: artefact.kind.clone(),
        title: artefact.title.clone(),
        board: artefact.board.clone(),
        holders: holders(snapshot, &artefact)?,
        values: chosen.iter().map(value).collect(),
        seal: String::new(),
    };
    leaving.seal = seal(&leaving)?;
    Ok((leaving, deed))
}

/// The members whose nodes will hold it.
fn holders(snapshot: &Snapshot, artefact: &Artefact) -> Result<Vec<String>, Refusal> {
    let mut holders = match &artefact.audience {
        Some(audience) => audience.clone(),
        None => {
            let board = board_named(&snapshot.views, |view| view.board, Some(&artefact.board))?;
            let members = snapshot.charter(board)?.members.iter();
            members.map(|member| member.slug.to_string()).collect()
        }
    };
    holders.sort();
    Ok(holders)
}

fn seal(leaving: &Leaving) -> Result<String, Refusal> {
    let bytes = serde_json::to_vec(leaving).map_err(|why| Refusal::new("system", why))?;
    Ok(HEXLOWER.encode(&Sha256::digest(bytes)))
}

fn chosen<'a>(
    collection: &'a Collection,
    row: &Row,
    artefact: &Artefact,
    what: &Promoting,
) -> Result<Vec<Chosen<'a>>, Refusal> {
    let may = |field: &&Field| field.targets.iter().any(|one| one.kind.name == artefact.kind);
    let fields: Vec<&Field> = if what.fields.is_empty() {
        let has_value = |field: &&Field| row.values.contains_key(&field.name);
        collection.fields.iter().filter(may).filter(has_value).collect()
    } else {
        what.fields.iter().map(|name| collection.field_named(name)).collect::<Result<_, _>>()?
    };
    if let Some((name, _)) =
        what.targets.iter().find(|(name, _)| !fields.iter().any(|field| field.name == *name))
    {
        let message = format!("{name:?} is given a target, and is none of the fields that leave");
        return Err(Refusal::new("unknown-field", message));
    }
    if fields.is_empty() {
        let message = format!(
            "nothing of a record of {} may be promoted to a {}; its file says what may, under \
             [[promote]]",
            collection.name(),
            artefact.kind
        );
        return Err(Refusal::new("not-allowed", message));
    }
    fields.into_iter().map(|field| choose(field, row, artefact, &what.targets)).collect()
}

fn choose<'a>(
    field: &'a Field,
    row: &Row,
    artefact: &Artefact,
    targets: &[Pair],
) -> Result<Chosen<'a>, Refusal> {
    let named = targets.iter().find(|(name, _)| *name == field.name).map(|(_, to)| to);
    let allowed = field.targets.iter().filter(|one| one.kind.name == artefact.kind);
    let allowed: Vec<&Target> = allowed.collect();
    let meant: Vec<&Target> =
        allowed.iter().copied().filter(|one| named.is_none_or(|to| one.to == *to)).collect();
    let list = || {
        let list: Vec<&str> = allowed.iter().map(|one| one.to.as_str()).collect();
        list.join(", ")
    };
    let target = match meant.as_slice() {
        [one] => *one,
        [] if allowed.is_empty() => {
            let message = format!(
                "{} may not be promoted to a {}; the collection's file says what may, under \
                 [[promote]]",
                field.name, artefact.kind
            );
            return Err(Refusal::new("not-allowed", message));
        }
        [] => {
            let message = format!(
                "{} may not be promoted there; in a {} it may go to {}",
                field.name,
                artefact.kind,
                list()
            );
            return Err(Refusal::new("not-allowed", message));
        }
        _ => {
            let message =
                format!("{} may go to {}; say which, as {}=…", field.name, list(), field.name);
            return Err(Refusal::new("which-target", message));
        }
    };
    let Some(kept) = row.values.get(&field.name) else {
        let message = format!("the record has no value for {}", field.name);
        return Err(Refusal::new("nothing-to-do", message));
    };
    let value = value_for(target, &field.form, kept);
    let is_amount = matches!(target.scalar(), Some(Scalar::Money));
    if !is_amount {
        guard::expect_none(&field.name, &value)
            .map_err(|why| Refusal::new("patient-number", why))?;
    }
    Ok(Chosen { field, target, value })
}

/// As the target takes it: amounts in pence where it is one, in pounds where people read it.
fn value_for(target: &Target, form: &Form, kept: &str) -> String {
    match (form.in_pence(kept), target.scalar()) {
        (Some(pence), Some(Scalar::Money)) => pence.to_string(),
        (Some(pence), _) => pounds(pence),
        (None, _) => kept.to_owned(),
    }
}

fn text_at<'a>(artefact: &'a Artefact, to: &str) -> &'a str {
    let field = artefact.fields.iter().find(|field| field.path == to);
    field.and_then(|field| field.text.as_deref()).unwrap_or_default()
}

fn how(artefact: &Artefact, target: &Target) -> String {
    match &target.place {
        Place::Text if text_at(artefact, &target.to).is_empty() => "becomes the text".to_owned(),
        Place::Text => "is added at the end of the text".to_owned(),
        Place::Value(_) => "takes the place of the value that stands there".to_owned(),
        Place::Set(_) => "is added to what stands there".to_owned(),
        Place::Item { list, .. } => format!("stands in a new item of {list}"),
        Place::Remark { remark, .. } => format!("is written as a {remark}"),
    }
}

/// What a person would do to write these values there.
fn deed(artefact: &Artefact, chosen: &[Chosen<'_>]) -> Result<Deed, Refusal> {
    let id = || artefact.artefact.clone();
    let mut edits: Vec<Edit> = Vec::new();
    let mut said: Option<(String, Vec<Pair>)> = None;
    for one in chosen {
        let (at, value) = (one.target.to.clone(), one.value.clone());
        match &one.target.place {
            Place::Text => {
                let is_empty = text_at(artefact, &at).is_empty();
                let insert = if is_empty { value } else { format!("\n{value}") };
                edits.push(Edit::Splice { at, position: None, delete: 0, insert });
            }
            Place::Value(_) => edits.push(Edit::Set { at, value }),
            Place::Set(_) => edits.push(Edit::Include { at, values: Vec::from([value]) }),
            Place::Item { list, part, .. } => add_to_item(&mut edits, list, (part.clone(), value)),
            Place::Remark { remark, param, .. } => {
                let (name, values) = said.get_or_insert_with(|| (remark.clone(), Vec::new()));
                if name != remark || values.iter().any(|(name, _)| name == param) {
                    return Err(apart());
                }
                values.push((param.clone(), value));
            }
        }
    }
    match said {
        None => Ok(Deed::Edit { artefact: id(), edits }),
        Some((name, values)) if edits.is_empty() => {
            Ok(Deed::Remark { artefact: id(), name, values, widens: false })
        }
        Some(_) => Err(apart()),
    }
}

fn apart() -> Refusal {
    let message = "a remark is one act and an edit is another; promote each field by itself";
    Refusal::new("promote-apart", message)
}

/// One new item a list: what goes into the same list belongs together.
fn add_to_item(edits: &mut Vec<Edit>, list: &str, pair: Pair) {
    for edit in edits.iter_mut() {
        if let Edit::Add { at, values, .. } = edit
            && at == list
        {
            return values.push(pair);
        }
    }
    edits.push(Edit::Add { at: list.to_owned(), values: Vec::from([pair]), after: None });
}
