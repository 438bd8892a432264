//! No patient's number in anything that is shared.
//!
//! ```text
//! NHS number  d1 … d10, where (11 − (10·d1 + 9·d2 + … + 2·d9) mod 11) mod 11 = d10
//! digits      ASCII or full-width; between two groups of them up to three spaces or dashes
//! refused     groups of 10, 3 3 4, 3 7 or 6 4 digits, also with other groups beside them;
//!             ten digits in any other groups, if no further group stands beside them
//! passed      more than ten digits in one group; amounts after £, € or $; days (2017-12-04)
//! ```
//!
//! Of ten digits that are no NHS number one in eleven passes the check all the same and is refused,
//! for example an amount in pence written into a text without £. Telephone numbers with all their
//! eleven digits, financial years and Unix times in milliseconds have another count of digits.
//! Amounts and numbers that a schema types as such are not text and are not looked at.
//!
//! Look at the text that an edit leaves behind, not at what was typed: digits come one by one. The
//! error names the field and never the number.
//!
//! Source: NHS Data Dictionary, "NHS NUMBER", modulus 11.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{events::Statement, kind::Scalar};
use crate::value::Value;

/// Digits of an NHS number.
const DIGITS: usize = 10;
/// Most spaces and dashes between two groups of one number.
const GAP_MAX: usize = 3;
/// Groups that are looked for beside other groups.
const USUAL: &[&[usize]] = &[&[10], &[3, 3, 4], &[3, 7], &[6, 4]];

/// Text that holds a patient's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} holds a valid NHS number; take it out, nothing about a patient is shared")]
pub struct PatientNumber {
    /// The field.
    pub field: String,
}

/// Refuses text with an NHS number in it.
///
/// # Errors
/// [`PatientNumber`], with the name of the field.
pub fn expect_none(field: &str, text: &str) -> Result<(), PatientNumber> {
    if holds_number(text) { Err(PatientNumber { field: field.to_string() }) } else { Ok(()) }
}

/// Refuses an event or a remark with an NHS number in any of its texts.
///
/// # Errors
/// [`PatientNumber`], with the names of the event and of its value.
pub fn expect_none_said(said: &Statement) -> Result<(), PatientNumber> {
    for (param, value) in said.given() {
        let Value::Text(text) = value else { continue };
        if is_free(param.scalar) && holds_number(text) {
            let field = alloc::format!("{}: {}", said.kind.name, param.name);
            return Err(PatientNumber { field });
        }
    }
    Ok(())
}

/// Whether people may write anything in such a value, so that it must be looked at.
#[must_use]
pub const fn is_free(scalar: Scalar) -> bool {
    match scalar {
        Scalar::Text { .. } | Scalar::Url | Scalar::Code(_) => true,
        Scalar::Int { .. }
        | Scalar::Money
        | Scalar::Bool
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Org
        | Scalar::Artefact
        | Scalar::Entry
        | Scalar::Hash => false,
    }
}

/// Whether the text holds a valid NHS number.
#[must_use]
pub fn holds_number(text: &str) -> bool {
    let groups = groups(text);
    let runs = groups.split_inclusive(|group| group.ends_run);
    runs.into_iter().flat_map(without_days).any(run_holds_number)
}

/// Digits without anything between them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    digits: Vec<u8>,
    /// Whether something other than a few spaces and dashes follows.
    ends_run: bool,
}

/// The groups of digits in a text, amounts of money left out.
fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut before = None;
    // How many spaces and dashes stand between the last digit and here.
    let mut gap = 0usize;
    let mut in_amount = false;
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            let goes_on = before.and_then(self::digit).is_some();
            in_amount =
                if goes_on { in_amount } else { matches!(before, Some('£' | '€' | '$')) };
            match groups.last_mut().filter(|_| goes_on) {
                Some(group) if !in_amount => group.digits.push(digit),
                None if !in_amount => {
                    groups.push(Group { digits: alloc::vec![digit], ends_run: false });
                }
                Some(_) | None => {}
            }
            gap = 0;
        } else if is_gap(c) && !in_amount && gap < GAP_MAX {
            gap = gap.saturating_add(1);
        } else if let Some(group) = groups.last_mut() {
            group.ends_run = true;
        }
        before = Some(c);
    }
    groups
}

/// The parts of a run before, between and after its days.
fn without_days(run: &[Group]) -> Vec<&[Group]> {
    let is_day = |groups: &[Group]| match groups {
        [a, b, c] => is_day_of(&a.digits, &b.digits, &c.digits),
        _ => false,
    };
    let Some(at) = run.windows(3).position(is_day) else {
        return alloc::vec![run];
    };
    let (before, from) = run.split_at(at);
    let mut parts = alloc::vec![before];
    parts.extend(without_days(from.get(3..).unwrap_or_default()));
    parts
}

fn is_day_of(first: &[u8], month: &[u8], last: &[u8]) -> bool {
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let shaped = year.len() == 4 && month.len() == 2 && day.len() == 2;
    shaped
        && (1900..2200).contains(&number(year))
        && (1..=12).contains(&number(month))
        && (1..=31).contains(&number(day))
}

fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |number, digit| u64::saturating_mul(number, 10).saturating_add(u64::from(*digit)))
}

fn run_holds_number(run: &[Group]) -> bool {
    let joined = |groups: &[Group]| -> Vec<u8> {
        groups.iter().flat_map(|group| group.digits.iter().copied()).collect()
    };
    let is_usual = |shape: &&[usize]| {
        run.windows(shape.len()).any(|groups| {
            let lengths = groups.iter().map(|group| group.digits.len());
            lengths.eq(shape.iter().copied()) && is_number(&joined(groups))
        })
    };
    let digits = run.iter().map(|group| group.digits.len()).sum::<usize>();
    USUAL.iter().any(is_usual) || (digits == DIGITS && is_number(&joined(run)))
}

/// Whether these digits are an NHS number.
fn is_number(digits: &[u8]) -> bool {
    let Some((last, first)) = digits.split_last() else {
        return false;
    };
    let weights = (2u64..=10).rev();
    let sum: u64 =
        first.iter().zip(weights).map(|(digit, weight)| u64::from(*digit) * weight).sum();
    digits.len() == DIGITS && (11 - sum % 11) % 11 == u64::from(*last)
}

fn digit(c: char) -> Option<u8> {
    let plain = match c {
        '\u{ff10}'..='\u{ff19}' => u32::from(c) - 0xff10,
        _ => c.to_digit(10)?,
    };
    u8::try_from(plain).ok()
}

const fn is_gap(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '-' | '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200b}' | '\u{2010}'..='\u{2015}'
            | '\u{202f}' | '\u{205f}' | '\u{2212}' | '\u{3000}' | '\u{fe58}' | '\u{fe63}' | '\u{feff}' | '\u{ff0d}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::kinds::MUTUAL_AID;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for text in [
            "9434765919",
            "943 476 5919",
            "943-476-5919",
            "NHS no. 943\u{a0}476\u{a0}5919.",
            "943\u{2013}476\u{2013}5919",
            "943 - 476 - 5919",
            "９４３ ４７６ ５９１９",
            "943 4765919",
            "943476 5919",
            "9 4 3 4 7 6 5 9 1 9",
            "94 34 76 59 19",
            "patient9434765919x",
            "12 943 476 5919 34",
            "ring 0161 or 9434765919,9434765919",
            "seen 2017-12-04 9434765919",
            "401\n943 476 5919",
            "https://example.org/p?id=9434765919",
        ] {
            assert!(holds_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_pass() {
        for text in [
            "",
            "9434765918",
            "99434765919",
            "94347659190",
            "943 476 59 19 1234",
            "£9434765919",
            "£300000000 in pence",
            "0161 496 0123 and 01204 390390",
            "2017-12-04 10:30 to 2017-12-04 14:05",
            "04-12-2017 10",
            "2017/18, 2018/19",
            "1512345600000",
            "943,476,5919",
            "943 \u{2026} 476 5919",
            "943    4765919",
            "9434/765919",
        ] {
            assert!(!holds_number(text), "{text}");
        }
    }

    #[test]
    fn one_in_eleven_of_ten_digits_passes_the_check() {
        let valid = (0..1_000_000u64).filter(|tail| {
            let text = alloc::format!("4000{tail:06}");
            is_number(&text.bytes().map(|byte| byte - b'0').collect::<Vec<_>>())
        });
        assert_eq!(valid.count(), 90_909);
    }

    #[test]
    fn the_error_names_the_field_and_not_the_number() {
        let values = alloc::vec![Value::Text("for 943 476 5919".into())];
        let said = Statement::new(MUTUAL_AID.event("withdraw").unwrap(), values).unwrap();
        let sentence = expect_none_said(&said).unwrap_err().to_string();
        assert_eq!(
            sentence,
            "withdraw: reason holds a valid NHS number; take it out, nothing about a patient is shared"
        );
        assert_eq!(expect_none("note", "943 476 5918"), Ok(()));
        let why = expect_none("note", "9434765919");
        assert_eq!(why, Err(PatientNumber { field: "note".into() }));
    }

    /// Nine digits and the one that makes them valid, if there is one.
    fn valid(first: u64) -> Option<String> {
        let number =
            |text: &String| is_number(&text.bytes().map(|byte| byte - b'0').collect::<Vec<_>>());
        (0..10).map(|last| alloc::format!("{first:09}{last}")).find(number)
    }

    proptest! {
        #[test]
        fn any_valid_number_is_found_among_words(
            first in 0u64..1_000_000_000,
            before in "[a-zA-Z,.:; ]{0,12}[a-z.,:;]",
            after in "[a-z.,:;][a-zA-Z,.:; ]{0,12}",
            gap in "[ \u{a0}\u{2013}-]{0,3}",
        ) {
            let Some(number) = valid(first) else { return Ok(()) };
            let parts = [&number[..3], &number[3..6], &number[6..]].join(&gap);
            let text = alloc::format!("{before}{parts}{after}");
            prop_assert!(holds_number(&text), "{}", text);
            let wide: String = parts.chars().map(|c| match c.to_digit(10) {
                Some(digit) => char::from_u32(0xff10 + digit).unwrap(),
                None => c,
            }).collect();
            prop_assert!(holds_number(&wide), "{}", wide);
        }

        #[test]
        fn a_changed_digit_makes_it_invalid(
            first in 0u64..1_000_000_000,
            at in 0usize..10,
            by in 1u8..10,
        ) {
            let Some(number) = valid(first) else { return Ok(()) };
            let mut bytes = number.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert!(!holds_number(core::str::from_utf8(&bytes).unwrap()));
        }

        #[test]
        fn longer_digits_hold_none(digits in "[0-9]{11,20}") {
            prop_assert!(!holds_number(&digits));
        }

        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC{0,200}") {
            let _ = holds_number(&text);
        }
    }
}
