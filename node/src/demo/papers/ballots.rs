//! How the members answer when papers are put to a ballot.
//!
//! | nodes | JCB/2017/003 | JCB/2017/006 | JCB/2017/009 |
//! |---|---|---|---|
//! | 5 | 3 for | 2 for, 1 abstains | 2 for, 1 against: two thirds, and the only group against |
//! | 10 | 4 for, 1 takes no part | 3 for, 1 against, 1 abstains: just three quarters | 4 for, 1 against: the groups divided |
//! | 36 | 19 for, 1 abstains, 1 takes no part | 17 for, 2 against, as before | 12 for, 6 against, 3 abstain: two thirds |
//!
//! Beside these no trust takes part. All are for every standard.
//!
//! *Invariants.* Whoever has a vote answers each.
//!
//! *Source*: ours; domain, sections 3.3 (`mini-jcb`, for ten nodes) and 3.4, where trusts have no vote.

use std::iter;

use crate::demo::cast::{Part, Size};

/// How the members answer on one paper.
#[derive(Debug, Clone, Copy)]
pub(in crate::demo) enum Ballot {
    /// All approve.
    AllFor,
    /// Those who pay decide, and trusts, which would be paid, take no part: how many councils and commissioning groups
    /// approve, reject, abstain and take no part; and what the partnership office answers.
    Payers { council: [usize; 4], ccg: [usize; 4], office: &'static str },
}

/// What members answer, in the order of the numbers of a ballot.
const ANSWERS: [&str; 4] = ["approve", "reject", "abstain", "recuse"];

impl Ballot {
    /// What a member answers; none if it has no vote.
    pub(in crate::demo) fn answer_of(&self, part: &Part, parts: &[Part]) -> Option<&'static str> {
        let counts = match (self, part.class) {
            _ if part.is_observer => return None,
            (Self::AllFor, _) => return Some("approve"),
            (Self::Payers { council, .. }, "council") => council,
            (Self::Payers { ccg, .. }, "ccg") => ccg,
            (Self::Payers { .. }, "trust") => return Some("recuse"),
            (Self::Payers { office, .. }, _) => return Some(office),
        };
        let mut of_class = parts.iter().filter(|other| other.class == part.class);
        let place = of_class.position(|other| other.slug == part.slug)?;
        let answers = counts.iter().zip(ANSWERS);
        answers.flat_map(|(count, answer)| iter::repeat_n(answer, *count)).nth(place)
    }

    /// Those who decide on it, and yet take no part: they have an interest.
    pub(in crate::demo) fn interested<'a>(&self, parts: &'a [Part]) -> Vec<&'a str> {
        let payers = parts.iter().filter(|part| part.class != "trust");
        let recused = payers.filter(|part| self.answer_of(part, parts) == Some("recuse"));
        recused.map(|part| part.slug).collect()
    }

    /// How many of all of them approve, reject, abstain and take no part.
    pub(in crate::demo) fn division(&self, parts: &[Part]) -> [usize; 4] {
        let answers: Vec<_> = parts.iter().filter_map(|part| self.answer_of(part, parts)).collect();
        ANSWERS.map(|answer| answers.iter().filter(|one| **one == answer).count())
    }
}

const fn ballot(council: [usize; 4], ccg: [usize; 4], office: &'static str) -> Ballot {
    Ballot::Payers { council, ccg, office }
}

/// How the members answer on the three decisions, in their order.
pub(in crate::demo) const fn ballots(size: Size) -> [Ballot; 3] {
    match size {
        Size::Five => [
            ballot([1, 0, 0, 0], [1, 0, 0, 0], "approve"),
            ballot([1, 0, 0, 0], [1, 0, 0, 0], "abstain"),
            ballot([1, 0, 0, 0], [0, 1, 0, 0], "approve"),
        ],
        Size::Ten => [
            ballot([2, 0, 0, 0], [1, 0, 0, 1], "approve"),
            ballot([2, 0, 0, 0], [1, 0, 1, 0], "reject"),
            ballot([2, 0, 0, 0], [1, 1, 0, 0], "approve"),
        ],
        Size::ThirtySix => [
            ballot([9, 0, 1, 0], [9, 0, 0, 1], "approve"),
            ballot([8, 1, 1, 0], [8, 1, 0, 1], "approve"),
            ballot([5, 4, 1, 0], [6, 2, 2, 0], "approve"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::Cast;

    const SIZES: [Size; 3] = [Size::Five, Size::Ten, Size::ThirtySix];

    #[test]
    fn the_answers_come_to_what_the_domain_says() {
        let divided = SIZES.map(|size| {
            let parts = Cast::of(size).parts;
            ballots(size).map(|ballot| ballot.division(&parts))
        });
        assert_eq!(divided[0], [[3, 0, 0, 1], [2, 0, 1, 1], [2, 1, 0, 1]]);
        assert_eq!(divided[1], [[4, 0, 0, 5], [3, 1, 1, 4], [4, 1, 0, 4]]);
        assert_eq!(divided[2], [[19, 0, 1, 14], [17, 2, 1, 14], [12, 6, 3, 13]]);
    }

    #[test]
    fn every_member_with_a_vote_answers_and_no_other() {
        for size in SIZES {
            let parts = Cast::of(size).parts;
            for ballot in ballots(size).iter().chain([&Ballot::AllFor]) {
                for part in &parts {
                    assert_eq!(ballot.answer_of(part, &parts).is_none(), part.is_observer);
                }
            }
        }
    }

    #[test]
    fn who_decides_and_takes_no_part_has_an_interest() {
        let interested = |size| {
            let parts = Cast::of(size).parts;
            ballots(size).map(|ballot| ballot.interested(&parts).join(" "))
        };
        assert_eq!(interested(Size::Five), ["", "", ""]);
        assert_eq!(interested(Size::Ten), ["ccg-bury", "", ""]);
        assert_eq!(interested(Size::ThirtySix), ["ccg-wigan", "ccg-wigan", ""]);
    }
}
