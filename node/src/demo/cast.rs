//! Who takes part, by the size of the demonstration, and what each is needed for.
//!
//! | size | members |
//! |---|---|
//! | 5 | one council, one commissioning group, one trust, the partnership office, the regulator's office |
//! | 10 | two councils, two commissioning groups, four trusts, and the two offices |
//! | 36 | ten councils, ten commissioning groups, thirteen trusts, the two offices, the combined authority |
//!
//! *Invariants.* Everybody whom the story names is among the members of that size. Names of organisations are
//! those of Greater Manchester in 2017; rules, texts and amounts are illustrative.
//!
//! *Source*: ours; domain, section 3.

/// How many nodes take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// One a class, and the two offices.
    Five,
    /// Several a class.
    Ten,
    /// All.
    ThirtySix,
}

impl Size {
    /// The size of so many nodes, if there is one.
    #[must_use]
    pub const fn of(nodes: u64) -> Option<Self> {
        match nodes {
            5 => Some(Self::Five),
            10 => Some(Self::Ten),
            36 => Some(Self::ThirtySix),
            _ => None,
        }
    }
}

/// One organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    /// Reads, and is never counted.
    pub(super) is_observer: bool,
}

/// The sum of the winter fund, in pounds.
pub(super) const FUND_POUNDS: u64 = 3_000_000;
/// By how much each of two editors moves an amount, in pounds.
pub(super) const MOVED_POUNDS: u64 = 50_000;

/// How the winter fund is split, and what two editors change at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fund {
    /// Organisation and pounds; they come to [`FUND_POUNDS`].
    pub(super) split: &'static [(&'static str, u64)],
    /// The place whose amount each of the two raises, counted from 1.
    pub(super) raised: [usize; 2],
    /// The place from which both take the same amount, counted from 1.
    pub(super) lowered: usize,
}

/// Everybody, and who does what.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) size: Size,
    pub(super) parts: Vec<Part>,
    /// Begins what is edited, and keeps the board's business.
    pub(super) sponsor: &'static str,
    /// Closes votes, and is one of many otherwise.
    pub(super) office: &'static str,
    pub(super) observer: &'static str,
    /// Edit one document at once.
    pub(super) editors: [&'static str; 2],
    /// Offers shifts.
    pub(super) lender: &'static str,
    pub(super) shifts: &'static str,
    /// Claim more of them than there are.
    pub(super) claimants: [&'static str; 2],
    /// Keeps a ledger to itself.
    pub(super) keeper: &'static str,
    /// Is killed.
    pub(super) killed: &'static str,
    pub(super) fund: Fund,
    /// So many must answer.
    pub(super) quorum: usize,
    /// Where those decide who pay: so many must answer, all trusts among them, and so many of the councils and of the
    /// commissioning groups.
    pub(super) payers_quorum: (usize, usize),
    /// Has not said yet whether it ratifies.
    pub(super) undecided: Option<&'static str>,
    /// A locality, and its council, whose node is away when a standard gets a new version; where a standard can be
    /// agreed at all.
    pub(super) behind: Option<(&'static str, &'static str)>,
}

impl Cast {
    /// Two trusts and two commissioning groups, where there are as many: so many clinicians sign a standard off.
    pub(super) fn clinicians(&self) -> Option<[&'static str; 4]> {
        let of = |class| self.parts.iter().filter(move |part| part.class == class);
        let (mut trusts, mut groups) = (of("trust"), of("ccg"));
        let mut next = || Some([trusts.next()?.slug, groups.next()?.slug]);
        let ([trust, group], [other_trust, other_group]) = (next()?, next()?);
        Some([trust, other_trust, group, other_group])
    }

    /// The localities in which members of this size work, and those members.
    pub(super) fn localities(&self) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        LOCALITIES.iter().filter_map(|(locality, members)| {
            let takes_part = |slug: &&str| self.parts.iter().any(|part| part.slug == *slug);
            let members: Vec<&str> = members.iter().copied().filter(takes_part).collect();
            (!members.is_empty()).then_some((*locality, members))
        })
    }

    pub(super) fn of(size: Size) -> Self {
        let among = MEMBERS.iter().filter(|(from, ..)| *from <= size);
        let parts = among.map(|&(_, slug, name, class)| Part {
            slug,
            name,
            class,
            is_observer: ["regulator", "combined_authority"].contains(&class),
        });
        let (editors, lender, shifts, claimants) = match size {
            Five => (
                ["tr-pennine-acute", "ccg-trafford"],
                "la-wigan",
                "social-work shifts",
                ["tr-pennine-acute", "ccg-trafford"],
            ),
            Ten => (["tr-mft", "ccg-bury"], "tr-bolton", NIGHTS, CLAIMANTS),
            ThirtySix => (["tr-pennine-care", "ccg-wigan"], "tr-bolton", NIGHTS, CLAIMANTS),
        };
        let (fund, quorum, payers_quorum) = match size {
            Five => (FUND_OF_FIVE, 3, (4, 1)),
            Ten => (FUND_OF_TEN, 7, (8, 1)),
            ThirtySix => (FUND_OF_ALL, 24, (27, 6)),
        };
        let (undecided, behind) = match size {
            Five => (None, None),
            Ten => (Some("ccg-bury"), Some(("bury", "la-bury"))),
            ThirtySix => (Some("ccg-stockport"), Some(("hmr", "la-rochdale"))),
        };
        Self {
            size,
            parts: parts.collect(),
            sponsor: "la-wigan",
            office: "gmhscp",
            observer: "nhsi-gm",
            editors,
            lender,
            shifts,
            claimants,
            keeper: "ccg-trafford",
            killed: "tr-pennine-acute",
            fund,
            quorum,
            payers_quorum,
            undecided,
            behind,
        }
    }
}

const NIGHTS: &str = "night shifts of emergency nurses";
const CLAIMANTS: [&str; 2] = ["tr-pennine-acute", "tr-stockport"];

const FUND_OF_FIVE: Fund = Fund {
    split: &[
        ("tr-pennine-acute", 1_500_000),
        ("ccg-trafford", 700_000),
        ("la-wigan", 500_000),
        ("gmhscp", 300_000),
    ],
    raised: [1, 2],
    lowered: 4,
};

const FUND_OF_TEN: Fund = Fund {
    split: &[
        ("tr-pennine-acute", 900_000),
        ("tr-mft", 600_000),
        ("tr-stockport", 400_000),
        ("la-bury", 300_000),
        ("tr-bolton", 300_000),
        ("la-wigan", 250_000),
        ("ccg-bury", 250_000),
    ],
    raised: [1, 3],
    lowered: 5,
};

const FUND_OF_ALL: Fund = Fund {
    split: &[
        ("tr-pennine-acute", 900_000),
        ("tr-mft", 600_000),
        ("tr-stockport", 400_000),
        ("tr-salford-royal", 300_000),
        ("tr-bolton", 300_000),
        ("tr-tameside", 250_000),
        ("tr-wwl", 250_000),
    ],
    raised: [1, 3],
    lowered: 5,
};

use Size::{Five, Ten, ThirtySix};

/// From which size on each takes part, its short name, its name, its class.
const MEMBERS: &[(Size, &str, &str, &str)] = &[
    (Five, "la-wigan", "Wigan Council", "council"),
    (Five, "ccg-trafford", "NHS Trafford CCG", "ccg"),
    (Five, "tr-pennine-acute", "Pennine Acute Hospitals NHS Trust", "trust"),
    (Five, "gmhscp", "Greater Manchester Health and Social Care Partnership", "partnership_office"),
    (Five, "nhsi-gm", "NHS Improvement, Greater Manchester office", "regulator"),
    (Ten, "la-bury", "Bury Council", "council"),
    (Ten, "ccg-bury", "NHS Bury CCG", "ccg"),
    (Ten, "tr-bolton", "Bolton NHS FT", "trust"),
    (Ten, "tr-stockport", "Stockport NHS FT", "trust"),
    (Ten, "tr-mft", "Manchester University NHS FT", "trust"),
    (ThirtySix, "gmca", "Greater Manchester Combined Authority", "combined_authority"),
    (ThirtySix, "la-bolton", "Bolton Council", "council"),
    (ThirtySix, "la-manchester", "Manchester City Council", "council"),
    (ThirtySix, "la-oldham", "Oldham Council", "council"),
    (ThirtySix, "la-rochdale", "Rochdale Borough Council", "council"),
    (ThirtySix, "la-salford", "Salford City Council", "council"),
    (ThirtySix, "la-stockport", "Stockport Council", "council"),
    (ThirtySix, "la-tameside", "Tameside Council", "council"),
    (ThirtySix, "la-trafford", "Trafford Council", "council"),
    (ThirtySix, "ccg-bolton", "NHS Bolton CCG", "ccg"),
    (ThirtySix, "ccg-hmr", "NHS Heywood, Middleton and Rochdale CCG", "ccg"),
    (ThirtySix, "ccg-manchester", "NHS Manchester CCG", "ccg"),
    (ThirtySix, "ccg-oldham", "NHS Oldham CCG", "ccg"),
    (ThirtySix, "ccg-salford", "NHS Salford CCG", "ccg"),
    (ThirtySix, "ccg-stockport", "NHS Stockport CCG", "ccg"),
    (ThirtySix, "ccg-tg", "NHS Tameside and Glossop CCG", "ccg"),
    (ThirtySix, "ccg-wigan", "NHS Wigan Borough CCG", "ccg"),
    (ThirtySix, "tr-salford-royal", "Salford Royal NHS FT", "trust"),
    (ThirtySix, "tr-tameside", "Tameside and Glossop Integrated Care NHS FT", "trust"),
    (ThirtySix, "tr-wwl", "Wrightington, Wigan and Leigh NHS FT", "trust"),
    (ThirtySix, "tr-christie", "The Christie NHS FT", "trust"),
    (ThirtySix, "tr-gmmh", "Greater Manchester Mental Health NHS FT", "trust"),
    (ThirtySix, "tr-pennine-care", "Pennine Care NHS FT", "trust"),
    (ThirtySix, "tr-nwas", "North West Ambulance Service NHS Trust", "trust"),
    (ThirtySix, "tr-bridgewater", "Bridgewater Community Healthcare NHS FT", "trust"),
    (ThirtySix, "tr-nwbh", "North West Boroughs Healthcare NHS FT", "trust"),
];

/// Who works in which locality; members that work in all of them are in none.
const LOCALITIES: &[(&str, &[&str])] = &[
    ("bolton", &["la-bolton", "ccg-bolton", "tr-bolton"]),
    ("bury", &["la-bury", "ccg-bury", "tr-pennine-acute"]),
    ("hmr", &["la-rochdale", "ccg-hmr", "tr-pennine-acute"]),
    ("manchester", &["la-manchester", "ccg-manchester", "tr-mft", "tr-pennine-acute"]),
    ("oldham", &["la-oldham", "ccg-oldham", "tr-pennine-acute"]),
    ("salford", &["la-salford", "ccg-salford", "tr-salford-royal"]),
    ("stockport", &["la-stockport", "ccg-stockport", "tr-stockport"]),
    ("tameside-glossop", &["la-tameside", "ccg-tg", "tr-tameside"]),
    ("trafford", &["la-trafford", "ccg-trafford"]),
    ("wigan", &["la-wigan", "ccg-wigan", "tr-wwl", "tr-bridgewater", "tr-nwbh"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{
        papers::{ADOPTION, EXCEPTED},
        records::KEPT,
    };

    #[test]
    fn every_size_has_its_members_and_everybody_whom_the_story_names() {
        for nodes in [5, 10, 36] {
            let cast = Cast::of(Size::of(nodes).unwrap());
            assert_eq!(cast.parts.len() as u64, nodes);
            let named = [cast.sponsor, cast.office, cast.observer, cast.lender, cast.keeper];
            let named = named.into_iter().chain(cast.editors).chain(cast.claimants);
            let named = named.chain([cast.killed]).chain(cast.undecided);
            let named = named.chain(cast.behind.map(|(_, council)| council));
            let named = named.chain(cast.fund.split.iter().map(|(slug, _)| *slug));
            let named = named.chain(ADOPTION.iter().map(|(_, by, _)| *by).filter(|_| nodes == 36));
            let named = named.chain(KEPT.iter().map(|kept| kept.by)).chain([EXCEPTED]);
            for slug in named {
                assert!(cast.parts.iter().any(|part| part.slug == slug), "{nodes}: {slug}");
            }
            let voting = cast.parts.iter().filter(|part| !part.is_observer).count();
            assert!(cast.quorum <= voting && cast.quorum > voting / 2);
            assert_eq!(cast.behind.is_some(), cast.clinicians().is_some());
            let ledger = KEPT.iter().find(|kept| kept.collection == "ledger").unwrap();
            assert_eq!(ledger.by, cast.keeper);
        }
        assert_eq!(Size::of(6), None);
    }

    #[test]
    fn the_full_partnership_has_its_classes() {
        let cast = Cast::of(ThirtySix);
        let of = |class| cast.parts.iter().filter(|part| part.class == class).count();
        assert_eq!((of("council"), of("ccg"), of("trust")), (10, 10, 13));
        assert_eq!(Cast::of(Five).clinicians(), None);
        let clinicians = ["tr-pennine-acute", "tr-bolton", "ccg-trafford", "ccg-bury"];
        assert_eq!(cast.clinicians(), Some(clinicians));
    }

    #[test]
    fn two_clean_edits_of_the_fund_break_its_sum() {
        for size in [Five, Ten, ThirtySix] {
            let Fund { split, raised: [one, other], lowered } = Cast::of(size).fund;
            assert_eq!(split.iter().map(|(_, pounds)| pounds).sum::<u64>(), FUND_POUNDS);
            assert!(one != other && one != lowered && other != lowered);
            let named = [one, other, lowered].map(|place| split[place - 1]);
            assert!(named.iter().all(|(_, pounds)| *pounds > MOVED_POUNDS));
        }
    }
}
