//! Papers come back as they were, and whatever is done to them on the way is told exactly.

use concordat_protocol::{codec::Fixed, identity::Inception};

use super::*;
use crate::fixture::{Partner, draft, found, partner};

fn two() -> (Partner, Partner) {
    (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"))
}

#[test]
fn every_paper_comes_back_from_its_text_even_with_other_line_ends() {
    let (wigan, trafford) = two();
    let draft = draft(&[&wigan, &trafford]);
    let board = found(&[&wigan, &trafford]);
    let acceptance = wigan.accept(&draft);
    let dos = |text: String| text.replace('\n', "\r\n") + "\r\n\r\n# sent by mail\r\n";

    assert_eq!(CardPaper::from_text(&dos(wigan.card().to_text())).unwrap(), *wigan.card());
    assert_eq!(DraftPaper::from_text(&dos(draft.to_text())).unwrap(), draft);
    assert_eq!(BoardPaper::from_text(&dos(board.to_text())).unwrap(), board);
    let text = dos(acceptance.to_text("la-wigan"));
    assert_eq!(AcceptancePaper::from_text(&text).unwrap(), acceptance);
}

#[test]
fn a_paper_of_another_kind_or_version_is_named() {
    let (wigan, trafford) = two();
    let card = wigan.card().to_text();
    let error = |text: &str| DraftPaper::from_text(text).unwrap_err().to_string();

    assert_eq!(error(&card), "this is a card file, and a draft file is needed here");
    let not_ours = "this is not a concordat file: its first line must be `concordat draft 1`";
    assert_eq!(error(""), not_ours);
    assert_eq!(error("-----BEGIN CERTIFICATE-----"), not_ours);
    let later = draft(&[&wigan, &trafford]).to_text().replace("draft 1", "draft 2");
    assert_eq!(error(&later), "this file has version 2; this program reads version 1, upgrade it");
}

#[test]
fn no_changed_character_of_a_card_passes() {
    let card = partner("la-wigan", "council");
    let text = card.card().to_text();
    let body = text.find("inception").unwrap();
    for (at, char) in text.char_indices().filter(|(at, char)| *at >= body && *char != '\n') {
        let other = if char == 'A' { 'B' } else { 'A' };
        let mut changed = text.clone();
        changed.replace_range(at..at + char.len_utf8(), &other.to_string());
        let read = CardPaper::from_text(&changed);
        // An indent may be widened by nobody's fault; nothing else may change.
        assert!(read.is_err() || char == ' ', "character {at} {char:?}");
    }
}

#[test]
fn a_card_under_another_organisations_record_is_refused() {
    let (wigan, trafford) = two();
    let record = trafford.card().inception().clone();
    let other = CardPaper::new(record.clone(), wigan.card().card().clone()).unwrap_err();
    assert_eq!(other.code(), "other-organisation");

    let renamed = Inception { legal_name: "The organisation la-wigan".into(), ..record };
    assert!(CardPaper::new(renamed, trafford.card().card().clone()).is_err());
}

#[test]
fn a_draft_whose_cards_are_not_its_members_is_refused() {
    let (wigan, trafford) = two();
    let third = partner("gmhscp", "office");
    let drafted = draft(&[&wigan, &trafford]);
    let with = |cards: &[&Partner]| {
        let cards = cards.iter().map(|partner| partner.card().clone()).collect();
        DraftPaper::new(drafted.charter().clone(), cards).map(|_| ()).map_err(|why| why.code())
    };
    assert_eq!(with(&[&trafford, &wigan]), Ok(()));
    assert_eq!(with(&[&wigan]), Err("other-members"));
    assert_eq!(with(&[&wigan, &third]), Err("other-members"));
    assert_eq!(with(&[&wigan, &trafford, &third]), Err("other-members"));

    let mut charter = drafted.charter().clone();
    let member = charter.members.iter_mut().find(|one| one.slug.as_str() == "la-wigan").unwrap();
    member.recovery_digest = Fixed([9; 32]);
    let told = DraftPaper::new(charter, drafted.cards().to_vec()).unwrap_err().to_string();
    assert_eq!(
        told,
        "the charter names another recovery key for la-wigan than its card; have it drafted again"
    );
}

#[test]
fn a_control_character_in_a_name_stays_out_of_the_comments() {
    let text = write(PaperKind::Card, &["one\ncard\n  AA==\u{1b}[2J".to_owned()], &[]);
    assert_eq!(text, "concordat card 1\n# onecard  AA==[2J\n");
}
