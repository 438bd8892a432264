//! `record promote` and `record promotions`.
//!
//! *Source*: ours.

use super::{ask, expect_yes, look};
use crate::{
    cli::{
        args::record::{Promote, Promotions},
        context::Context,
        error::CliError,
        out::{Out, time_in_words},
    },
    control::{Leaving, Promoting, PromotionLine, RecordsAnswer, RecordsAsked, RecordsLook, Word},
};

pub(super) fn run(context: &Context, promote: Promote, out: &Out) -> Result<(), CliError> {
    let Promote { collection, record, artefact, fields, targets, yes } = promote;
    let what = Promoting { collection, record, artefact, fields, targets };
    let RecordsAnswer::Leaving(leaving) = look(context, RecordsLook::Leaving(what.clone()))? else {
        return Err(CliError::OtherAnswer);
    };
    let shown = leaving_in_words(&leaving);
    if !yes {
        expect_yes(out.confirm(&shown, "It cannot be called back. Let it leave?"))?;
    }
    let seal = leaving.seal.clone();
    let asked = RecordsAsked::Promote { what, seal, word: Word::CommandLine };
    let RecordsAnswer::Promoted(line) = ask(context, asked)? else {
        return Err(CliError::OtherAnswer);
    };
    // Whoever was asked has seen it already.
    let mut words = if yes { shown } else { Vec::new() };
    words.extend(line_in_words(&line));
    out.show(&*line, &words)
}

fn leaving_in_words(leaving: &Leaving) -> Vec<String> {
    let Leaving { collection, record, artefact, kind, title, board, holders, values, seal: _ } =
        leaving;
    let title = title.as_ref().map(|title| format!(" {title:?}")).unwrap_or_default();
    let mut words = vec![
        format!("of {record} in {collection} into the {kind}{title}, {artefact}"),
        format!("  on {board}, held by {}", holders.join(", ")),
    ];
    words.extend(
        values.iter().map(|one| {
            format!("  {} to {}, where it {}: {}", one.field, one.to, one.how, one.value)
        }),
    );
    words
}

fn line_in_words(line: &PromotionLine) -> Vec<String> {
    let fields: Vec<String> =
        line.fields.iter().map(|(field, to)| format!("{field} to {to}")).collect();
    let mut words = vec![
        format!(
            "promoted {} of {} in {}, {}, by the {}",
            fields.join(", "),
            line.record,
            line.collection,
            time_in_words(line.at_ms),
            line.by
        ),
        format!("  promotion {}", line.promotion),
        format!("  into {}, held by {}", line.artefact, line.holders.join(", ")),
        format!("  salted digest {}", line.digest),
    ];
    match &line.written {
        Some(written) => {
            words.extend(written.iter().map(|one| format!("  wrote entry {} {}", one.seq, one.id)))
        }
        None => words.push(
            "  it is not known what became of it, since the node ended meanwhile: look at \
             `concordat artefact history`"
                .to_owned(),
        ),
    }
    words
}

pub(super) fn list(context: &Context, list: Promotions, out: &Out) -> Result<(), CliError> {
    let Promotions { after, limit } = list;
    let RecordsAnswer::Promotions(page) = look(context, RecordsLook::Promotions { after, limit })?
    else {
        return Err(CliError::OtherAnswer);
    };
    let mut words: Vec<String> = page.promotions.iter().flat_map(line_in_words).collect();
    if words.is_empty() {
        words.push("nothing was promoted".to_owned());
    }
    if let Some(next) = &page.next {
        words.push(format!("there are more: --after {next}"));
    }
    out.show(&page, &words)
}
