//! What a field may hold, and the one form in which a value is kept.
//!
//! ```text
//! type      may be written            is kept as     bounds
//! text      anything on lines         the same       max_length, in characters
//! integer   120, -3                   120            min, max
//! money     £1,200.50, 1200.50        1200.50        min, max, as text
//! pence     120050                    120050         min, max
//! decimal   12, 2.5                   2.5            min, max, as text
//! date      2017-12-04                the same       min, max, as text
//! boolean   yes, no, true, false      yes, no
//! choice    one of values             the same
//! ```
//!
//! Pounds are written with both digits of pence, so that 1200 is never taken for one or the other.
//!
//! *Invariants.* What is kept reads back as itself. A misfit never repeats what was written. Text,
//! integers and decimals that hold a valid NHS number fit nothing.
//!
//! *Source*: ours; domain, sections 1.6 and 2.0.

use std::{cmp::Ordering, fmt};

use concordat_protocol::artefact::guard::holds_number;
use jiff::civil::Date;

/// Longest text that a field may hold, in characters.
pub(super) const TEXT_CHARS_MAX: u64 = 10_000;
/// Digits after the point of a decimal.
const PLACES: usize = 6;
/// Digits before it.
const WHOLE_DIGITS: usize = 12;

/// What a field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Text {
        chars_max: u64,
    },
    Integer(Bounds<i64>),
    /// Pounds and pence; bounds in pence.
    Money(Bounds<i64>),
    Pence(Bounds<i64>),
    /// Bounds in millionths.
    Decimal(Bounds<i64>),
    Date(Bounds<Date>),
    Boolean,
    Choice(Vec<String>),
}

/// Both included; none means that there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds<T> {
    pub(super) min: Option<T>,
    pub(super) max: Option<T>,
}

impl<T: Ord> Bounds<T> {
    fn hold(&self, value: &T) -> bool {
        self.min.as_ref().is_none_or(|min| value >= min)
            && self.max.as_ref().is_none_or(|max| value <= max)
    }
}

/// Why a value does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Stable, for programs.
    pub code: &'static str,
    /// In words, without what was written.
    pub why: String,
}

impl Misfit {
    pub(super) fn new(code: &'static str, why: impl Into<String>) -> Self {
        Self { code, why: why.into() }
    }

    /// Something that looks like a patient's number.
    pub(super) fn patient() -> Self {
        let why =
            "holds a valid NHS number; take it out, nothing about a patient is kept in records";
        Self::new("patient-number", why)
    }
}

impl Form {
    /// The text as it is kept.
    ///
    /// # Errors
    /// - [`Misfit`]: it does not fit.
    pub(super) fn read(&self, text: &str) -> Result<String, Misfit> {
        let is_free = matches!(self, Self::Text { .. } | Self::Integer(_) | Self::Decimal(_));
        if is_free && holds_number(text) {
            return Err(Misfit::patient());
        }
        let kept = match self {
            Self::Text { chars_max } => return read_text(text, *chars_max),
            Self::Integer(bounds) | Self::Pence(bounds) => {
                whole(text).filter(|number| bounds.hold(number)).map(|number| number.to_string())
            }
            Self::Money(bounds) => pence(text).filter(|pence| bounds.hold(pence)).map(pounds),
            Self::Decimal(bounds) => {
                millionths(text).filter(|number| bounds.hold(number)).map(decimal)
            }
            Self::Date(bounds) => {
                date(text).filter(|date| bounds.hold(date)).map(|date| date.to_string())
            }
            Self::Boolean => boolean(text).map(str::to_owned),
            Self::Choice(values) => values.iter().find(|value| *value == text).cloned(),
        };
        kept.ok_or_else(|| Misfit::new("bad-value", format!("is not {self}")))
    }

    /// Which of two kept values comes first.
    pub(super) fn order(&self, one: &str, other: &str) -> Ordering {
        let by = |number: fn(&str) -> Option<i64>| number(one).cmp(&number(other));
        match self {
            Self::Integer(_) | Self::Pence(_) => by(whole),
            Self::Money(_) => by(pence),
            Self::Decimal(_) => by(millionths),
            Self::Text { .. } | Self::Date(_) | Self::Boolean | Self::Choice(_) => one.cmp(other),
        }
    }

    /// A kept amount in pence, if this is one.
    pub(super) fn in_pence(&self, kept: &str) -> Option<i64> {
        match self {
            Self::Money(_) => pence(kept),
            Self::Pence(_) => whole(kept),
            _ => None,
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { chars_max } => write!(formatter, "text of at most {chars_max} characters"),
            Self::Integer(bounds) => {
                write!(formatter, "a whole number{}", range(bounds, ToString::to_string))
            }
            Self::Money(bounds) => write!(
                formatter,
                "pounds and pence, as 1200.50{}",
                range(bounds, |pence| pounds(*pence))
            ),
            Self::Pence(bounds) => {
                write!(formatter, "a whole number of pence{}", range(bounds, ToString::to_string))
            }
            Self::Decimal(bounds) => {
                let range = range(bounds, |number| decimal(*number));
                write!(formatter, "a quantity with at most {PLACES} decimals, as 2.5{range}")
            }
            Self::Date(bounds) => {
                write!(formatter, "a day, as 2017-12-04{}", range(bounds, ToString::to_string))
            }
            Self::Boolean => formatter.write_str("yes or no"),
            Self::Choice(values) => write!(formatter, "one of {}", values.join(", ")),
        }
    }
}

fn range<T>(bounds: &Bounds<T>, in_words: impl Fn(&T) -> String) -> String {
    match (bounds.min.as_ref().map(&in_words), bounds.max.as_ref().map(&in_words)) {
        (None, None) => String::new(),
        (Some(min), None) => format!(", {min} or more"),
        (None, Some(max)) => format!(", {max} or less"),
        (Some(min), Some(max)) => format!(", from {min} to {max}"),
    }
}

fn read_text(text: &str, chars_max: u64) -> Result<String, Misfit> {
    if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
        return Err(Misfit::new("bad-value", "holds a control character"));
    }
    let chars = text.chars().count() as u64;
    if chars > chars_max {
        let why = format!("has {chars} characters, and may have {chars_max}");
        return Err(Misfit::new("too-long", why));
    }
    Ok(text.to_owned())
}

/// A whole number, without noughts or a plus before it.
pub(super) fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// Pounds with two digits of pence, in pence; thousands may be set apart.
pub(super) fn pence(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let text = text.strip_prefix('£').unwrap_or(text);
    let (pounds, pence) = text.split_once('.')?;
    let pounds = without_commas(pounds)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if pence.len() != 2 || !is_number(pence) || !is_number(&pounds) {
        return None;
    }
    let pounds: i64 = pounds.parse().ok()?;
    pounds.checked_mul(100)?.checked_add(pence.parse().ok()?)?.checked_mul(sign)
}

/// Commas only where they part thousands.
fn without_commas(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let is_grouped = rest.is_empty()
        || ((1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3));
    is_grouped.then(|| [first, &rest.concat()].concat())
}

/// Pence as pounds, as they are kept.
fn pounds(pence: i64) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    format!("{sign}{}.{:02}", pence / 100, pence % 100)
}

pub(super) fn millionths(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(whole, WHOLE_DIGITS) || !is_number(places, PLACES) {
        return None;
    }
    format!("{whole}{places:0<PLACES$}").parse::<i64>().ok()?.checked_mul(sign)
}

/// Millionths as they are kept: without noughts that say nothing.
fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, places) =
        (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    let text = format!("{sign}{whole}.{places:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn date(text: &str) -> Option<Date> {
    text.parse().ok().filter(|date: &Date| date.to_string() == text)
}

fn boolean(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some("yes"),
        "no" | "false" => Some("no"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Bounds<i64> = Bounds { min: None, max: None };

    fn kept(form: &Form, text: &str) -> Option<String> {
        form.read(text).ok()
    }

    #[test]
    fn a_value_is_kept_in_one_form_that_reads_back_as_itself() {
        let days = Form::Date(Bounds { min: None, max: None });
        let choice = Form::Choice(vec!["in".to_owned(), "out".to_owned()]);
        let table = [
            (Form::Integer(ANY), "-3", "-3"),
            (Form::Money(ANY), "£1,200.50", "1200.50"),
            (Form::Money(ANY), "-0.05", "-0.05"),
            (Form::Pence(ANY), "120050", "120050"),
            (Form::Decimal(ANY), "002.500", "2.5"),
            (Form::Decimal(ANY), "-0.5", "-0.5"),
            (days, "2017-12-04", "2017-12-04"),
            (Form::Boolean, "TRUE", "yes"),
            (choice, "out", "out"),
            (Form::Text { chars_max: 3 }, "a\né", "a\né"),
        ];
        for (form, text, expected) in table {
            assert_eq!(kept(&form, text).as_deref(), Some(expected), "{text}");
            assert_eq!(kept(&form, expected).as_deref(), Some(expected), "{expected}");
        }
    }

    #[test]
    fn what_could_mean_two_things_or_nothing_does_not_fit() {
        let days = Form::Date(Bounds { min: None, max: None });
        let table = [
            (Form::Integer(ANY), ["007", "+7", "7.0", "", "9223372036854775808"].as_slice()),
            (Form::Money(ANY), &["1200", "12,5", "12,50.00", "1.5", "£-1.00", "1.005", ".50"]),
            (Form::Decimal(ANY), &["1e3", "1.", ".5", "1.1234567", "1,5", "1234567890123"]),
            (days, &["2017-02-30", "04/12/2017", "2017-12-4", "20171204"]),
            (Form::Boolean, &["1", "y", ""]),
            (Form::Choice(vec!["in".to_owned()]), &["In", "", "in "]),
            (Form::Text { chars_max: 2 }, &["abc", "\u{1b}["]),
        ];
        for (form, texts) in table {
            for text in texts {
                assert!(form.read(text).is_err(), "{form}: {text}");
            }
            let misfit = form.read("zq7Zq").unwrap_err();
            assert!(!misfit.why.contains("zq7Zq"), "{}", misfit.why);
        }
    }

    #[test]
    fn bounds_hold_both_ends() {
        let form = Form::Money(Bounds { min: Some(-100), max: Some(10_000) });
        assert_eq!(kept(&form, "-1.00").as_deref(), Some("-1.00"));
        assert_eq!(kept(&form, "100.00").as_deref(), Some("100.00"));
        assert_eq!((kept(&form, "-1.01"), kept(&form, "100.01")), (None, None));
        assert_eq!(form.to_string(), "pounds and pence, as 1200.50, from -1.00 to 100.00");
    }

    #[test]
    fn values_order_by_what_they_mean() {
        assert_eq!(Form::Integer(ANY).order("9", "10"), Ordering::Less);
        assert_eq!(Form::Money(ANY).order("-2.00", "-10.00"), Ordering::Greater);
        assert_eq!(Form::Decimal(ANY).order("2.5", "2.05"), Ordering::Greater);
        assert_eq!(Form::Text { chars_max: 9 }.order("9", "10"), Ordering::Greater);
    }

    #[test]
    fn a_patients_number_fits_nothing_that_people_write() {
        let (text, number) = (Form::Text { chars_max: 99 }, "943 476 5919");
        let forms = [
            (text, number),
            (Form::Integer(ANY), "9434765919"),
            (Form::Decimal(ANY), "9434765919"),
        ];
        for (form, written) in forms {
            let misfit = form.read(written).unwrap_err();
            assert_eq!(misfit, Misfit::patient(), "{written}");
        }
        assert_eq!(kept(&Form::Money(ANY), "94347659.19").as_deref(), Some("94347659.19"));
    }
}
