//! What strangers and authors may sign to make a bundle say something else, and what must be found then.
//!
//! All of it is well-formed, and signed with the key of the one who does it.

use concordat_protocol::{
    codec::Fixed,
    feed::{Descriptor, End, Kind, OpenFeed, Run, Salted, Sealed, WarrantRole},
    hash::OrgId,
    identity::{KeyPair, Signer},
    payload::{Note, SignOff},
    time::TimeMs,
};

use crate::{
    bundles::{Bundle, Feed, Piece},
    damages::{Damages, Expected, Place, places},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Somebody whom the board does not know signs entries, each well-formed and truly signed.
pub(crate) fn strangers(bundle: &Bundle, feeds: &[Feed], damages: &mut Damages) {
    let stranger = KeyPair::from_seed(&[77; 32]);
    let feed = &feeds[0];
    let last = bundle.pieces.len() - 1;
    let record = bundle.pieces.len() + 1;
    let after = |piece| bundle.with(last, [bundle.pieces[last].clone(), piece]).to_bytes();
    let opened = |descriptor: Descriptor, opening: &OpenFeed| {
        let mut own = Feed { descriptor, entries: feed.entries[..1].to_vec(), ..feed.clone() };
        own.entries[0].1 = sealed(opening.to_bytes());
        own.append(a_note());
        own
    };
    let of_nobody =
        Descriptor { org: OrgId::from_bytes([7; 32]), key: stranger.public(), ..feed.descriptor };
    let of_a_member = Descriptor { org: feed.descriptor.org, ..of_nobody };
    let later = Descriptor { epoch: feed.epoch() + 1, ..of_a_member };
    let end = End(0, feed.loose(0).id);
    let next = OpenFeed::next(later, end, (WarrantRole::Old, &stranger), &stranger);
    let openings = [
        ("nobody", of_nobody, OpenFeed::first(of_nobody)),
        ("a member, by another key", of_a_member, OpenFeed::first(of_a_member)),
        ("a member, in a later epoch", later, next),
    ];
    for (who, descriptor, opening) in openings {
        let own = opened(descriptor, &opening);
        let expected = Expected {
            place: Place::Entry(own.clone(), 0),
            ..Expected::in_record(&["OpeningRefused"], record)
        };
        damages.add(
            format!("feed of {who}"),
            after(Piece::Run(own.signed_by(&stranger).whole())),
            expected,
        );
    }
    let own = opened(of_nobody, &OpenFeed::first(of_nobody));
    let whole = own.signed_by(&stranger).whole();
    let without_opening = Run {
        from: 1,
        before: own.loose(0).id,
        entries: whole.entries[1..].to_vec(),
        heads: whole.heads[1..].to_vec(),
        ..whole
    };
    let expected = Expected::in_record(&["Outsider"], record);
    damages.add("run of nobody".to_owned(), after(Piece::Run(without_opening)), expected);

    for feed in feeds {
        let mut longer = feed.clone();
        longer.append(a_note());
        let signed = longer.signed_by(&stranger).whole();
        let mut run = feed.whole();
        run.entries.extend(signed.entries.last().cloned());
        run.heads.extend(signed.heads.last());
        let bytes = bundle.with(feed.at, [Piece::Run(run)]).to_bytes();
        let what = format!("a stranger's entry at the end of {}", feed.slug);
        damages.add(what, bytes, Expected::at(&["BrokenRun"], feed, feed.size()));
    }
}

fn sealed(payload: Vec<u8>) -> Sealed {
    Sealed { payload: Salted::new(Fixed([7; 16]), payload), attribution: None }
}

fn a_note() -> Sealed {
    sealed(Note { text: "not on the minutes".into() }.to_bytes())
}

/// An answer to one proposal is made one to another.
pub(crate) fn signoffs_spliced(
    bundle: &Bundle,
    feeds: &[Feed],
    keys: &[KeyPair],
    damages: &mut Damages,
) {
    for feed in feeds.iter().filter(|feed| feed.epoch() == 0) {
        let [one, two] = feed.of_kind(Kind::SIGNOFF)[..] else { panic!("two were signed") };
        let proposal =
            |at: usize| SignOff::from_bytes(feed.entries[at].1.payload.bytes()).unwrap().proposal;
        assert_ne!(proposal(one), proposal(two));
        let swapped = bundle.changed(feed.at, |run| {
            let body = run.entries[one].body.clone();
            run.entries[one].body = core::mem::replace(&mut run.entries[two].body, body);
        });
        let what = format!("sign-offs of {} swapped", feed.slug);
        damages.add(what, swapped.to_bytes(), Expected::at(&["BrokenRun"], feed, one));
        let spliced =
            bundle.changed(feed.at, |run| run.entries[two].body = run.entries[one].body.clone());
        let what = format!("sign-off of {} spliced", feed.slug);
        damages.add(what, spliced.to_bytes(), Expected::at(&["BrokenRun"], feed, two));
        let mut own = feed.clone();
        own.entries[two].1 = own.entries[one].1.clone();
        let bytes = bundle
            .with(feed.at, [Piece::Run(own.signed_by(key_of(feed, keys)).whole())])
            .to_bytes();
        let what = format!("sign-off of {} spliced by itself", feed.slug);
        damages.add(what, bytes, Expected::at(&["AcknowledgedOther"], feed, two));
    }
}

/// The author signs its feed again, with an entry that claims to be older; and goes on with one.
pub(crate) fn times_changed(
    bundle: &Bundle,
    feeds: &[Feed],
    keys: &[KeyPair],
    damages: &mut Damages,
) {
    for feed in feeds.iter().filter(|feed| feed.epoch() == 0) {
        let mut longer = feed.clone();
        longer.append(a_note());
        let earlier = |at: usize| TimeMs(longer.entries[at].0.t.0 - DAY_MS);
        let [one, middle, newest] = [1, feed.size() / 2, feed.size()];
        for (how, at, t) in [
            ("a day before", one, earlier(one)),
            ("a day before", middle, earlier(middle)),
            ("before its board", middle, TimeMs(1)),
            ("a day before, as the newest", newest, earlier(newest)),
        ] {
            let mut own = if at == feed.size() { longer.clone() } else { feed.clone() };
            own.entries[at].0.t = t;
            let signed = own.signed_by(key_of(feed, keys)).whole();
            let bytes = bundle.with(feed.at, [Piece::Run(signed)]).to_bytes();
            let what = format!("entry {at} of {} {how}", feed.slug);
            damages.add(what, bytes, Expected::at(&["BackDated"], feed, at));
        }
    }
}

/// The author signs another entry in the place of one; and that branch is changed in turn.
pub(crate) fn forks(bundle: &Bundle, feeds: &[Feed], keys: &[KeyPair], damages: &mut Damages) {
    for feed in feeds.iter().filter(|feed| feed.epoch() == 0) {
        for at in places(feed) {
            let mut other = feed.clone();
            other.entries.truncate(at);
            other.append(a_note());
            let branch = other.signed_by(key_of(feed, keys)).part(at, at + 1);
            let with = |branch: Run| {
                bundle.with(feed.at, [Piece::Run(feed.whole()), Piece::Run(branch)]).to_bytes()
            };
            let what = format!("a second history of {} from {at}", feed.slug);
            let expected = Expected { exit_code: 1, ..Expected::at(&["SecondHistory"], feed, at) };
            damages.add(what.clone(), with(branch.clone()), expected);
            let mut changed = branch;
            changed.entries[0].t.0 += 1;
            let expected = Expected::at(&["BrokenRun"], feed, at);
            damages.add(format!("{what}, changed"), with(changed), expected);
        }
    }
}

fn key_of<'a>(feed: &Feed, keys: &'a [KeyPair]) -> &'a KeyPair {
    keys.iter().find(|key| key.public() == feed.descriptor.key).unwrap()
}
