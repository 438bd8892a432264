//! Orders over real stores, done as a command does them when no daemon runs.

use std::sync::Arc;

use concordat_protocol::{
    audit::Severity,
    engine::{Table, place_key},
    limits::FACT_BYTES_MAX,
};

use super::*;
use crate::{
    control::{Answer, LogQuery, Notes, Request},
    fixture::{Partner, address, found, partner},
    paper::{BoardPaper, CardPaper},
    store::{self, EngineKind, Op},
};

impl Partner {
    fn join(&self, board: &BoardPaper) -> Result<bool, String> {
        match self.ask(Request::Join { paper: board.to_text() }) {
            Ok(Answer::Joined(joined)) => Ok(joined.was_joined),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    }

    fn note(&self, text: &str) -> Result<Notes, String> {
        match self.ask(Request::Notes { board: None, texts: vec![text.to_owned()] }) {
            Ok(Answer::Notes(notes)) => Ok(notes),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    }

    fn add(&self, card: &CardPaper, accepts_new_key: bool) -> Result<bool, String> {
        match self.ask(Request::AddCard { paper: card.to_text(), accepts_new_key }) {
            Ok(Answer::CardAdded(added)) => Ok(added.was_known),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    }

    fn texts(&self, query: LogQuery) -> Vec<(String, u64, Option<String>)> {
        match self.ask(Request::Log(query)) {
            Ok(Answer::Log(log)) => {
                log.entries.into_iter().map(|line| (line.kind, line.seq, line.text)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn is_restored(&self) -> bool {
        match self.ask(Request::Status) {
            Ok(Answer::Status(status)) => status.restored.is_some(),
            other => panic!("{other:?}"),
        }
    }
}

fn last(limit: usize) -> LogQuery {
    LogQuery { board: None, feed: None, from: None, limit }
}

fn pair() -> (Partner, Partner, BoardPaper) {
    let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
    let board = found(&[&wigan, &trafford]);
    (wigan, trafford, board)
}

#[test]
fn a_note_written_without_a_daemon_is_signed_durable_and_marked() {
    let (wigan, _, board) = pair();
    assert_eq!(wigan.note("too early"), Err("no-board".to_owned()));
    assert_eq!(wigan.join(&board), Ok(false));
    assert_eq!(wigan.join(&board), Ok(true));

    let notes = wigan.note("good morning").unwrap();

    assert_eq!((notes.written[0].seq, notes.waiting), (1, 0));
    let lines = wigan.texts(last(9));
    let expected = [
        ("open_feed".to_owned(), 0, None),
        ("note".to_owned(), 1, Some("good morning".to_owned())),
    ];
    assert_eq!(lines, expected);
    assert_eq!(wigan.texts(last(1)), expected[1..]);
    let mark = Mark::load(&wigan.home.mark()).unwrap().unwrap();
    let marked: Vec<(u64, String)> =
        mark.feeds.values().map(|mark| (mark.size, mark.last.to_string())).collect();
    assert_eq!(marked, [(2, notes.written[0].id.clone())]);
    assert!(!wigan.is_restored());
}

#[test]
fn a_text_that_no_note_can_hold_is_refused_before_anything_is_signed() {
    let (wigan, _, board) = pair();
    wigan.join(&board).unwrap();
    assert_eq!(wigan.note(""), Err("empty-note".to_owned()));
    assert_eq!(wigan.note(&"x".repeat(FACT_BYTES_MAX)), Err("too-long".to_owned()));
    assert_eq!(wigan.texts(last(9)).len(), 1);
}

#[test]
fn only_a_member_with_the_keys_that_the_charter_names_joins() {
    let (_, _, board) = pair();
    let stranger = partner("la-bury", "council");
    assert_eq!(stranger.join(&board), Err("not-a-member".to_owned()));
}

#[test]
fn a_board_is_named_by_the_beginning_of_its_id() {
    let (wigan, trafford, board) = pair();
    wigan.join(&board).unwrap();
    let other = found(&[&wigan, &trafford, &partner("gmhscp", "office")]);
    wigan.join(&other).unwrap();
    let note = |named: Option<String>| {
        let texts = vec!["x".to_owned()];
        match wigan.ask(Request::Notes { board: named, texts }) {
            Ok(Answer::Notes(notes)) => notes.board,
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => refusal.code,
        }
    };
    let id = other.founding().board().to_string();

    assert_eq!(note(None), "which-board");
    assert_eq!(note(Some("board-".into())), "which-board");
    assert_eq!(note(Some("nowhere".into())), "unknown-board");
    assert_eq!(note(Some(id.clone())), id);
    assert_eq!(note(Some(id[..20].to_owned())), id);
    assert_eq!(note(Some(id["board-".len()..20].to_owned())), id);
}

#[test]
fn cards_are_added_once_and_older_or_contradicting_ones_are_refused() {
    let (wigan, mut trafford, _) = pair();
    let first = trafford.card().clone();
    trafford.organisation.announce(&trafford.home, &[address(1)]).unwrap();
    let second = trafford.card().clone();
    assert_eq!((first.card().card().number, second.card().card().number), (0, 1));

    assert_eq!(wigan.add(&first, false), Ok(false));
    assert_eq!(wigan.add(&first, false), Ok(true));
    assert_eq!(wigan.add(&second, false), Ok(false));
    assert_eq!(wigan.add(&first, false), Err("older-card".to_owned()));
    assert_eq!(wigan.add(wigan.card(), false), Err("own-card".to_owned()));

    // The same number with other addresses: somebody runs two nodes with one key.
    let twin_place = partner("twin", "ccg");
    let twin_home = &twin_place.home;
    std::fs::write(twin_home.own_card(), first.to_text()).unwrap();
    for name in ["feed.key", "witness.key", "node.key", "recovery.pub"] {
        let from = trafford.home.directory().join("keys").join(name);
        std::fs::copy(from, twin_home.directory().join("keys").join(name)).unwrap();
    }
    let mut twin = Organisation::load(twin_home).unwrap();
    twin.announce(twin_home, &[address(2)]).unwrap();
    assert_eq!(wigan.add(twin.paper(), false), Err("contradicting-card".to_owned()));
}

#[test]
fn a_store_put_back_from_a_backup_signs_nothing() {
    let (wigan, _, board) = pair();
    wigan.join(&board).unwrap();
    wigan.note("one").unwrap();
    let backup = wigan.place.path().join("backup.redb");
    let file = wigan.home.store().join("store.redb");
    std::fs::copy(&file, &backup).unwrap();
    wigan.note("two").unwrap();
    assert!(!wigan.is_restored());

    std::fs::copy(&backup, &file).unwrap();

    assert!(wigan.is_restored());
    assert_eq!(wigan.note("another two"), Err("restoring".to_owned()));
    assert_eq!(wigan.texts(last(9)).len(), 2);
}

#[test]
fn a_lost_mark_or_a_store_with_another_entry_is_noticed() {
    let (wigan, _, board) = pair();
    wigan.join(&board).unwrap();
    wigan.note("one").unwrap();
    let mark = Mark::load(&wigan.home.mark()).unwrap().unwrap();
    std::fs::remove_file(wigan.home.mark()).unwrap();
    assert!(wigan.is_restored());
    // It stays so until partners have told, whatever is started in between.
    assert!(wigan.is_restored());

    mark.save(&wigan.home.mark()).unwrap();
    assert!(!wigan.is_restored());
    let feed = mark.feeds.values().next().unwrap().feed;
    let store = store::open(&wigan.home.store(), EngineKind::Redb).unwrap();
    let other = Op::put(Table::Headers, place_key(&feed, 0, 1), vec![1]);
    let _durable = store.commit(vec![other]).unwrap();
    drop(store);
    assert!(wigan.is_restored());
}

#[test]
fn a_restored_start_is_marked_before_anything_is_done() {
    let (wigan, _, board) = pair();
    wigan.join(&board).unwrap();
    let open = |is_restored| {
        let store = store::open(&wigan.home.store(), EngineKind::Redb).unwrap();
        let organisation = Arc::new(wigan.again());
        Replica::open(&wigan.home, organisation, store.reader(), is_restored).unwrap();
    };
    let is_marked = || Mark::load(&wigan.home.mark()).unwrap().unwrap().is_restoring;
    open(false);
    assert!(!is_marked());

    open(true);

    assert!(is_marked());
    assert!(wigan.is_restored());
}

#[test]
fn the_asking_has_ended_only_when_all_that_was_given_is_durable() {
    let write = |number| Effect::Persist { batch: BatchId(number), ops: vec![] };
    let mut restoring = Restoring::default();
    restoring.observe(None, &[write(1)], || false);
    restoring.observe(Some(BatchId(1)), &[write(2)], || false);
    assert!(!restoring.has_ended());

    // The last answer comes with entries that are on their way to disk.
    restoring.observe(None, &[write(3)], || true);
    assert!(!restoring.has_ended());
    restoring.observe(Some(BatchId(2)), &[write(4)], || true);
    assert!(!restoring.has_ended());
    restoring.observe(Some(BatchId(3)), &[], || true);
    assert!(restoring.has_ended());

    // A start that asked nobody has nothing to wait for.
    let mut sure = Restoring::default();
    sure.observe(None, &[], || true);
    assert!(sure.has_ended());
}

#[test]
fn an_exported_board_holds_all_that_is_stored_and_audits_clean() {
    let (wigan, _, board) = pair();
    wigan.join(&board).unwrap();
    let out = wigan.place.path().join("board.bundle");
    // More than a run of headers, and more text than a frame carries beside them.
    let texts = (0..300).map(|number| format!("note {number}")).collect();
    wigan.ask(Request::Notes { board: None, texts }).unwrap();
    let large = (0..12).map(|_| "x".repeat(60_000)).collect();
    wigan.ask(Request::Notes { board: None, texts: large }).unwrap();
    let export = || wigan.ask(Request::Export { board: None, out: out.clone() });

    let Ok(Answer::Exported(exported)) = export() else { panic!("not exported") };

    let bytes = std::fs::read(&out).unwrap();
    assert_eq!((exported.entries, exported.bytes), (313, bytes.len() as u64));
    let report = concordat_protocol::audit::audit_bundle(&bytes);
    let (findings, entries) = (report.findings.as_slice(), report.summary.entries());
    assert!(findings.iter().all(|finding| finding.severity() == Severity::Note), "{findings:?}");
    assert_eq!((report.exit_status(), entries), (0, 313));

    // An export never writes over a file.
    assert_eq!(export().unwrap_err().code, "export");
    assert_eq!(std::fs::read(&out).unwrap(), bytes);
}
