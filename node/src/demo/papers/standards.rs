//! Pathway standards, and how far localities have come with one of them.
//!
//! *Source*: ours; domain, section 3.4 (D02, D19).

use super::{
    ENGAGEMENT, Paper,
    Write::{Add, Set},
};

const STATEMENT: &[&str] = &["code", "text"];
const MEASURE: &[&str] =
    &["kind", "numerator", "denominator", "unit", "direction", "threshold", "frequency"];

/// The standard on dementia.
pub(in crate::demo) const DEMENTIA: Paper = Paper {
    reference: "DEM",
    kind: "standard",
    title: "Dementia pathway (illustrative)",
    by: "la-wigan",
    check: "meeting-dementia",
    is_carried: true,
    drafts: &[
        &[
            Set("standard_kind", "pathway"),
            Set("condition", "Dementia"),
            Set("version", "1.0"),
            Set("summary", "What people with dementia and their carers can expect anywhere."),
            Set("engagement_ref", ENGAGEMENT),
            Add(
                "stages",
                &["name"],
                &[
                    &["Living well"],
                    &["Preventing well"],
                    &["Diagnosing well"],
                    &["Treating well"],
                    &["Supporting well"],
                    &["Dying well"],
                ],
            ),
            Add(
                "statements",
                STATEMENT,
                &[
                    &["DEM-01", "People with dementia can join groups near their home."],
                    &["DEM-02", "A health check in midlife tells how to lower the risk."],
                    &["DEM-03", "Whoever worries about memory is seen by the practice first."],
                    &[
                        "DEM-04",
                        "People referred to a memory service have a first assessment within 42 days.",
                    ],
                    &["DEM-05", "A diagnosis is told in person, beside somebody they choose."],
                    &["DEM-06", "Each person has a care plan that is looked at every year."],
                    &["DEM-07", "Each person diagnosed has a named contact within 14 days."],
                    &["DEM-08", "Medicines against agitation are reviewed within 6 weeks."],
                    &["DEM-09", "Staff of every ward are trained in dementia care."],
                    &["DEM-10", "A page about the person goes with them into hospital."],
                    &["DEM-11", "Carers are offered an assessment."],
                    &["DEM-12", "Wishes for the end of life are where carers can read them."],
                ],
            ),
        ],
        &[
            Add(
                "statements/4/measures",
                MEASURE,
                &[&[
                    "process",
                    "Seen within 42 days",
                    "Accepted referrals",
                    "percent",
                    "higher",
                    "85",
                    "monthly",
                ]],
            ),
            Add(
                "statements/7/measures",
                MEASURE,
                &[&[
                    "process",
                    "Named within 14 days",
                    "Diagnoses",
                    "percent",
                    "higher",
                    "90",
                    "monthly",
                ]],
            ),
            Add(
                "statements/11/measures",
                MEASURE,
                &[&[
                    "process",
                    "Offered one",
                    "Known carers",
                    "percent",
                    "higher",
                    "80",
                    "monthly",
                ]],
            ),
        ],
    ],
};

/// How far localities have come with it, as one member of each reports.
pub(in crate::demo) const ADOPTION: &[(&str, &str, &str)] = &[
    ("salford", "la-salford", "full"),
    ("tameside-glossop", "la-tameside", "partial"),
    ("hmr", "la-rochdale", "partial"),
    ("manchester", "la-manchester", "partial"),
    ("bolton", "la-bolton", "planned"),
    ("bury", "la-bury", "planned"),
    ("oldham", "la-oldham", "planned"),
    ("wigan", "la-wigan", "planned"),
    ("stockport", "la-stockport", "not_started"),
];

/// One locality asks for more time with one statement, counted from 1.
pub(in crate::demo) const EXCEPTION: [(&str, &str); 5] = [
    ("locality", "trafford"),
    ("version", "last"),
    ("statement", "7"),
    ("until", "2018-04-01"),
    ("reason", "The contact role is not yet commissioned."),
];
/// Who asks for it.
pub(in crate::demo) const EXCEPTED: &str = "ccg-trafford";

/// The standard on discharge teams, which gets a second version.
pub(in crate::demo) const DISCHARGE: Paper = Paper {
    reference: "IDT",
    kind: "standard",
    title: "Integrated discharge team model (illustrative)",
    by: "tr-pennine-acute",
    check: "meeting-discharge",
    is_carried: true,
    drafts: &[
        &[
            Set("standard_kind", "team_model"),
            Set("version", "1.0"),
            Set("summary", "One team on each site plans how people leave hospital."),
            Set("engagement_ref", ENGAGEMENT),
            Add(
                "stages",
                &[
                    "name",
                    "org_classes",
                    "org_classes",
                    "org_classes",
                    "org_classes",
                    "org_classes",
                ],
                &[&["The team", "trust", "council", "vcse", "housing", "transport"]],
            ),
            Add(
                "statements",
                STATEMENT,
                &[
                    &["IDT-01", "Each site has one team, with one lead."],
                    &["IDT-02", "Where to assess further is decided within 48 hours."],
                ],
            ),
        ],
        &[Add(
            "statements/2/measures",
            MEASURE,
            &[&["process", "Decided in time", "Discharges", "percent", "higher", "85", "monthly"]],
        )],
    ],
};
/// What its second version says otherwise.
pub(in crate::demo) const DISCHARGE_NEXT: [(&str, &str); 2] = [
    ("version", "1.1"),
    ("statements/2/text", "Where to assess further is decided within 24 hours."),
];
