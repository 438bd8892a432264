//! Backups of homes with real stores, made, damaged and restored.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::*;
use crate::{
    fixture::{Partner, partner},
    home::Home,
    journal::{self, Event, Line},
    keys::Passphrase,
    replica::{Mark, back_up, record},
    store::{self, EngineKind, KeyRange, Op, Order, Own, Reader, Table},
};

const PASSPHRASE: &str = "correct horse battery staple";

fn passphrase(place: &std::path::Path) -> Passphrase {
    use std::os::unix::fs::PermissionsExt;
    let file = place.join("passphrase");
    fs::write(&file, PASSPHRASE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    Passphrase::choose(Some(&file)).unwrap()
}

/// An organisation with so many rows, of which one is as long as a row may be.
fn node(rows: u32) -> Partner {
    let node = partner("la-wigan", "council");
    fs::write(node.home.directory().join("concordat.toml"), "store = \"redb\"\nhome = \".\"\n")
        .unwrap();
    let store = store::open(&node.home.store(), EngineKind::Redb).unwrap();
    let put = |number: u32| {
        let length = if number == 7 { 2 * 1024 * 1024 } else { 50_000 };
        let value = vec![u8::try_from(number % 251).unwrap(); length];
        Op::put(Own::Records, number.to_be_bytes().to_vec(), value)
    };
    let _durable = store.commit((0..rows).map(put).collect()).unwrap();
    drop(store);
    record(&node.home, EngineKind::Redb, Line::done(Event::KeysLocked {})).unwrap();
    node
}

fn ask(node: &Partner, name: &str, seal: Option<Seal>) -> Ask {
    let home = node.home.directory().to_path_buf();
    let (out, config) = (node.place.path().join(name), home.join("concordat.toml"));
    Ask { out, home, config, seal }
}

fn made(node: &Partner, name: &str, seal: Option<Seal>) -> Made {
    back_up(&node.home, &node.config, &ask(node, name, seal), &mut |_, _| ()).unwrap()
}

fn rows(reader: &Reader) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    let scan = |table| reader.scan(table, &KeyRange::all(), usize::MAX, Order::Ascending).unwrap();
    Table::all()
        .flat_map(|table| scan(table).into_iter().map(move |(key, value)| ((table, key), value)))
        .collect()
}

fn open(path: &std::path::Path, node: &Partner) -> Result<Opened, BackupError> {
    Opened::open(path, || Ok(passphrase(node.place.path())))
}

#[test]
fn what_was_backed_up_is_restored_on_either_engine_and_is_an_older_copy() {
    let node = node(200);
    let seal = Seal::new(&passphrase(node.place.path())).unwrap();
    let plain = made(&node, "plain.backup", None);
    let sealed = made(&node, "sealed.backup", Some(seal));
    assert!(!plain.manifest.has_keys && sealed.manifest.has_keys && sealed.is_sealed);
    assert!(plain.manifest.files.keys().all(|name| !name.starts_with("home/keys")));
    let before = rows(&store::open(&node.home.store(), EngineKind::Redb).unwrap().reader());

    for (number, (file, engine)) in
        [(&plain, None), (&sealed, Some(EngineKind::Sled))].into_iter().enumerate()
    {
        let directory = node.place.path().join(format!("restored-{number}"));
        let restored =
            restore(open(&file.out, &node).unwrap(), &directory, engine, &mut |_, _| ()).unwrap();
        assert_eq!(restored.engine, engine.unwrap_or(EngineKind::Redb));
        let home = Home::new(&directory);
        assert!(Mark::load(&home.mark()).unwrap().unwrap().is_restoring);
        let store = store::open(&home.store(), restored.engine).unwrap();
        let mut after = rows(&store.reader());
        // What was restored is told in the journal.
        for event in ["restoring-begun", "backup-restored"] {
            let (_, told) = after.pop_last_of(Table::Own(Own::Journal));
            assert_eq!(journal::Entry::from_row(&told).unwrap().event, event);
        }
        assert!(after == before);
        let marked = journal::marked(&store.reader()).unwrap();
        assert_eq!(journal::check(&store.reader(), marked).unwrap().faults, []);
        assert_eq!(home.directory().join("keys/feed.key").exists(), file.is_sealed);
        let config = fs::read_to_string(directory.join("concordat.toml")).unwrap();
        assert!(config.contains("# before it was restored: home"), "{config}");
    }
    let taken =
        restore(open(&plain.out, &node).unwrap(), node.home.directory(), None, &mut |_, _| ());
    assert_eq!(taken.unwrap_err().code(), "home-taken");
    let again =
        back_up(&node.home, &node.config, &ask(&node, "plain.backup", None), &mut |_, _| ());
    assert_eq!(again.unwrap_err().code(), "file");
}

trait PopLastOf {
    fn pop_last_of(&mut self, table: Table) -> (Vec<u8>, Vec<u8>);
}

impl PopLastOf for BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    fn pop_last_of(&mut self, table: Table) -> (Vec<u8>, Vec<u8>) {
        let last = self.keys().rfind(|(of, _)| *of == table).cloned().unwrap();
        let value = self.remove(&last).unwrap();
        (last.1, value)
    }
}

/// A byte that was flipped and an end that was cut off are found wherever they are, and nothing is left of
/// a home that was begun.
#[test]
fn a_damaged_backup_is_refused_with_a_code_and_nothing_is_restored() {
    let node = node(10);
    let seal = Seal::new(&passphrase(node.place.path())).unwrap();
    for file in [made(&node, "plain.backup", None), made(&node, "sealed.backup", Some(seal))] {
        let whole = fs::read(&file.out).unwrap();
        let damaged: PathBuf = node.place.path().join("damaged.backup");
        let directory = node.place.path().join("restored");
        let refusal = |bytes: &[u8]| {
            fs::write(&damaged, bytes).unwrap();
            let restored = open(&damaged, &node)
                .and_then(|one| restore(one, &directory, None, &mut |_, _| ()));
            assert_eq!(directory.exists(), restored.is_ok());
            assert!(!node.place.path().join("restored.restoring").exists());
            let _removed = fs::remove_dir_all(&directory);
            restored.map(|_| ()).map_err(|error| error.code())
        };
        let len = whole.len();
        for cut in [0, 1, 100, 512, 70_000, len / 2, len - 2_000, len - 1_030] {
            let told = refusal(&whole[..cut]).unwrap_err();
            let expected =
                ["backup-truncated", "backup-damaged", "not-a-backup", "backup-passphrase"];
            assert!(expected.contains(&told), "cut at {cut}: {told}");
        }
        for at in [10, 300, 600, 70_000, len / 2, len - 1_500] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            if bytes[..] != whole[..] && refusal(&bytes).is_ok() {
                // In a plain archive, padding says nothing.
                assert!(!file.is_sealed, "flipped at {at}");
            }
        }
        assert_eq!(refusal(&whole), Ok(()));
    }
}

#[test]
fn a_sealed_backup_does_not_open_with_another_passphrase_or_in_another_order() {
    let node = node(10);
    let seal = Seal::new(&passphrase(node.place.path())).unwrap();
    let file = made(&node, "sealed.backup", Some(seal));
    use std::os::unix::fs::PermissionsExt;
    let other = node.place.path().join("other");
    fs::write(&other, "another passphrase").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    let opened = Opened::open(&file.out, || Passphrase::of(&file.out, Some(&other))).unwrap();
    assert_eq!(verify(opened).unwrap_err().code(), "backup-passphrase");

    // Two chunks change places.
    let mut bytes = fs::read(&file.out).unwrap();
    let head = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2).unwrap().0 + 1;
    let chunk = 64 * 1024 + 16;
    let (first, second) = (head + chunk, head + 2 * chunk);
    let kept = bytes[first..second].to_vec();
    bytes.copy_within(second..second + chunk, first);
    bytes[second..second + chunk].copy_from_slice(&kept);
    fs::write(&file.out, bytes).unwrap();
    let told = verify(open(&file.out, &node).unwrap()).unwrap_err();
    assert_eq!(told.code(), "backup-damaged");
}
