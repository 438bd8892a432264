//! Lists of codes that fields and events use.
//!
//! ```text
//! source  schema   these codes and no others, at this version
//!         board    examples: charter and practice of a board give its own
//! ```
//!
//! Localities, sites, leads and retention classes stand in charters; the codes here are those of
//! the demonstration and are illustrative. Each list ascends by code.

use super::kind::{
    CodeList,
    Source::{Board, Schema},
};

/// All lists, ascending by name.
pub const LISTS: &[&CodeList] = &[
    FUNDS,
    LOCALITIES,
    MEASURE_UNITS,
    ORG_CLASSES,
    PROGRAMMES,
    RETENTION_CLASSES,
    SERVICE_LINES,
    SITES,
    UNITS,
];

/// Sources of money.
pub const FUNDS: &CodeList = &CodeList {
    name: "funds",
    label: "Funds",
    source: Board,
    codes: &[
        ("better-care", "Better Care Fund"),
        ("core", "Core allocation"),
        ("transformation", "Transformation Fund"),
        ("winter", "Winter fund"),
    ],
};

/// Localities.
pub const LOCALITIES: &CodeList = &CodeList {
    name: "localities",
    label: "Localities",
    source: Board,
    codes: &[
        ("bolton", "Bolton"),
        ("bury", "Bury"),
        ("hmr", "Heywood, Middleton and Rochdale"),
        ("manchester", "Manchester"),
        ("oldham", "Oldham"),
        ("salford", "Salford"),
        ("stockport", "Stockport"),
        ("tameside-glossop", "Tameside and Glossop"),
        ("trafford", "Trafford"),
        ("wigan", "Wigan"),
    ],
};

/// Units of what is measured.
pub const MEASURE_UNITS: &CodeList = &CodeList {
    name: "measure_units",
    label: "Units of measures",
    source: Schema,
    codes: &[
        ("GBP", "Pounds sterling"),
        ("count", "Number"),
        ("days", "Days"),
        ("hours", "Hours"),
        ("minutes", "Minutes"),
        ("percent", "Per cent"),
        ("score", "Score"),
        ("weeks", "Weeks"),
    ],
};

/// Classes of organisations.
pub const ORG_CLASSES: &CodeList = &CodeList {
    name: "org_classes",
    label: "Classes of organisations",
    source: Board,
    codes: &[
        ("ccg", "Clinical commissioning group"),
        ("combined_authority", "Combined authority"),
        ("council", "Council"),
        ("housing", "Housing provider"),
        ("lco", "Local care organisation"),
        ("national_body", "National body"),
        ("nhs_england", "NHS England"),
        ("nhsi_office", "NHS Improvement office"),
        ("partnership_office", "Partnership office"),
        ("transport", "Transport provider"),
        ("trust", "NHS trust or foundation trust"),
        ("vcse", "Voluntary, community or social enterprise"),
    ],
};

/// Programmes that artefacts belong to.
pub const PROGRAMMES: &CodeList = &CodeList {
    name: "programmes",
    label: "Programmes",
    source: Board,
    codes: &[
        ("acute-standardisation", "Acute standardisation and collaboration"),
        ("children", "Children's health and wellbeing"),
        ("dementia-united", "Dementia United"),
        ("local-care", "Local care organisations"),
        ("mental-health", "Mental health"),
        ("population-health", "Population health"),
        ("urgent-emergency-care", "Urgent and emergency care"),
        ("workforce", "Workforce"),
    ],
};

/// How long artefacts are kept.
pub const RETENTION_CLASSES: &CodeList = &CodeList {
    name: "retention_classes",
    label: "Retention classes",
    source: Board,
    codes: &[
        ("agreement_end_6y", "Agreements: six years after their end"),
        ("background_4y", "Background papers: four years"),
        ("board_20y", "Board papers: twenty years"),
        ("decision_6y", "Records of decisions: six years"),
        ("operational_2y", "Operational records: two years"),
    ],
};

/// Services that are commissioned or helped out with.
pub const SERVICE_LINES: &CodeList = &CodeList {
    name: "service_lines",
    label: "Service lines",
    source: Board,
    codes: &[
        ("ambulance_divert", "Ambulance divert"),
        ("cancer", "Cancer"),
        ("community_beds", "Community beds"),
        ("critical_care", "Critical care"),
        ("dementia", "Dementia"),
        ("discharge", "Discharge from hospital"),
        ("emergency", "Emergency"),
        ("imaging", "Imaging"),
        ("learning_disabilities", "Learning disabilities"),
        ("maternity", "Maternity"),
        ("mental_health", "Mental health"),
        ("paediatrics", "Paediatrics"),
        ("respiratory", "Respiratory"),
        ("social_work", "Social work"),
        ("stroke", "Stroke"),
        ("vascular", "Vascular"),
    ],
};

/// Places.
pub const SITES: &CodeList = &CodeList {
    name: "sites",
    label: "Sites",
    source: Board,
    codes: &[
        ("fairfield-general", "Fairfield General Hospital"),
        ("north-manchester-general", "North Manchester General Hospital"),
        ("salford-royal", "Salford Royal"),
        ("stepping-hill", "Stepping Hill Hospital"),
    ],
};

/// Units of capacity.
pub const UNITS: &CodeList = &CodeList {
    name: "units",
    label: "Units of capacity",
    source: Schema,
    codes: &[
        ("WTE", "Whole-time equivalent"),
        ("bed", "Bed"),
        ("hour", "Hour"),
        ("item", "Item"),
        ("patient_per_day", "Patient a day"),
        ("session_4h", "Session of four hours"),
        ("shift", "Shift"),
    ],
};

impl CodeList {
    /// Whether a code is valid in this list.
    #[must_use]
    pub fn admits(&self, code: &str) -> bool {
        let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        match self.source {
            Schema => self.codes.iter().any(|(known, _)| *known == code),
            Board => matches!(code.len(), 1..=64) && code.bytes().all(plain),
        }
    }

    /// What people call the code, if it is in the list.
    #[must_use]
    pub fn label_of(&self, code: &str) -> Option<&'static str> {
        self.codes.iter().find(|(known, _)| *known == code).map(|(_, label)| *label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_codes_ascend_and_admit_their_own() {
        assert!(LISTS.is_sorted_by(|a, b| a.name < b.name));
        for list in LISTS {
            assert!(list.codes.is_sorted_by(|a, b| a.0 < b.0), "{}", list.name);
            assert!(list.codes.iter().all(|(code, _)| list.admits(code)), "{}", list.name);
        }
    }

    #[test]
    fn a_board_adds_codes_of_its_own_and_a_schema_does_not() {
        assert!(LOCALITIES.admits("glossop-north"));
        for bad in ["", "Wigan", "wigan 2", "wig\u{e4}n", &"w".repeat(65)] {
            assert!(!LOCALITIES.admits(bad), "{bad}");
        }
        assert!(UNITS.admits("shift") && !UNITS.admits("shifts"));
        assert_eq!(UNITS.label_of("bed"), Some("Bed"));
        assert_eq!(SITES.label_of("elsewhere"), None);
    }
}
