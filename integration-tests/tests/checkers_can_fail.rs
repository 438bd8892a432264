//! A checker that never fires is suspect: for each, a node or its shell is broken on purpose, and
//! that very checker has to find it.
//!
//! The runs are calm but for what is broken: no faults, no liars (save for the forking
//! organisation that `forks` needs).

use concordat_integration_tests::{
    outcome::{Exit, Outcome},
    sim::{Profile, Sabotage, Sim, artefacts::Broken, checkers::Checker},
};

/// A calm run of five organisations, with something broken.
#[expect(clippy::unwrap_used, reason = "a test, in a function of its own")]
fn run(seed: u64, sabotage: Option<Sabotage>) -> Outcome {
    let profile = Profile {
        organisations: (5, 5),
        safety_s: (240, 240),
        liveness_s: 60,
        sabotage,
        calm: true,
    };
    Sim::new(seed, profile).unwrap().run()
}

/// What the first sabotaged run that fails ends with. Not every seed meets what is broken: two
/// nodes that sign with one key, say, have to do so at about the same time.
fn found(sabotage: Sabotage) -> (Exit, Option<Checker>) {
    let mut outcomes = (1..=12).map(|seed| run(seed, Some(sabotage)));
    let failed = outcomes.find(|outcome| outcome.exit != Exit::Passed);
    failed.map_or((Exit::Passed, None), |outcome| {
        (outcome.exit, outcome.violation.map(|violation| violation.checker))
    })
}

#[test]
fn a_calm_run_without_sabotage_passes() {
    let outcome = run(1, None);
    assert_eq!(outcome.exit, Exit::Passed, "{outcome}");
}

#[test]
fn append_only_finds_a_shell_that_rewrites_a_stored_header() {
    assert_eq!(found(Sabotage::RewriteHeader), (Exit::Safety, Some(Checker::AppendOnly)));
}

#[test]
fn append_only_finds_a_restored_node_that_signs_at_once() {
    assert_eq!(found(Sabotage::CarelessRestore), (Exit::Safety, Some(Checker::AppendOnly)));
}

#[test]
fn authorship_finds_a_stored_entry_that_nobody_signed() {
    assert_eq!(found(Sabotage::ForgeEntry), (Exit::Safety, Some(Checker::Authorship)));
}

#[test]
fn durability_finds_a_shell_that_confirms_before_it_flushes() {
    assert_eq!(found(Sabotage::ConfirmBeforeFlush), (Exit::Safety, Some(Checker::Durability)));
}

#[test]
fn witnesses_finds_a_cosignature_of_something_else() {
    assert_eq!(found(Sabotage::SignElse), (Exit::Safety, Some(Checker::Witnesses)));
}

#[test]
fn effects_finds_a_node_that_counts_no_acknowledgements() {
    assert_eq!(found(Sabotage::IgnoreAcks), (Exit::Safety, Some(Checker::Effects)));
}

#[test]
fn ends_finds_nodes_that_count_what_a_thief_wrote_beyond_an_end() {
    assert_eq!(found(Sabotage::IgnoreEnds), (Exit::Safety, Some(Checker::Ends)));
}

#[test]
fn settlement_finds_a_node_that_forgets_what_was_settled() {
    assert_eq!(found(Sabotage::ForgetSettlement), (Exit::Safety, Some(Checker::Settlement)));
}

#[test]
fn liveness_finds_a_node_that_never_learns_a_newer_card() {
    // What the last look finds may be an entry that is still under way.
    let mut outcomes = (1..=12).map(|seed| run(seed, Some(Sabotage::KeepFirstCards)));
    let is_outdated = |outcome: &Outcome| {
        let violation = outcome.violation.as_ref();
        violation.is_some_and(|violation| violation.sentence.contains("has card (0, 1), known is"))
    };
    assert_eq!(outcomes.find(is_outdated).map(|outcome| outcome.exit), Some(Exit::Liveness));
}

#[test]
fn forks_finds_shells_that_throw_evidence_away() {
    assert_eq!(found(Sabotage::HideForks), (Exit::Safety, Some(Checker::Forks)));
}

#[test]
fn liveness_finds_a_node_that_no_run_ever_reaches() {
    assert_eq!(found(Sabotage::StarveNode), (Exit::Liveness, Some(Checker::Liveness)));
}

#[test]
fn courtesy_finds_an_honest_node_that_is_sent_away() {
    assert_eq!(found(Sabotage::Babble), (Exit::Safety, Some(Checker::Courtesy)));
}

#[test]
fn a_panic_in_an_engine_is_a_crash_of_the_run() {
    assert_eq!(found(Sabotage::Panic), (Exit::Crash, Some(Checker::Crash)));
}

/// What node 0 gets wrong of artefacts is found by this checker.
fn found_of_artefacts(broken: Broken) -> (Exit, Option<Checker>) {
    found(Sabotage::Artefacts(broken))
}

#[test]
fn artefacts_finds_a_node_that_forgets_what_entries_rely_on() {
    let found = found_of_artefacts(Broken::Forgets);
    assert_eq!(found, (Exit::Safety, Some(Checker::Artefacts)));
}

#[test]
fn artefacts_finds_a_state_that_does_not_follow_from_the_entries() {
    let found = found_of_artefacts(Broken::Strays);
    assert_eq!(found, (Exit::Safety, Some(Checker::Artefacts)));
}

#[test]
fn permitted_finds_a_change_that_is_taken_from_another_entry() {
    let found = found_of_artefacts(Broken::Misplaces);
    assert_eq!(found, (Exit::Safety, Some(Checker::Permitted)));
}

#[test]
fn votes_finds_an_answer_that_is_counted_as_another() {
    let found = found_of_artefacts(Broken::Miscounts);
    assert_eq!(found, (Exit::Safety, Some(Checker::Votes)));
}

#[test]
fn votes_finds_a_result_that_changes() {
    let found = found_of_artefacts(Broken::Reverses);
    assert_eq!(found, (Exit::Safety, Some(Checker::Votes)));
}

#[test]
fn audience_finds_a_payload_that_is_sent_to_somebody_outside() {
    let found = found_of_artefacts(Broken::Tells);
    assert_eq!(found, (Exit::Safety, Some(Checker::Audience)));
}

#[test]
fn audience_finds_a_payload_that_somebody_outside_holds() {
    let found = found_of_artefacts(Broken::Keeps);
    assert_eq!(found, (Exit::Safety, Some(Checker::Audience)));
}

#[test]
fn documents_finds_a_change_that_is_lost_from_a_document() {
    let found = found_of_artefacts(Broken::Loses);
    assert_eq!(found, (Exit::Safety, Some(Checker::Documents)));
}

#[test]
fn documents_finds_a_good_change_that_does_not_apply() {
    let found = found_of_artefacts(Broken::Orphans);
    assert_eq!(found, (Exit::Safety, Some(Checker::Documents)));
}

#[test]
fn artefacts_finds_a_node_that_shows_less_than_it_hands_to_auditors() {
    let found = found_of_artefacts(Broken::Hides);
    assert_eq!(found, (Exit::Safety, Some(Checker::Artefacts)));
}
