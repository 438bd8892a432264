//! Mutual aid: an offer, a request or a standing arrangement.
//!
//! ```text
//! draft ─▶ offered ─────────────────────────────────────────▶ ended ─▶ closed
//!               └ shown by claims and time: claimed, part_confirmed, confirmed, declined,
//!                 recalled, active, ended, expired             withdrawn; hold: suspended
//! ```
//!
//! The document says what kind of help and on which terms. How much, and from when to when, is an
//! event of the organisation that offers it, line by line; it alone confirms claims, so what is
//! confirmed is never more than there is. A line is known by the organisation and the item's id.

use super::common::{self, EDITORS, ITEM, LINE, PASSAGE, SAFETY, SPONSOR};
use crate::artefact::{
    codes,
    kind::{
        Among,
        Capacity::{self, Aid, Claim, Confirm, Decline, Deliver, GiveUp, Quantity, Recall},
        Caution::{Approved, Deferred, Plain, Suspended, Withdrawn},
        Effect::{self, Hold, LetGo, Move, Row},
        EventKind, Field, Kind, Need, Param, Role,
        Scalar::{
            Artefact, Code, Date, DateTime, Decimal, Entry, Enum, Int, Money, Org, Text, Url,
        },
        State, Transition,
        Trigger::Event,
        Who,
    },
};

/// Mutual aid, version 1.
pub static MUTUAL_AID: Kind = Kind {
    name: "mutual_aid",
    version: 1,
    label: "Mutual aid",
    fields: &[common::FIELDS, FIELDS],
    events: &[common::EVENTS, EVENTS],
    remarks: common::REMARKS,
    states: STATES,
    transitions: TRANSITIONS,
};

const FIELDS: &[Field] = &[
    Field::one("service_line", "Service", Code(codes::SERVICE_LINES)).decidable(),
    Field::record(
        "trigger",
        "Why now",
        &[
            Field::one("opel", "Level of pressure", Int { min: 1, max: 4, unit: "OPEL" })
                .decidable(),
            Field::one("forecast_ref", "Forecast", Artefact).decidable(),
            Field::one("report_ref", "Report", Url).decidable(),
            Field::text("text", "Text").decidable(),
        ],
    )
    .decidable(),
    Field::one("urgency", "Urgency", Enum(&["within_4h", "within_24h", "within_7d", "planned"]))
        .decidable(),
    Field::list("lines", "Lines", LINE_FIELDS).decidable(),
    Field::record("governance", "Governance", GOVERNANCE).decidable(),
    Field::record("cost", "Cost", COST).decidable(),
    Field::text("lessons", "Lessons"),
];

const LINE_FIELDS: &[Field] = &[
    Field::one(
        "resource",
        "Resource",
        Enum(&["staff", "beds", "sessions", "service", "equipment", "divert", "advice"]),
    )
    .decidable(),
    Field::one("role", "Role or grade", Text { max: 150 }).decidable(),
    Field::text("pattern", "Pattern").decidable(),
    Field::text("conditions", "Conditions").decidable(),
    Field::one("min_notice_hours", "Notice", Int { min: 0, max: 8_760, unit: "hours" }).decidable(),
];

const GOVERNANCE: &[Field] = &[
    Field::one("clinical_lead_org", "Clinical lead", Org).decidable(),
    Field::text("supervision", "Supervision").decidable(),
    Field::one("employer", "Employer", Enum(&["stays_with_lender", "transfers"])).decidable(),
    Field::one("indemnity", "Basis of indemnity", LINE).decidable(),
    Field::text("checks", "Checks").decidable(),
    Field::text("lender_risk", "Risk to the lender").decidable(),
];

const COST: &[Field] = &[
    Field::one("basis", "Basis", Enum(&["nil", "actual", "agreed_rate", "pooled"])).decidable(),
    Field::one("rate_pence", "Rate", Money).decidable(),
    Field::one("per_unit", "A unit is", Code(codes::UNITS)).decidable(),
    Field::one("cap_pence", "Cap", Money).decidable(),
    Field::one("invoiced_by", "Invoiced by", Org).decidable(),
];

const OFFERING: Who = Who::new(Among::Offering, Role::OpsOnCall);
const REQUESTING: Who = Who::new(Among::Requesting, Role::OpsOnCall);
const ON_CALL: Who = Who::new(Among::Members, Role::OpsOnCall);
const SPONSOR_ON_CALL: Who = Who::new(Among::Sponsor, Role::OpsOnCall);
const CLAIMANT: Who = Who::new(Among::Author, Role::OpsOnCall);
const HOLDERS: Who = Who::new(Among::Author, Role::ClinicalSafety);
const FINANCE: Who = Who::new(Among::Members, Role::FinanceSignatory);

const OPEN: &[&str] = &["offered"];
const REASON: Param = Param::one("reason", "Reason", PASSAGE);
const LINE_ID: Param = Param::one("line", "Line", ITEM);
const QTY: Param = Param::one("qty", "Quantity", Decimal);
const FROM: Param = Param::one("from", "From", DateTime);
const TO: Param = Param::one("to", "To", DateTime);
const CLAIM: Param = Param::one("claim", "Claim", Entry);
const LENDER: Param = Param::one("offered_by", "Offered by", Org);
const NOTE: Param = Param::optional("note", "Note", PASSAGE);

const fn of(capacity: Capacity) -> Effect {
    Effect::Capacity(capacity)
}

const EVENTS: &[EventKind] = &[
    EventKind::new(
        "aid_kind",
        "Said what kind of aid it is",
        SPONSOR,
        &[Param::one("kind", "Kind", Enum(&["offer", "request", "standing_arrangement"]))],
    )
    .does(of(Aid)),
    EventKind::new(
        "take_part",
        "Said on which side and at which site",
        EDITORS,
        &[
            Param::one("side", "Side", Enum(&["offering", "requesting"])),
            Param::optional("site", "Site", Code(codes::SITES)),
        ],
    )
    .does(Row { table: "sides", key: 1 }),
    EventKind::new(
        "line_quantity",
        "Said how much",
        OFFERING,
        &[LINE_ID, QTY, Param::one("unit", "Unit", Code(codes::UNITS)), FROM, TO],
    )
    .does(of(Quantity))
    .during(&["draft", "offered"]),
    EventKind::new(
        "offer",
        "Offered",
        OFFERING,
        &[Param::one("valid_until", "Valid until", DateTime)],
    )
    .does(Move),
    EventKind::new(
        "suggest_match",
        "Suggested a match",
        EDITORS,
        &[LENDER, LINE_ID, Param::one("org", "For", Org), NOTE],
    ),
    EventKind::new("claim", "Claimed", REQUESTING, &[LENDER, LINE_ID, QTY, FROM, TO])
        .does(of(Claim))
        .during(OPEN),
    EventKind::new("give_up_claim", "Gave up its claim", CLAIMANT, &[CLAIM]).does(of(GiveUp)),
    EventKind::new("confirm", "Confirmed", OFFERING, &[CLAIM, QTY]).does(of(Confirm)).during(OPEN),
    EventKind::new("decline_claim", "Declined", OFFERING, &[CLAIM, REASON]).does(of(Decline)),
    EventKind::new(
        "recall",
        "Recalled",
        OFFERING,
        &[
            LINE_ID,
            Param::one("notice_hours", "Notice", Int { min: 0, max: 8_760, unit: "hours" }),
            REASON,
            Param::one("effective", "From", DateTime),
        ],
    )
    .does(of(Recall))
    .during(OPEN),
    EventKind::new(
        "deliver",
        "Recorded what was delivered",
        ON_CALL,
        &[LENDER, LINE_ID, Param::one("date", "Date", Date), QTY, NOTE],
    )
    .does(of(Deliver)),
    EventKind::new(
        "finance_signoff",
        "Signed off the cost",
        FINANCE,
        &[Param::one("cap_pence", "Cap", Money), NOTE],
    )
    .does(Row { table: "finance_signoffs", key: 0 }),
    EventKind::new("withdraw", "Withdrew", SPONSOR_ON_CALL, &[REASON]).does(Move),
    EventKind::new("end", "Ended", SPONSOR_ON_CALL, &[NOTE]).does(Move),
    EventKind::new(
        "close_aid",
        "Closed, with lessons and cost recorded",
        SPONSOR_ON_CALL,
        &[Param::optional("cost_pence", "Cost", Money)],
    )
    .does(Move),
    EventKind::new("suspend", "Suspended for clinical safety", SAFETY, &[REASON])
        .does(Hold { state: "suspended" })
        .during(OPEN),
    EventKind::new(
        "lift_suspension",
        "Lifted its suspension",
        HOLDERS,
        &[Param::one("suspension", "Suspension", Entry), REASON],
    )
    .does(LetGo { instead: None }),
];

const STATES: &[State] = &[
    State::new("draft", "Draft", Plain),
    State::new("offered", "Offered", Approved),
    State::new("claimed", "Claimed, not yet confirmed", Approved),
    State::new("part_confirmed", "Confirmed in part", Approved),
    State::new("confirmed", "Confirmed", Approved),
    State::new("active", "Under way", Approved),
    State::new("declined", "Declined", Deferred),
    State::new("recalled", "Recalled", Withdrawn),
    State::new("ended", "Ended", Plain),
    State::new("expired", "Expired", Plain),
    State::new("closed", "Closed", Plain),
    State::new("withdrawn", "Withdrawn", Withdrawn),
    State::new("suspended", "Suspended for clinical safety", Suspended),
];

const TRANSITIONS: &[Transition] = &[
    Transition::new(Event("offer"), &["draft", "offered"], "offered").needs(&[
        Need::NoConflict,
        Need::Filled("service_line"),
        Need::Above { field: "cost.cap_pence", pence: 5_000_000, event: "finance_signoff" },
    ]),
    Transition::new(Event("withdraw"), &["draft", "offered"], "withdrawn")
        .needs(&[Need::NothingConfirmed]),
    Transition::new(Event("end"), &["offered"], "ended"),
    Transition::new(Event("close_aid"), &["offered", "ended"], "closed"),
];
