//! Decisions that are put to a ballot.
//!
//! *Invariants.* Each names an option that was rejected, and why: without one nothing is put to a ballot.
//!
//! *Source*: ours; domain, section 3.4 (D01, D04, D18).

use super::{
    ENGAGEMENT, Paper,
    Write::{Add, Set},
};

/// Carried, carried, and not carried.
pub(in crate::demo) const DECISIONS: [Paper; 3] = [ADOPT_DEMENTIA, STROKE, VASCULAR];

/// What the first of them gives the councils together, in pounds, as its total says.
pub(in crate::demo) const DEMENTIA_POUNDS: u64 = 1_200_000;

const OPTION: &[&str] = &["label", "result", "why"];

const ADOPT_DEMENTIA: Paper = Paper {
    reference: "JCB/2017/003",
    kind: "decision",
    title: "Adopt the dementia standard 1.0 (illustrative)",
    by: "gmhscp",
    check: "meeting-adopts",
    is_carried: true,
    drafts: &[&[
        Set("decision_type", "recommendation"),
        Set("authority/basis", "recommendation_to_members"),
        Set("summary", "Members are asked to adopt the standard, with money for its first year."),
        Set("engagement_ref", ENGAGEMENT),
        Set("finance/recurrent", "no"),
        Set("finance/total_pence", "£1,200,000"),
        Add(
            "options",
            OPTION,
            &[
                &["Adopt all of it", "preferred", "The stages lean on each other."],
                &[
                    "Adopt the stage of diagnosis only",
                    "rejected",
                    "What follows a diagnosis would go on to differ.",
                ],
                &["Do nothing", "rejected", "Waits differ by months."],
            ],
        ),
    ]],
};

const STROKE: Paper = Paper {
    reference: "JCB/2017/006",
    kind: "decision",
    title: "Stroke: one round-the-clock hyper-acute unit (illustrative)",
    by: "ccg-trafford",
    check: "meeting-stroke",
    is_carried: true,
    drafts: &[&[
        Set("decision_type", "key"),
        Set("authority/basis", "delegated_to_board"),
        Set(
            "summary",
            "Salford Royal around the clock; Fairfield General and Stepping Hill 06:45 to 22:45.",
        ),
        Set("engagement_ref", ENGAGEMENT),
        Set("review_by", "2018-07-01"),
        Add(
            "recommendations",
            &["text"],
            &[&["Report how many reach a stroke unit within 4 hours; nine of ten should."]],
        ),
        Add(
            "options",
            OPTION,
            &[
                &["One unit around the clock, two by day", "preferred", "It can be staffed."],
                &["Three units around the clock", "rejected", "There are not the staff."],
                &["One unit only", "rejected", "The way from the east takes too long."],
            ],
        ),
    ]],
};

const VASCULAR: Paper = Paper {
    reference: "JCB/2017/009",
    kind: "decision",
    title: "A single vascular hub (illustrative)",
    by: "ccg-trafford",
    check: "meeting-hub",
    is_carried: false,
    drafts: &[&[
        Set("decision_type", "key"),
        Set("authority/basis", "delegated_to_board"),
        Set("summary", "Planned operations on arteries move to one hospital."),
        Set("engagement_ref", ENGAGEMENT),
        Add(
            "options",
            OPTION,
            &[
                &["One hub", "preferred", "Surgeons see enough patients."],
                &["Two hubs", "rejected", "Neither would see enough patients."],
            ],
        ),
    ]],
};
