//! Journals over real stores: what breaks a chain is found, what is pruned is not; and the handbook's
//! catalogue is the one of the code.

use concordat_protocol::hash::{FeedId, NodeKey};

use super::{entry::row, gather::key, *};
use crate::{
    clock,
    store::{MemoryDisk, Op, Own, Store},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A store whose journal has so many entries, and its head.
fn written(entries: u64) -> (Store, Head) {
    let store = MemoryDisk::new().open().unwrap();
    let mut journal = Journal::open(&store.reader(), None).unwrap();
    for number in 1..=entries {
        journal.tell(Event::TokenRevoked { token: number.to_string() });
    }
    let _durable = store.commit(journal.write(None)).unwrap();
    (store, journal.head())
}

fn row_of(store: &Store, number: u64) -> Vec<u8> {
    store.reader().get(Own::Journal, &key(number)).unwrap().unwrap()
}

fn put(store: &Store, number: u64, row: Vec<u8>) {
    let _durable = store.commit(vec![Op::put(Own::Journal, key(number), row)]).unwrap();
}

fn delete(store: &Store, number: u64) {
    let _durable = store.commit(vec![Op::delete(Own::Journal, key(number))]).unwrap();
}

fn faults(store: &Store, marked: Head) -> Vec<(String, u64)> {
    let checked = check(&store.reader(), Some(marked)).unwrap();
    checked.faults.into_iter().map(|fault| (fault.code, fault.number)).collect()
}

fn fault(code: &str, number: u64) -> (String, u64) {
    (code.to_owned(), number)
}

#[test]
fn a_whole_journal_is_whole_and_goes_on_after_it_was_opened_again() {
    let (store, head) = written(600);
    let checked = check(&store.reader(), Some(head)).unwrap();
    assert_eq!((checked.entries, checked.first, checked.last), (600, 1, 600));
    assert_eq!(checked.faults, []);

    let mut journal = Journal::open(&store.reader(), Some(head)).unwrap();
    journal.tell(Event::KeysLocked {});
    let _durable = store.commit(journal.write(None)).unwrap();

    assert_eq!(journal.head().number, 601);
    assert_eq!(faults(&store, journal.head()), []);
    assert_eq!(faults(&written(0).0, Head::START), []);
}

#[test]
fn a_row_that_was_changed_removed_or_moved_is_named() {
    let (store, head) = written(9);
    let other = Event::TokenRevoked { token: "another".to_owned() };
    let before = Entry::from_row(&row_of(&store, 5)).unwrap();
    let previous = data_encoding::HEXLOWER.decode(before.previous.as_bytes()).unwrap();
    let previous = Head { number: 4, hash: previous.try_into().unwrap() };
    put(&store, 5, row(previous, before.time_ms, &other, &Outcome::Done).0);
    assert_eq!(faults(&store, head), [fault("journal-changed", 5)]);

    let (store, head) = written(9);
    delete(&store, 5);
    assert_eq!(faults(&store, head), [fault("journal-missing", 5)]);

    let (store, head) = written(9);
    let (fifth, sixth) = (row_of(&store, 5), row_of(&store, 6));
    put(&store, 5, sixth);
    put(&store, 6, fifth);
    let found = faults(&store, head);
    assert_eq!(found[..2], [fault("journal-moved", 5), fault("journal-moved", 6)]);

    let (store, head) = written(9);
    put(&store, 5, b"no entry".to_vec());
    assert_eq!(faults(&store, head)[0], fault("journal-garbled", 5));
    // The first is held by the anchor.
    let (store, head) = written(9);
    delete(&store, 1);
    assert_eq!(faults(&store, head), [fault("journal-missing", 1)]);
}

#[test]
fn a_tail_that_was_cut_off_or_replaced_is_named_and_told_at_the_next_start() {
    let (store, head) = written(9);
    delete(&store, 9);
    assert_eq!(faults(&store, head), [fault("journal-cut", 8)]);
    let mut journal = Journal::open(&store.reader(), Some(head)).unwrap();
    let _durable = store.commit(journal.write(None)).unwrap();
    let told = Entry::from_row(&row_of(&store, 9)).unwrap();
    assert_eq!((told.event.as_str(), told.fields["held"].as_str()), ("journal-cut", "8"));
    assert_eq!(faults(&store, journal.head()), []);

    // The last entry is replaced, so that no entry after it tells.
    let (store, head) = written(9);
    let previous = Head { number: 8, hash: entry::hash(&row_of(&store, 8)) };
    put(&store, 9, row(previous, 0, &Event::KeysLocked {}, &Outcome::Done).0);
    assert_eq!(faults(&store, head), [fault("journal-changed", 9)]);
    let mut journal = Journal::open(&store.reader(), Some(head)).unwrap();
    assert_eq!(journal.write(None).len(), 1);
    // An unmarked, whole journal says nothing.
    let mut journal = Journal::open(&store.reader(), None).unwrap();
    assert_eq!(journal.write(None), []);
}

#[test]
fn old_entries_are_pruned_to_an_anchor_from_which_the_chain_is_whole() {
    let store = MemoryDisk::new().open().unwrap();
    let (mut rows, mut head) = (Vec::new(), Head::START);
    let now = clock::now_ms();
    for number in 1..=700 {
        let age = if number <= 600 { 181 * DAY_MS } else { 0 };
        let (bytes, next) = row(head, now - age, &Event::KeysLocked {}, &Outcome::Done);
        rows.push(Op::put(Own::Journal, key(next.number), bytes));
        head = next;
    }
    let _durable = store.commit(rows).unwrap();
    let mut journal = Journal::open(&store.reader(), Some(head)).unwrap();
    for expected in [256, 512, 600, 600] {
        let mut ops = journal.keep_house(&store.reader(), 180).unwrap();
        ops.extend(journal.write(None));
        let _durable = store.commit(ops).unwrap();
        let checked = check(&store.reader(), Some(journal.head())).unwrap();
        assert_eq!((checked.first, checked.faults), (expected + 1, vec![]));
    }
    // What was pruned cannot be put down to something else.
    let other = Head { number: 600, hash: [1; 32] }.to_words();
    put(&store, 0, other.into_bytes());
    assert!(faults(&store, journal.head()).contains(&fault("journal-anchor", 601)));
}

#[test]
fn a_line_waits_for_its_batch_and_what_others_bring_about_is_bounded() {
    use concordat_protocol::engine::BatchId;
    let store = MemoryDisk::new().open().unwrap();
    let mut journal = Journal::open(&store.reader(), None).unwrap();
    journal.take(Some(BatchId(2)), Line::done(Event::KeysLocked {}));
    journal.tell(Event::KeysUnlocked {});
    assert_eq!(journal.write(Some(BatchId(1))).len(), 1);
    assert_eq!(journal.write(None).len(), 0);
    assert_eq!(journal.write(Some(BatchId(2))).len(), 1);

    // From one place it is one line, from many at most a hundred a minute.
    let stranger = |key: u8, part: u8| {
        let mut bytes = [key; 32];
        bytes[0] = part;
        let (peer, address) = (Some(NodeKey::from_bytes(bytes)), "/ip4/192.0.2.1".to_owned());
        Event::StrangerRefused { peer, address, times: 1 }
    };
    for _ in 0..500 {
        journal.tell_refused(stranger(1, 1), "stranger");
    }
    assert_eq!(journal.write(None).len(), 1);
    for part in 0..250 {
        journal.tell_refused(stranger(2, part), "stranger");
    }
    assert_eq!(journal.write(None).len(), 99);
    let _removed = journal.keep_house(&store.reader(), 180).unwrap();
    let rows = journal.write(None);
    let told = Entry::from_row(rows[0].value.as_ref().unwrap()).unwrap();
    assert_eq!((told.event.as_str(), told.fields["times"].as_str()), ("lines-left-out", "151"));
}

#[test]
fn a_page_has_what_was_asked_for_and_says_where_to_go_on() {
    let store = MemoryDisk::new().open().unwrap();
    let mut journal = Journal::open(&store.reader(), None).unwrap();
    let peer = NodeKey::from_bytes([1; 32]);
    for seq in 0..10 {
        let feed = FeedId::from_bytes([7; 32]);
        let run = Event::RunAccepted { peer, board: None, feed, from: 2 * seq, to: 2 * seq };
        journal.take(None, Line { time_ms: seq, event: run, outcome: Outcome::Done });
        journal
            .take(None, Line { time_ms: seq, ..Line::refused(Event::PeerDropped { peer }, "bad") });
    }
    let _durable = store.commit(journal.write(None)).unwrap();
    let ask = |query: Query| page(&store.reader(), &query).unwrap();
    let numbers = |page: &Page| page.entries.iter().map(|one| one.number).collect::<Vec<_>>();

    let newest = ask(Query { limit: 3, ..Query::default() }).unwrap();
    assert_eq!((numbers(&newest), newest.next), (vec![20, 19, 18], Some(18)));
    let refused = Query { outcome: Some("refused".to_owned()), limit: 2, ..Query::default() };
    let first = ask(refused.clone()).unwrap();
    assert_eq!(numbers(&first), [20, 18]);
    let then = ask(Query { beyond: first.next, ..refused }).unwrap();
    assert_eq!(numbers(&then), [16, 14]);
    let oldest =
        Query { limit: 1_000, is_oldest_first: true, since_ms: Some(9), ..Query::default() };
    let oldest = ask(oldest).unwrap();
    assert_eq!((numbers(&oldest), oldest.next), (vec![19, 20], None));
    let runs = Query {
        event: Some("run-accepted".to_owned()),
        until_ms: Some(1),
        limit: 9,
        ..Query::default()
    };
    assert_eq!(numbers(&ask(runs).unwrap()), [3, 1]);
    let unknown = Query { event: Some("party".to_owned()), ..Query::default() };
    assert_eq!(ask(unknown).unwrap_err().code, "unknown-event");
}

/// The handbook's tables are made of the code.
#[test]
fn the_catalogue_in_docs_is_the_one_of_the_code() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/journal.md");
    const BEGIN: &str = "<!-- made of node/src/journal/event.rs -->\n";
    const END: &str = "<!-- end -->\n";
    let mut made = "| event | means | fields |\n|---|---|---|\n".to_owned();
    for Described { code, means, fields } in CATALOGUE {
        let fields: Vec<String> = fields.iter().map(|name| format!("`{name}`")).collect();
        made += &format!("| `{code}` | {means} | {} |\n", fields.join(", "));
    }
    made += "\n| field | means |\n|---|---|\n";
    for (name, means) in FIELDS {
        made += &format!("| `{name}` | {means} |\n");
    }
    let page = std::fs::read_to_string(PATH).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert_eq!(kept, made, "docs/journal.md differs; run this test with UPDATE=1");
    }
}
