//! A joint commissioning decision.
//!
//! ```text
//! draft ─▶ consultation ─▶ notice ─▶ frozen ─▶ decided ─▶ ratifying ─▶ standstill ─▶ in_force
//!   ▲            ▲  └─────────────────▲   │                                └─ a day ──▲   │
//!   │            └────── reopen ──────────┴─▶ not_carried                         superseded, expired
//!   └─ resume ── deferred          before it is decided: withdrawn, deferred
//!                                  holds: called_in in standstill, suspended in standstill and in force
//! ```
//!
//! A proposal freezes it; the result of the proposal decides it. Votes are sign-offs, so they are
//! no events of this kind. What waits for a day, stays in its state here and is shown as what
//! follows: see `lifecycle`.

use super::common::{
    self, EDITORS, ITEM, LINE, PASSAGE, SAFETY, SECRETARIAT, SIGNATORIES, SPONSOR,
};
use crate::artefact::{
    codes,
    kind::{
        Among,
        Caution::{Approved, CalledIn, Deferred, Plain, Suspended, Withdrawn},
        Clock,
        Effect::{Hold, LetGo, Move, Row},
        EventKind, Field, Kind, Need, Param, Role,
        Scalar::{self, Artefact, Bool, Code, Date, Entry, Enum, Int, Money, Org, Text, Year},
        State, Transition,
        Trigger::{Carried, Event, NotCarried, Proposal},
        Who,
    },
};

/// A joint commissioning decision, version 1.
pub static DECISION: Kind = Kind {
    name: "decision",
    version: 1,
    label: "Joint commissioning decision",
    fields: &[common::FIELDS, FIELDS],
    events: &[common::EVENTS, EVENTS],
    remarks: common::REMARKS,
    states: STATES,
    transitions: TRANSITIONS,
};

const DONE: Scalar = Enum(&["not_needed", "in_progress", "done"]);

const IMPACT: &[Field] = &[
    Field::one("status", "Status", DONE).decidable(),
    Field::one("reference", "Reference", LINE).decidable(),
];

const FIELDS: &[Field] = &[
    Field::one(
        "decision_type",
        "Type of decision",
        Enum(&["key", "non_key", "noting", "recommendation"]),
    )
    .decidable(),
    Field::record("authority", "Authority", AUTHORITY).decidable(),
    Field::one("lead_commissioner", "Lead commissioner", Org).decidable(),
    Field::set("services", "Services", Code(codes::SERVICE_LINES)).decidable(),
    Field::text("population", "Population").decidable(),
    Field::text("summary", "Summary").decidable(),
    Field::text("background", "Background").decidable(),
    Field::text("reasons", "Reasons").decidable(),
    Field::list(
        "recommendations",
        "Recommendations",
        &[Field::text("text", "Text").decidable(), Field::one("owner", "Owner", Org).decidable()],
    )
    .decidable(),
    Field::list("options", "Options", OPTION).decidable(),
    Field::record("finance", "Finance", FINANCE).decidable(),
    Field::record(
        "impact",
        "Impact",
        &[
            Field::record("equality", "On equality", IMPACT).decidable(),
            Field::record("quality", "On quality", IMPACT).decidable(),
            Field::record("privacy", "On privacy", IMPACT).decidable(),
            Field::one("clinical_safety", "Clinical safety case", LINE).decidable(),
        ],
    )
    .decidable(),
    Field::one("engagement_ref", "Engagement strategy", Artefact).decidable(),
    Field::record("notice", "Notice", NOTICE),
    Field::record(
        "meeting",
        "Meeting",
        &[
            Field::one("date", "Date", Date),
            Field::one("place", "Place", LINE),
            Field::one("session", "Session", Enum(&["public", "private"])),
            Field::one("exemption", "Ground for a private session", LINE),
        ],
    ),
    Field::one("effective_from", "In force from", Date).decidable(),
    Field::one("review_by", "Review by", Date).decidable(),
    Field::list(
        "actions",
        "Actions",
        &[
            Field::one("org", "Organisation", Org).decidable(),
            Field::text("text", "Text").decidable(),
            Field::one("due", "Due", Date).decidable(),
        ],
    )
    .decidable(),
    Field::one("supersedes", "Decision it supersedes", Artefact).decidable(),
];

const AUTHORITY: &[Field] = &[
    Field::one(
        "basis",
        "Basis",
        Enum(&[
            "delegated_to_board",
            "committees_in_common",
            "lead_commissioner",
            "recommendation_to_members",
        ]),
    )
    .decidable(),
    Field::one("delegated_by", "Delegated by", LINE).decidable(),
    Field::one("limit_pence", "Limit", Money).decidable(),
    Field::one("expires_on", "Last day", Date).decidable(),
];

const OPTION: &[Field] = &[
    Field::one("label", "Name", Text { max: 150 }).decidable(),
    Field::text("description", "Description").decidable(),
    Field::list(
        "criteria_scores",
        "Scores",
        &[
            Field::one("criterion", "Criterion", Text { max: 150 }).decidable(),
            Field::one("score", "Score", Int { min: 0, max: 100, unit: "points" }).decidable(),
        ],
    )
    .decidable(),
    Field::one("result", "Result", Enum(&["preferred", "rejected"])).decidable(),
    Field::text("why", "Why").decidable(),
];

const FINANCE: &[Field] = &[
    Field::one("total_pence", "Total", Money).decidable(),
    Field::one("recurrent", "Recurrent", Bool).decidable(),
    Field::one("fund", "Fund", Code(codes::FUNDS)).decidable(),
    Field::set("years", "Financial years", Year).decidable(),
    Field::list(
        "split",
        "Split",
        &[
            Field::one("org", "Organisation", Org).decidable(),
            Field::one("year", "Financial year", Year).decidable(),
            Field::one("pence", "Amount", Money).decidable(),
        ],
    )
    .decidable(),
];

const NOTICE: &[Field] = &[
    Field::one("published_on", "Published on", Date),
    Field::one("not_before", "Not to be decided before", Date),
    Field::one("urgency", "Urgency", Enum(&["none", "general_exception", "special_urgency"])),
    Field::text("why", "Why it is urgent"),
    Field::one("scrutiny_consent", "Consent of the scrutiny committee", LINE),
];

const PROVIDERS: Who = Who::new(Among::Classes(&["trust"]), Role::Signatory);
const COUNCILS: Who = Who::new(Among::Classes(&["council"]), Role::Signatory);
const CALLERS: Who = Who::new(Among::Author, Role::Signatory);
const HOLDERS: Who = Who::new(Among::Author, Role::ClinicalSafety);

const REASON: Param = Param::one("reason", "Reason", PASSAGE);
const EXPIRES: Param = Param::optional("expires_on", "Last day in force", Date);

const EVENTS: &[EventKind] = &[
    EventKind::new(
        "provider_view",
        "Gave a provider's view",
        PROVIDERS,
        &[
            Param::one(
                "view",
                "View",
                Enum(&["support", "support_with_conditions", "object", "no_comment"]),
            ),
            Param::optional("text", "Text", PASSAGE),
        ],
    )
    .does(Row { table: "provider_views", key: 0 }),
    EventKind::new(
        "declare_interest",
        "Declared an interest",
        EDITORS,
        &[
            Param::one("role", "Role of the person", LINE),
            Param::one(
                "kind",
                "Kind",
                Enum(&[
                    "financial",
                    "non_financial_professional",
                    "non_financial_personal",
                    "indirect",
                ]),
            ),
            Param::one("nature", "Nature", PASSAGE),
            Param::one("action", "Action", Enum(&["noted", "no_vote", "left"])),
            Param::optional("dispensation", "Dispensation", LINE),
        ],
    ),
    EventKind::new(
        "accept_recommendation",
        "Answered a recommendation",
        SIGNATORIES,
        &[
            Param::one("recommendation", "Recommendation", ITEM),
            Param::one("accepted", "Accepted", Bool),
        ],
    )
    .does(Row { table: "owner_accepted", key: 1 }),
    EventKind::new(
        "action_status",
        "Reported on an action",
        EDITORS,
        &[
            Param::one("action", "Action", ITEM),
            Param::one("status", "Status", Enum(&["not_started", "in_progress", "done"])),
            Param::optional("note", "Note", PASSAGE),
        ],
    )
    .does(Row { table: "action_status", key: 1 }),
    EventKind::new("consult", "Opened consultation", SPONSOR, &[]).does(Move),
    EventKind::new("give_notice", "Gave notice", SECRETARIAT, &[]).does(Move),
    EventKind::new("reopen", "Reopened the text", SECRETARIAT, &[REASON]).does(Move),
    EventKind::new("begin_ratification", "Sent to members to ratify", SECRETARIAT, &[]).does(Move),
    EventKind::new(
        "ratify",
        "Said whether it ratifies",
        SIGNATORIES,
        &[
            Param::one("body", "Body", LINE),
            Param::one("result", "Result", Enum(&["ratified", "not_ratified"])),
            Param::one("date", "Date", Date),
            Param::optional("minute", "Minute", LINE),
        ],
    )
    .does(Row { table: "ratifications", key: 0 })
    .during(&["ratifying"]),
    EventKind::new(
        "begin_standstill",
        "Began the call-in window",
        SECRETARIAT,
        &[Param::one("ends_on", "Last day of the window", Date), EXPIRES],
    )
    .does(Move),
    EventKind::new(
        "call_in",
        "Called in",
        COUNCILS,
        &[REASON, Param::one("opened_on", "Opened on", Date)],
    )
    .does(Hold { state: "called_in" })
    .during(&["standstill"]),
    EventKind::new(
        "close_call_in",
        "Closed a call-in",
        CALLERS,
        &[
            Param::one("call_in", "Call-in", Entry),
            Param::one("closed_on", "Closed on", Date),
            Param::one("result", "Result", Enum(&["stands", "sent_back"])),
        ],
    )
    .does(LetGo { instead: Some(("sent_back", "deferred")) }),
    EventKind::new(
        "bring_into_force",
        "Brought into force",
        SECRETARIAT,
        &[Param::one("effective_from", "In force from", Date), EXPIRES],
    )
    .does(Move),
    EventKind::new("suspend", "Suspended for clinical safety", SAFETY, &[REASON])
        .does(Hold { state: "suspended" })
        .during(&["standstill", "in_force"]),
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
        &[Param::one("successor", "Decision that supersedes it", Artefact)],
    )
    .does(Move),
    EventKind::new("withdraw", "Withdrew", SPONSOR, &[REASON]).does(Move),
    EventKind::new("defer", "Deferred", SECRETARIAT, &[REASON]).does(Move),
    EventKind::new("resume", "Took up again", SECRETARIAT, &[]).does(Move),
    EventKind::new("bring_to_board", "Asked that the board decide", SIGNATORIES, &[REASON]),
];

const STATES: &[State] = &[
    State::new("draft", "Draft", Plain),
    State::new("consultation", "Consultation", Plain),
    State::new("notice", "Notice given", Plain),
    State::new("frozen", "Text fixed, being voted on", Plain),
    State::new("not_carried", "Decided: not carried", Plain),
    State::new("decided", "Decided: carried", Approved),
    State::new("ratifying", "Members ratify", Approved),
    State::new("standstill", "Call-in window", Approved).clock(&[
        Clock { param: "ends_on", after: true, becomes: "in_force" },
        Clock { param: "expires_on", after: true, becomes: "expired" },
    ]),
    State::new("in_force", "In force", Approved).clock(&[Clock {
        param: "expires_on",
        after: true,
        becomes: "expired",
    }]),
    State::new("superseded", "Superseded", Plain),
    State::new("expired", "Expired", Plain),
    State::new("deferred", "Deferred", Deferred),
    State::new("called_in", "Called in for scrutiny", CalledIn),
    State::new("withdrawn", "Withdrawn", Withdrawn),
    State::new("suspended", "Suspended for clinical safety", Suspended),
];

const FREEZE: &[Need] = &[
    Need::NoConflict,
    Need::Filled("engagement_ref"),
    Need::Filled("authority.basis"),
    Need::NotPassed("authority.expires_on"),
    Need::Item { list: "options", field: "result", value: "rejected" },
    Need::Sum { total: "finance.total_pence", list: "finance.split", amount: "pence" },
    Need::EachOf { class: "trust", event: "provider_view" },
];

const TRANSITIONS: &[Transition] = &[
    Transition::new(Event("consult"), &["draft"], "consultation")
        .needs(&[Need::Filled("engagement_ref")]),
    Transition::new(Event("give_notice"), &["consultation"], "notice")
        .needs(&[Need::Filled("notice.published_on"), Need::Filled("notice.not_before")]),
    Transition::new(
        Proposal(SECRETARIAT),
        &["consultation", "notice", "frozen", "not_carried"],
        "frozen",
    )
    .needs(FREEZE),
    Transition::new(Carried, &["frozen"], "decided"),
    Transition::new(NotCarried, &["frozen"], "not_carried"),
    Transition::new(Event("reopen"), &["frozen", "not_carried"], "consultation"),
    Transition::new(Event("begin_ratification"), &["decided"], "ratifying"),
    Transition::new(Event("begin_standstill"), &["decided", "ratifying"], "standstill"),
    Transition::new(Event("bring_into_force"), &["decided", "ratifying"], "in_force"),
    Transition::new(Event("supersede"), &["standstill", "in_force"], "superseded"),
    Transition::new(
        Event("withdraw"),
        &["draft", "consultation", "notice", "frozen", "not_carried", "deferred"],
        "withdrawn",
    ),
    Transition::new(
        Event("defer"),
        &["draft", "consultation", "notice", "frozen", "not_carried"],
        "deferred",
    ),
    Transition::new(Event("resume"), &["deferred"], "draft"),
];
