//! A pathway standard.
//!
//! ```text
//! proposed ─▶ drafting ─▶ consultation ─▶ clinical_review ─▶ frozen ─▶ agreed ─▶ in_force ─▶ under_review
//!                ▲  ▲                           └──◀── reopen ──┴─▶ not_carried     ▲    │        │
//!                │  └──────────────────────── revise ───────────────────────────────┼─────────────┤
//!                                                                                   └─── keep ────┘
//! withdrawn before it is agreed; superseded, retired afterwards; hold: suspended, once agreed
//! ```
//!
//! A proposal freezes a version. It is agreed when its rule carries and two trusts and two CCGs
//! have signed it off clinically. Each locality adopts by its own act: a row of its own.

use super::common::{self, EDITORS, ITEM, LINE, PASSAGE, SAFETY, SECRETARIAT, SPONSOR};
use crate::artefact::{
    codes,
    kind::{
        Among,
        Caution::{Approved, Plain, Suspended, Withdrawn},
        Clock,
        Effect::{Hold, LetGo, Move, Row},
        EventKind, Field, Kind, Need, Param, Role,
        Scalar::{Artefact, Code, Date, Decimal, Entry, Enum, Hash, Int, Text},
        State, Transition,
        Trigger::{Carried, Event, NotCarried, Proposal},
        Who,
    },
};

/// A pathway standard, version 1.
pub static STANDARD: Kind = Kind {
    name: "standard",
    version: 1,
    label: "Pathway standard",
    fields: &[common::FIELDS, FIELDS],
    events: &[common::EVENTS, EVENTS],
    remarks: common::REMARKS,
    states: STATES,
    transitions: TRANSITIONS,
};

const FIELDS: &[Field] = &[
    Field::one(
        "standard_kind",
        "Kind of standard",
        Enum(&["pathway", "quality_standard", "service_specification", "team_model"]),
    )
    .decidable(),
    Field::one("condition", "Condition", LINE).decidable(),
    Field::record(
        "age_range",
        "Ages",
        &[
            Field::one("min_years", "From", Int { min: 0, max: 130, unit: "years" }).decidable(),
            Field::one("max_years", "To", Int { min: 0, max: 130, unit: "years" }).decidable(),
        ],
    )
    .decidable(),
    Field::one("version", "Version", Text { max: 16 }).decidable(),
    Field::text("summary", "Summary").decidable(),
    Field::list(
        "stages",
        "Stages",
        &[
            Field::one("name", "Name", Text { max: 150 }).decidable(),
            Field::text("description", "Description").decidable(),
            Field::set("settings", "Settings", Text { max: 64 }).decidable(),
            Field::set("org_classes", "Responsible", Code(codes::ORG_CLASSES)).decidable(),
        ],
    )
    .decidable(),
    Field::list("statements", "Statements", STATEMENT).decidable(),
    Field::list(
        "variants",
        "Local models",
        &[
            Field::one("locality", "Locality", Code(codes::LOCALITIES)).decidable(),
            Field::text("text", "Model").decidable(),
        ],
    )
    .decidable(),
    Field::one("engagement_ref", "Engagement strategy", Artefact).decidable(),
    Field::one("decision_ref", "Decision that adopts it", Artefact).decidable(),
    Field::one("effective_from", "In force from", Date).decidable(),
    Field::one("review_by", "Review by", Date).decidable(),
    Field::one("supersedes", "Standard it supersedes", Artefact).decidable(),
];

const STATEMENT: &[Field] = &[
    Field::one("code", "Code", Text { max: 16 }).decidable(),
    Field::one("stage", "Stage", ITEM).decidable(),
    Field::text("text", "Statement").decidable(),
    Field::one("level", "Level", Enum(&["core", "developmental"])).decidable(),
    Field::text("rationale", "Rationale").decidable(),
    Field::record(
        "means_for",
        "What it means",
        &[
            Field::text("people_and_carers", "For people and carers").decidable(),
            Field::text("practitioners", "For practitioners").decidable(),
            Field::text("providers", "For providers").decidable(),
            Field::text("commissioners", "For commissioners").decidable(),
        ],
    )
    .decidable(),
    Field::text("sources", "Sources").decidable(),
    Field::text("equality", "Equality").decidable(),
    Field::list("measures", "Measures", MEASURE).decidable(),
];

const MEASURE: &[Field] = &[
    Field::one("kind", "Kind", Enum(&["structure", "process", "outcome"])).decidable(),
    Field::text("description", "Description").decidable(),
    Field::text("numerator", "Numerator").decidable(),
    Field::text("denominator", "Denominator").decidable(),
    Field::one("unit", "Unit", Code(codes::MEASURE_UNITS)).decidable(),
    Field::one("direction", "Better is", Enum(&["higher", "lower"])).decidable(),
    Field::one("threshold", "Threshold", Decimal).decidable(),
    Field::one("baseline", "Baseline", Decimal).decidable(),
    Field::one("data_source", "Source of data", LINE).decidable(),
    Field::one(
        "frequency",
        "How often",
        Enum(&["weekly", "monthly", "quarterly", "yearly", "once"]),
    )
    .decidable(),
];

const CLINICIANS: Who = Who::new(Among::Members, Role::ClinicalSafety);
const HOLDERS: Who = Who::new(Among::Author, Role::ClinicalSafety);
const LOCALITY: Who = Who::new(Among::Locality, Role::Editor);
const LOCALITY_BOUND: Who = Who::new(Among::Locality, Role::Signatory);

const REASON: Param = Param::one("reason", "Reason", PASSAGE);
const WHERE: Param = Param::one("locality", "Locality", Code(codes::LOCALITIES));
const WHICH: Param = Param::one("version", "Proposal that fixed the version", Entry);
const TEXT: Param = Param::one("text", "Text", PASSAGE);

const EVENTS: &[EventKind] = &[
    EventKind::new(
        "clinical_signoff",
        "Signed off clinically",
        CLINICIANS,
        &[
            WHICH,
            Param::one("verdict", "Verdict", Enum(&["approve", "reject"])),
            Param::one("wording", "Digest of the wording", Hash),
            Param::optional("note", "Note", PASSAGE),
        ],
    )
    .does(Row { table: "clinical_signoffs", key: 1 }),
    EventKind::new(
        "endorse",
        "Recorded what people with experience say",
        EDITORS,
        &[
            WHICH,
            Param::one("panel", "Panel", LINE),
            Param::one("wording", "Digest of the wording", Hash),
            TEXT,
        ],
    ),
    EventKind::new(
        "adopt",
        "Reported how far it is adopted",
        LOCALITY,
        &[
            WHERE,
            WHICH,
            Param::one("status", "Status", Enum(&["not_started", "planned", "partial", "full"])),
            Param::optional("target_date", "Target", Date),
            Param::optional("note", "Note", PASSAGE),
        ],
    )
    .does(Row { table: "adoption", key: 1 }),
    EventKind::new(
        "except",
        "Recorded an exception",
        LOCALITY_BOUND,
        &[
            WHERE,
            WHICH,
            Param::optional("statement", "Statement, if not all", ITEM),
            Param::optional("until", "Until", Date),
            REASON,
        ],
    )
    .does(Row { table: "adoption", key: 1 }),
    EventKind::new(
        "statement_status",
        "Reported on a statement",
        LOCALITY,
        &[
            WHERE,
            Param::one("statement", "Statement", ITEM),
            WHICH,
            Param::one("status", "Status", Enum(&["not_met", "partly", "met"])),
            Param::one("as_of", "As of", Date),
            Param::optional("evidence", "Evidence", LINE),
        ],
    )
    .does(Row { table: "statement_status", key: 2 }),
    EventKind::new("begin_drafting", "Began drafting", SPONSOR, &[]).does(Move),
    EventKind::new("consult", "Opened consultation", SPONSOR, &[]).does(Move),
    EventKind::new("begin_clinical_review", "Began clinical review", SPONSOR, &[]).does(Move),
    EventKind::new("reopen", "Reopened the text", SECRETARIAT, &[REASON]).does(Move),
    EventKind::new(
        "bring_into_force",
        "Brought into force",
        SECRETARIAT,
        &[
            Param::one("effective_from", "In force from", Date),
            Param::optional("review_by", "Review by", Date),
        ],
    )
    .does(Move),
    EventKind::new("begin_review", "Began a review", SPONSOR, &[]).does(Move),
    EventKind::new(
        "keep",
        "Kept after a review",
        SPONSOR,
        &[REASON, Param::optional("review_by", "Review by", Date)],
    )
    .does(Move),
    EventKind::new("revise", "Began a new version", SPONSOR, &[REASON]).does(Move),
    EventKind::new("suspend", "Suspended for clinical safety", SAFETY, &[REASON])
        .does(Hold { state: "suspended" })
        .during(&["agreed", "in_force", "under_review"]),
    EventKind::new(
        "lift_suspension",
        "Lifted its suspension",
        HOLDERS,
        &[Param::one("suspension", "Suspension", Entry), REASON],
    )
    .does(LetGo { instead: None }),
    EventKind::new(
        "supersede",
        "Marked as superseded",
        SECRETARIAT,
        &[Param::one("successor", "Standard that supersedes it", Artefact)],
    )
    .does(Move),
    EventKind::new("retire", "Retired", SECRETARIAT, &[REASON]).does(Move),
    EventKind::new("withdraw", "Withdrew", SPONSOR, &[REASON]).does(Move),
];

const STATES: &[State] = &[
    State::new("proposed", "Proposed", Plain),
    State::new("drafting", "Drafting", Plain),
    State::new("consultation", "Consultation", Plain),
    State::new("clinical_review", "Clinical review", Plain),
    State::new("frozen", "Text fixed, being signed off", Plain),
    State::new("not_carried", "Not agreed", Plain),
    State::new("agreed", "Agreed", Approved),
    State::new("in_force", "In force", Approved).clock(&[Clock {
        param: "review_by",
        after: true,
        becomes: "under_review",
    }]),
    State::new("under_review", "Under review", Plain),
    State::new("superseded", "Superseded", Plain),
    State::new("retired", "Retired", Plain),
    State::new("withdrawn", "Withdrawn", Withdrawn),
    State::new("suspended", "Suspended for clinical safety", Suspended),
];

const CLINICAL: &[Need] = &[
    Need::From { class: "trust", least: 2, event: "clinical_signoff", value: "approve" },
    Need::From { class: "ccg", least: 2, event: "clinical_signoff", value: "approve" },
];

const TRANSITIONS: &[Transition] = &[
    Transition::new(Event("begin_drafting"), &["proposed"], "drafting"),
    Transition::new(Event("consult"), &["drafting"], "consultation")
        .needs(&[Need::Filled("engagement_ref")]),
    Transition::new(Event("begin_clinical_review"), &["consultation"], "clinical_review"),
    Transition::new(Proposal(SECRETARIAT), &["clinical_review", "frozen", "not_carried"], "frozen")
        .needs(&[
            Need::NoConflict,
            Need::Filled("version"),
            Need::Filled("engagement_ref"),
            Need::Filled("decision_ref"),
        ]),
    Transition::new(Carried, &["frozen"], "agreed").needs(CLINICAL),
    Transition::new(NotCarried, &["frozen"], "not_carried"),
    Transition::new(Event("reopen"), &["frozen", "not_carried"], "clinical_review"),
    Transition::new(Event("bring_into_force"), &["agreed"], "in_force"),
    Transition::new(Event("begin_review"), &["in_force"], "under_review"),
    Transition::new(Event("keep"), &["in_force", "under_review"], "in_force"),
    Transition::new(Event("revise"), &["agreed", "in_force", "under_review"], "drafting"),
    Transition::new(Event("supersede"), &["agreed", "in_force", "under_review"], "superseded"),
    Transition::new(Event("retire"), &["agreed", "in_force", "under_review"], "retired"),
    Transition::new(
        Event("withdraw"),
        &["proposed", "drafting", "consultation", "clinical_review", "frozen", "not_carried"],
        "withdrawn",
    ),
];
