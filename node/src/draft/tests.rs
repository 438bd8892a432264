//! What people may write in a draft of a board, and what they are told when they err.

use super::*;
use crate::fixture::{draft_file, partner};

#[test]
fn a_draft_takes_names_and_keys_from_the_cards() {
    let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
    let place = tempfile::tempdir().unwrap();
    let path = draft_file(&place, &[&wigan, &trafford]);

    let charter = read(&path, [7; 16]).unwrap().charter().clone();

    assert_eq!(charter.classes, ["ccg", "council"]);
    assert_eq!((charter.silence_days, charter.title.as_str()), (14, "Test board"));
    let member = charter.member(&wigan.organisation.id()).unwrap();
    assert_eq!(member.names[0].name, "The organisation la-wigan");
    assert_eq!(member.feed_key, wigan.card().card().card().feed_key);
    assert_eq!(member.codes, wigan.card().inception().codes);
}

#[test]
fn every_mistake_is_told_in_words() {
    let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
    let place = tempfile::tempdir().unwrap();
    let path = draft_file(&place, &[&wigan, &trafford]);
    let good = std::fs::read_to_string(&path).unwrap();
    let told = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        std::fs::write(&path, good.replace(from, to)).unwrap();
        read(&path, [7; 16]).unwrap_err().to_string()
    };

    let rule = "amend = \"share(2/3 of members)\"";
    assert_eq!(
        told(rule, ""),
        "the rule amend is missing; for example: amend = \"share(2/3 of members)\""
    );
    assert_eq!(
        told(rule, "amend = \"share(2/3 of all)\""),
        "the rule \"amend\", at character 14: expected \"members\" or \"cast\", found \"all\""
    );
    assert_eq!(
        told(rule, "amend = \"share(1/2 of members)\""),
        "this cannot be founded: two groups of members with nobody in common could both satisfy \
         the rule amend, and adopt two charters; outside every any it must ask for one \
         organisation, or for more than half of the members or of a class"
    );
    assert_eq!(
        told("title", "closers = [\"la-bury\"]\ntitle"),
        "closers names \"la-bury\", and no member is called so"
    );
    assert_eq!(
        told("slug = \"ccg-trafford\"", "slug = \"la-wigan\""),
        "this cannot be founded: two members are called la-wigan; short names must differ"
    );
    assert!(
        told("slug = \"la-wigan\"", "slug = \"Wigan\"")
            .starts_with("the member \"Wigan\": a short name has")
    );
    assert!(told("la-wigan.card", "la-bury.card").contains("la-bury.card of la-wigan: reading"));
    assert!(told("title", "titel").contains("unknown field `titel`"));
    assert!(
        told("[[members]]\ncard = \"ccg", "[[members]]\nstatus = \"removed\"\ncard = \"ccg")
            .contains("unknown variant `removed`")
    );
}

#[test]
fn a_board_has_every_kind_for_everybody_unless_its_draft_says_otherwise() {
    use concordat_protocol::{artefact::kinds, charter::Who};

    let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
    let place = tempfile::tempdir().unwrap();
    let path = draft_file(&place, &[&wigan, &trafford]);
    let charter = read(&path, [7; 16]).unwrap().charter().clone();
    assert_eq!(charter.kinds.len(), kinds::ALL.len());
    assert!(charter.kinds.iter().all(|terms| terms.edits == Who::Everyone));

    let good = std::fs::read_to_string(&path).unwrap();
    let with = |lines: &str| {
        std::fs::write(&path, format!("{good}{lines}")).unwrap();
        read(&path, [7; 16]).map(|draft| draft.charter().clone())
    };
    let kind = "[[kinds]]\nkind = \"decision\"\ncreates = [\"council\", \"ccg-trafford\"]\n";
    let charter = with(&format!("{kind}[localities]\nwigan = [\"la-wigan\"]\n")).unwrap();
    let creates =
        Who::Named { classes: vec!["council".into()], orgs: vec![trafford.organisation.id()] };
    assert_eq!(charter.kinds.len(), 1);
    assert_eq!((&charter.kinds[0].creates, &charter.kinds[0].edits), (&creates, &Who::Everyone));
    assert_eq!(charter.localities[0].orgs, [wigan.organisation.id()]);

    let told = |lines: &str| with(lines).unwrap_err().to_string();
    assert_eq!(
        told("[[kinds]]\nkind = \"poem\"\n"),
        "no kind of artefact is called \"poem\"; there is decision, mutual_aid and standard"
    );
    assert_eq!(
        told("[[kinds]]\nkind = \"decision\"\nedits = [\"trust\"]\n"),
        "edits names \"trust\", and no member and no class is called so"
    );
    assert_eq!(
        told("[localities]\nbury = [\"la-bury\"]\n"),
        "localities names \"la-bury\", and no member is called so"
    );
}
