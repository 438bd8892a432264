//! Properties that hold for any bytes: no decoder panics, and what it accepts it writes again just
//! so.
//!
//! The bytes are anything at all, and the good vectors with some of their bytes changed, left out or
//! doubled. The same table of decoders is gone over by the fuzz targets under `fuzz/`.
//!
//! That a decoder takes no more memory than a small multiple of its input is not measured here: a
//! counting allocator needs unsafe code, which this workspace forbids. What bounds it is that the
//! scan of the shape, which takes none, comes before anything that does.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be made should end the test")]
#![expect(clippy::panic, reason = "a vector that cannot be made should end the test")]
#![expect(clippy::too_many_lines, reason = "vectors are tables")]

mod make;
mod support;

use std::sync::LazyLock;

use concordat_protocol::{
    audit::audit_bundle,
    codec::{Malformed, scan},
    feed::{Descriptor, Run, Tip, verify_run},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use make::identity::unhex;
use support::decoders::{DECODERS, Decoder, decoder};

/// The good vectors with bytes, each with another field.
fn good_with(field: &str) -> Vec<(String, Vec<u8>)> {
    let read = |vector: &serde_json::Value| {
        let hex = vector.get("hex")?.as_str()?;
        Some((vector.get(field)?.as_str()?.to_string(), unhex(hex)))
    };
    let files = make::all().into_iter().map(|file| file.to_text());
    let good = |text: String| {
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file["good"].as_array().unwrap().iter().filter_map(read).collect::<Vec<_>>()
    };
    files.flat_map(good).collect()
}

/// The good vectors of decoders.
static GOOD: LazyLock<Vec<(Decoder, Vec<u8>)>> = LazyLock::new(|| {
    let named = good_with("decoder").into_iter();
    named.map(|(name, bytes)| (decoder(&name), bytes)).collect()
});

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Remove(Index),
    Double(Index, Index),
    Add(Vec<u8>),
}

fn any_change() -> impl Strategy<Value = Change> {
    // First bytes of CBOR items at their borders, and some of types that are not used.
    let border = prop::sample::select(vec![
        0u8, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x40, 0x57, 0x58, 0x5b, 0x5f, 0x60, 0x78, 0x80,
        0x81, 0x97, 0x98, 0x9b, 0x9f, 0xa0, 0xc0, 0xf4, 0xf6, 0xf9, 0xff,
    ]);
    prop_oneof![
        (any::<Index>(), border).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 1u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        any::<Index>().prop_map(Change::Cut),
        any::<Index>().prop_map(Change::Remove),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Double(from, to)),
        vec(any::<u8>(), 1..9).prop_map(Change::Add),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            return bytes;
        }
        let at = |index: &Index| index.index(bytes.len());
        match change {
            Change::Set(index, byte) => {
                let at = at(index);
                bytes[at] = *byte;
            }
            Change::Flip(index, bits) => {
                let at = at(index);
                bytes[at] ^= bits;
            }
            Change::Cut(index) => bytes.truncate(at(index)),
            Change::Remove(index) => {
                bytes.remove(at(index));
            }
            Change::Double(from, to) => {
                let (from, to) = (at(from).min(at(to)), at(from).max(at(to)));
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
            Change::Add(more) => bytes.extend(more),
        }
    }
    bytes
}

/// What every decoder keeps to: it refuses, or writes again what it read.
fn keeps_to_it(decoder: Decoder, bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(again) = decoder(bytes) {
        prop_assert_eq!(again, bytes);
    }
    Ok(())
}

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn every_decoder_has_a_good_vector_but_for_what_a_node_keeps_to_itself() {
    let lacking = DECODERS.iter().filter(|(_, decoder)| {
        !GOOD.iter().any(|(known, _)| core::ptr::fn_addr_eq(*known, *decoder))
    });
    let lacking: Vec<_> = lacking.map(|(name, _)| *name).collect();
    assert_eq!(lacking, ["tip"]);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_decoder_panics_on_any_bytes(bytes in vec(any::<u8>(), 0..600)) {
        for (_, decoder) in DECODERS {
            keeps_to_it(*decoder, &bytes)?;
        }
    }

    #[test]
    fn no_decoder_panics_on_well_formed_items_of_another_format(
        which in any::<Index>(),
        changes in vec(any_change(), 0..3),
    ) {
        let (_, bytes) = which.get(&GOOD);
        let bytes = changed(bytes.clone(), &changes);
        for (_, decoder) in DECODERS {
            keeps_to_it(*decoder, &bytes)?;
        }
    }

    #[test]
    fn what_the_scan_takes_has_at_most_as_many_items_as_bytes(
        bytes in vec(any::<u8>(), 0..200),
    ) {
        if scan(&bytes, "item", 200) == Ok(()) {
            prop_assert!(!bytes.is_empty());
            let short = scan(&bytes[..bytes.len() - 1], "item", 200);
            let is_cut = matches!(short, Err(Malformed::CutShort { .. }));
            prop_assert!(is_cut, "{short:?}");
        }
    }
}

proptest! {
    #![proptest_config(cases(4_096))]

    #[test]
    fn a_changed_vector_is_refused_or_is_what_was_read(
        which in any::<Index>(),
        changes in vec(any_change(), 1..4),
    ) {
        let (decoder, bytes) = which.get(&GOOD);
        keeps_to_it(*decoder, &changed(bytes.clone(), &changes))?;
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn no_changed_run_is_verified_as_another(
        which in any::<Index>(),
        changes in vec(any_change(), 1..3),
    ) {
        static RUNS: LazyLock<Vec<(String, Vec<u8>)>> =
            LazyLock::new(|| good_with("descriptor"));
        let (descriptor, bytes) = which.get(&RUNS);
        let descriptor = Descriptor::from_bytes(&unhex(descriptor)).unwrap();
        let tip = Tip::empty(descriptor.feed_id());
        let now = changed(bytes.clone(), &changes);
        if let Ok(run) = Run::from_bytes(&now)
            && let Ok(verified) = verify_run(&tip, &descriptor, run)
        {
            let known = RUNS.iter().filter_map(|(_, bytes)| Run::from_bytes(bytes).ok());
            let ids: Vec<_> = verified.entries().iter().map(|entry| entry.id).collect();
            let is_known = known.filter_map(|run| verify_run(&tip, &descriptor, run).ok()).any(|run| {
                let known = run.entries().iter().map(|entry| entry.id);
                known.take(ids.len()).eq(ids.iter().copied())
            });
            prop_assert!(is_known);
        }
    }

    #[test]
    fn no_changed_bundle_passes_unnoticed(
        which in any::<Index>(),
        changes in vec(any_change(), 1..3),
    ) {
        static BUNDLES: LazyLock<Vec<(String, Vec<u8>)>> =
            LazyLock::new(|| good_with("closing"));
        let (_, bytes) = which.get(&BUNDLES);
        let now = changed(bytes.clone(), &changes);
        let report = audit_bundle(&now);
        let is_whole = BUNDLES.iter().any(|(_, whole)| *whole == now);
        prop_assert!(is_whole || report.exit_status() == 2, "{:?}", report.findings);
    }
}
