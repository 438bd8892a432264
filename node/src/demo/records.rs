//! What organisations keep to themselves: each a collection, a row in it, and words by which either would be known.
//!
//! *Invariants.* The collections are the examples that come with the program. Rows are illustrative, and are about no
//! person. No two organisations have words in common.
//!
//! *Source*: ours; domain, section 3.4.

/// What one organisation keeps.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) by: &'static str,
    pub(super) collection: &'static str,
    /// The file that says what it holds.
    pub(super) schema: &'static str,
    /// As CSV, with a heading.
    pub(super) rows: &'static str,
    /// What may never leave.
    pub(super) words: &'static [&'static str],
}

macro_rules! schema {
    ($name:literal) => {
        include_str!(concat!("../../../config/examples/collections/", $name, ".toml"))
    };
}

/// The row of the ledger from which something leaves in the end.
pub(super) const LINE: &str = "CAN-0417";

/// One of each of the five that take part at every size.
pub(super) const KEPT: &[Kept] = &[
    Kept {
        by: "ccg-trafford",
        collection: "ledger",
        schema: schema!("ledger"),
        rows: "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\n\
               CAN-0417,2017-11-30,Cancer diagnostics at weekends,Quillfeather Imaging (illustrative),\
               1846312.70,forecast,Walk away above two million\n",
        words: &[
            LINE,
            "Quillfeather Imaging",
            "Walk away above two million",
            "Ledger lines of joint schemes",
        ],
    },
    Kept {
        by: "tr-pennine-acute",
        collection: "beds",
        schema: schema!("beds"),
        rows: "day,site,ward_type,beds_open,beds_free,shifts_short,opel,is_diverting,outlook\n\
               2017-12-04,North Manchester General,acute,412,3,17.5,3,no,\
               Two wards may shut on Friday (illustrative)\n",
        words: &["Two wards may shut on Friday", "Beds and shifts of each site and day"],
    },
    Kept {
        by: "la-wigan",
        collection: "delays",
        schema: schema!("delays"),
        rows: "week_from,hospital,waiting,shifts_spare,why\n\
               2017-11-27,Royal Albert Edward Infirmary,31,4,Three care homes take nobody new (illustrative)\n",
        words: &["Three care homes take nobody new", "Transfers that wait in each week"],
    },
    Kept {
        by: "nhsi-gm",
        collection: "returns",
        schema: schema!("returns"),
        rows: "month,provider,surplus,segment,note\n\
               2017-10-01,tr-pennine-acute,-4210000.00,3,The recovery plan is not believed here (illustrative)\n",
        words: &["The recovery plan is not believed here", "Monthly returns of each provider"],
    },
    Kept {
        by: "gmhscp",
        collection: "forward-plan",
        schema: schema!("forward-plan"),
        rows: "business,meeting_on,lead_role,stage,note\n\
               One ambulance contract,2018-02-05,head of commissioning,idea,Sound out two councils first (illustrative)\n",
        words: &["Sound out two councils first", "Business that is meant to come before"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_the_row_or_in_the_file_of_their_owner_alone() {
        for kept in KEPT {
            for word in kept.words {
                let of = |kept: &&Kept| kept.rows.contains(word) || kept.schema.contains(word);
                let owners: Vec<&str> = KEPT.iter().filter(of).map(|kept| kept.by).collect();
                assert_eq!(owners, [kept.by], "{word}");
            }
            assert!(kept.words.iter().any(|word| kept.rows.contains(word)));
            assert!(kept.rows.contains("(illustrative)"));
        }
    }
}
