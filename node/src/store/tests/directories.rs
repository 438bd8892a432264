//! What engines leave on disk: damaged, another engine's, older, moved and set aside.

use super::*;

#[test]
fn a_store_of_another_engine_is_never_gone_past() {
    for (here, asked) in
        [(EngineKind::Redb, EngineKind::Sled), (EngineKind::Sled, EngineKind::Redb)]
    {
        let place = Place::of(here);
        drop(place.open().unwrap());

        let refused = open(&place.directory(), asked).unwrap_err();

        assert_eq!(refused.code(), "other-engine");
        let told = refused.to_string();
        let advice = format!(
            "set store = \"{here}\" in the config, or run `concordat store migrate --to {asked}`"
        );
        assert!(told.contains(&advice), "{told}");
        place.open().unwrap();
    }
}

#[test]
fn a_file_that_is_no_store_is_reported() {
    for (kind, file) in [(EngineKind::Sled, "sled/db"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let file = place.directory().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"something else entirely").unwrap();

        let refused = place.open().unwrap_err();

        assert!(refused.to_string().starts_with("opening the store in "), "{refused}");
        if kind == EngineKind::Redb {
            assert_eq!(fs::read(&file).unwrap(), b"something else entirely");
        }
    }
}

#[test]
fn a_flipped_byte_in_a_value_is_found_by_reading_and_by_verify() {
    for (kind, file) in [(EngineKind::Sled, "sled/db"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let store = place.open().unwrap();
        let value = vec![0xa5; 60_000];
        let _durable = store.commit(vec![put_bytes(Shared::Payloads, b"k", value)]).unwrap();
        drop(store);
        let file = place.directory().join(file);
        let mut bytes = fs::read(&file).unwrap();
        let runs = (0..bytes.len() - 50_000).step_by(1_000);
        let middles: Vec<usize> = runs
            .filter(|at| bytes[*at..at + 50_000].iter().all(|byte| *byte == 0xa5))
            .map(|at| at + 25_000)
            .collect();
        assert!(!middles.is_empty());
        // An engine may hold older copies of a page.
        middles.into_iter().for_each(|at| bytes[at] ^= 1);
        fs::write(&file, bytes).unwrap();

        let marked = Kept::load(&high_water_file(&place.directory())).unwrap().unwrap();

        // Sled may drop the commit: then it holds fewer than are marked.
        let found = place.open().and_then(|store| {
            let reader = store.reader();
            let read = reader.get(Shared::Payloads, b"k");
            assert!(read.is_err() || reader.commits() < marked.commits, "{kind}");
            reader.verify().map(|_| reader.commits())
        });

        match found {
            Ok(commits) => assert!(commits < marked.commits, "{kind}"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{kind}: {error}"),
        }
    }
}

#[test]
fn the_high_water_file_counts_commits_and_keeps_the_lines_of_the_last() {
    for kind in ON_DISK {
        let place = Place::of(kind);
        let file = high_water_file(&place.directory());
        let kept = || Kept::load(&file).unwrap().map(|kept| (kept.commits, kept.lines));
        let store = place.open().unwrap();
        assert_eq!(kept(), None);
        let row = || vec![put(Shared::Feeds, "a", "1")];
        let _durable = store.commit_marked(row(), Some("one\n".to_owned())).unwrap();
        assert_eq!(kept(), Some((1, "one\n".to_owned())));
        let _durable = store.commit(row()).unwrap();
        drop(store);
        assert_eq!(kept(), Some((2, "one\n".to_owned())));

        // A store that was put back is behind, and its next commits are numbered after the lost ones.
        Kept { commits: 9, lines: "nine\n".to_owned() }.save(&file).unwrap();
        let store = place.open().unwrap();
        assert_eq!(store.reader().commits(), 2);
        let _durable = store.commit(row()).unwrap();
        assert_eq!((store.reader().commits(), kept()), (10, Some((10, "nine\n".to_owned()))));
    }
}

#[test]
fn a_store_moves_between_engines_and_back_and_the_old_ones_are_kept() {
    let place = Place::of(EngineKind::Sled);
    let store = place.open().unwrap();
    for number in 0..3_u64 {
        let rows = Table::all().flat_map(|table| (0..700_u64).map(move |row| (table, row)));
        let ops = rows.map(|(table, row)| {
            put_bytes(table, &row.to_be_bytes(), number.to_be_bytes().to_vec())
        });
        let _durable = store.commit(ops.collect()).unwrap();
    }
    let large = vec![7; VALUE_BYTES_MAX];
    let _durable = store.commit(vec![put_bytes(Shared::Payloads, b"large", large)]).unwrap();
    let before = everything(&store.reader());
    let directory = place.directory();
    assert_eq!(migrate(&directory, EngineKind::Redb, &mut |_, _| {}).unwrap_err().code(), "busy");
    drop(store);
    let rows = 700 * Table::all().count() as u64 + 1;
    let refused = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap_err();
    assert_eq!(refused.code(), "nothing-to-migrate");

    let mut digests = vec![];
    for (to, kept) in [
        (EngineKind::Redb, "sled.old"),
        (EngineKind::Sled, "store.redb.old"),
        (EngineKind::Redb, "sled.old-2"),
    ] {
        let mut told = vec![];
        let moved = migrate(&directory, to, &mut |done, total| told.push((done, total))).unwrap();

        assert_eq!((moved.rows, moved.old), (rows, directory.join(kept)));
        assert_eq!(told.last(), Some(&(rows, rows)));
        digests.push(moved.digest);
        let reader = open(&directory, to).unwrap().reader();
        assert!(everything(&reader) == before);
        assert_eq!((reader.verify().unwrap(), reader.commits()), (Verified::Sound, 4));
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn a_migration_that_was_cut_short_is_ended_by_the_next() {
    let place = Place::of(EngineKind::Redb);
    let _durable = place.open().unwrap().commit(vec![put(Shared::Feeds, "a", "1")]).unwrap();
    let directory = place.directory();
    // Before the first rename, half a store may have been built.
    fs::create_dir_all(directory.join("migration/sled")).unwrap();
    fs::write(directory.join("migration/sled/db"), b"half").unwrap();
    let first = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap();
    // Between the renames, both are there.
    fs::rename(&first.old, directory.join("store.redb")).unwrap();
    for kind in ON_DISK {
        assert_eq!(open(&directory, kind).unwrap_err().code(), "two-stores");
    }

    let second = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap();

    assert_eq!(second, first);
    let reader = open(&directory, EngineKind::Sled).unwrap().reader();
    assert_eq!(reader.get(Shared::Feeds, b"a").unwrap(), Some(b"1".to_vec()));
    assert!(!directory.join("migration").exists());
}

#[test]
fn a_store_that_is_set_aside_leaves_what_can_be_read_of_some_tables() {
    for (kind, file) in [(EngineKind::Sled, "sled"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let directory = place.directory();
        let tables = [Shared::Boards.into(), Shared::Cards.into(), Own::Records.into()];
        let aside = || set_aside(&directory, kind, &tables);
        assert_eq!(aside().unwrap_err().code(), "nothing-to-set-aside");
        let store = place.open().unwrap();
        let kept = vec![put(Shared::Boards, "a", "1"), put(Own::Records, "b", "2")];
        let lost = vec![put(Shared::Headers, "c", "3")];
        let _durable = store.commit([kept.clone(), lost].concat()).unwrap();
        let _durable = store.commit(vec![put(Shared::Headers, "d", "4")]).unwrap();
        assert_eq!(aside().unwrap_err().code(), "busy");
        drop(store);

        let done = aside().unwrap();

        assert_eq!(done.kept, directory.join(format!("{file}.damaged")));
        assert_eq!(
            done.rows.into_iter().collect::<Vec<_>>(),
            [(tables[0], 1), (tables[1], 0), (tables[2], 1)]
        );
        let reader = place.open().unwrap().reader();
        let found = kept.iter().filter(|op| reader.get(op.table, &op.key).unwrap() == op.value);
        assert_eq!((found.count(), everything(&reader).values().flatten().count()), (2, 2));
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
        let marked = Kept::load(&high_water_file(&directory)).unwrap().unwrap();
        assert!(reader.commits() < marked.commits);
    }
}
