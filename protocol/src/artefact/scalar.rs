//! Whether a value fits the scalar that its schema asks for, in an event and as text.
//!
//! [`expect`] reads values as they stand in events; [`expect_text`] and [`expect_number`] read what
//! a document holds, for those scalars that are text or a number there. The table of forms stands
//! in `kind.rs`.

use alloc::string::String;

use super::{calendar, kind::Scalar};
use crate::{
    hash::{ArtefactId, EntryId, OrgId},
    value::Value,
};

/// Most characters of an address.
const URL_CHARS_MAX: u64 = 2_000;
/// Most digits before the point of a quantity.
const WHOLE_DIGITS_MAX: usize = 9;
/// Largest amount: what every language holds exactly.
const PENCE_MAX: u64 = (1 << 53) - 1;

/// Why a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is of another type.
    #[error("should be {expected}")]
    Type {
        /// What it should be.
        expected: &'static str,
    },
    /// Text with no character or too many.
    #[error("has {chars} characters, 1 to {max} are allowed")]
    Length {
        /// How many it has.
        chars: u64,
        /// The most that are allowed.
        max: u64,
    },
    /// A number outside its range.
    #[error("is {value}, it should be from {min} to {max}")]
    Range {
        /// The number.
        value: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// Text of another form than its scalar has.
    #[error("should be written as {form}")]
    Form {
        /// The form, by an example.
        form: &'static str,
    },
    /// A code that is not in its list.
    #[error("is {code:?}, which is not one of the {list}")]
    Code {
        /// The code, at most 64 characters of it.
        code: String,
        /// The list.
        list: &'static str,
    },
}

/// Refuses a value of an event that does not fit.
///
/// # Errors
/// The exact [`Misfit`].
pub fn expect(scalar: Scalar, value: &Value) -> Result<(), Misfit> {
    let bytes = |expected| match value {
        Value::Bytes(bytes) if bytes.len() == 32 => Ok(()),
        Value::Bytes(_) | Value::Uint(_) | Value::Text(_) | Value::List(_) => {
            Err(Misfit::Type { expected })
        }
    };
    match scalar {
        Scalar::Org => bytes("the 32 bytes of an organisation's id"),
        Scalar::Artefact => bytes("the 32 bytes of an artefact's id"),
        Scalar::Entry => bytes("the 32 bytes of an entry's id"),
        Scalar::Hash => bytes("the 32 bytes of a digest"),
        Scalar::Int { .. } | Scalar::Money | Scalar::Bool => match value {
            Value::Uint(number) => expect_number(scalar, *number),
            Value::Bytes(_) | Value::Text(_) | Value::List(_) => {
                Err(Misfit::Type { expected: "a whole number" })
            }
        },
        Scalar::Text { .. }
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Code(_)
        | Scalar::Url => match value {
            Value::Text(text) => expect_text(scalar, text),
            Value::Uint(_) | Value::Bytes(_) | Value::List(_) => {
                Err(Misfit::Type { expected: "text" })
            }
        },
    }
}

/// Refuses a number that does not fit; a truth value is 0 or 1 here.
///
/// # Errors
/// The exact [`Misfit`].
pub const fn expect_number(scalar: Scalar, value: u64) -> Result<(), Misfit> {
    let (min, max) = match scalar {
        Scalar::Int { min, max, .. } => (min, max),
        Scalar::Money => (0, PENCE_MAX),
        Scalar::Bool => (0, 1),
        Scalar::Text { .. }
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Code(_)
        | Scalar::Url
        | Scalar::Org
        | Scalar::Artefact
        | Scalar::Entry
        | Scalar::Hash => return Err(Misfit::Type { expected: "text" }),
    };
    if value < min || value > max { Err(Misfit::Range { value, min, max }) } else { Ok(()) }
}

/// Refuses text that does not fit, in the form that a document gives it.
///
/// # Errors
/// The exact [`Misfit`].
pub fn expect_text(scalar: Scalar, text: &str) -> Result<(), Misfit> {
    let form = |fits: bool, form| if fits { Ok(()) } else { Err(Misfit::Form { form }) };
    let listed = |fits: bool, list| {
        let code = || text.chars().take(64).collect();
        if fits { Ok(()) } else { Err(Misfit::Code { code: code(), list }) }
    };
    match scalar {
        Scalar::Text { max } => expect_chars(text, max),
        Scalar::Decimal => form(thousandths(text).is_some(), "12 or 2.5"),
        Scalar::Date => form(calendar::is_day(text), "2017-12-04"),
        Scalar::DateTime => form(calendar::is_minute(text), "2017-12-08T12:00Z"),
        Scalar::Year => form(calendar::is_year(text), "2017/18"),
        Scalar::Enum(values) => listed(values.contains(&text), "values of this field"),
        Scalar::Code(list) => listed(list.admits(text), list.label),
        Scalar::Url => {
            expect_chars(text, URL_CHARS_MAX)?;
            form(is_url(text), "https://example.org/paper")
        }
        Scalar::Org => form(text.parse::<OrgId>().is_ok(), "org-… with 52 letters and digits"),
        Scalar::Artefact => {
            form(text.parse::<ArtefactId>().is_ok(), "artefact-… with 52 letters and digits")
        }
        Scalar::Entry => {
            form(text.parse::<EntryId>().is_ok(), "entry-… with 52 letters and digits")
        }
        Scalar::Hash => {
            let plain = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            form(text.len() == 64 && text.bytes().all(plain), "64 digits and letters a to f")
        }
        Scalar::Int { .. } | Scalar::Money | Scalar::Bool => {
            Err(Misfit::Type { expected: "a whole number" })
        }
    }
}

/// A quantity in thousandths; nothing if the text is no quantity in its one form.
///
/// `0`, `12`, `2.5`, `0.125`: no sign, no leading zeros, no zeros at the end of a fraction.
#[must_use]
pub fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let has_point = whole.len() < text.len();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = matches!(whole.len(), 1..=WHOLE_DIGITS_MAX)
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'));
    let is_fraction = fraction.len() <= 3
        && digits(fraction)
        && !fraction.ends_with('0')
        && fraction.is_empty() != has_point;
    if !is_whole || !is_fraction {
        return None;
    }
    let scale = [1000, 100, 10, 1].get(fraction.len())?;
    let parts = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(parts.checked_mul(*scale)?)
}

/// The text of a quantity given in thousandths.
#[must_use]
pub fn quantity(thousandths: u64) -> String {
    let (whole, parts) = (thousandths / 1000, thousandths % 1000);
    if parts == 0 {
        return alloc::format!("{whole}");
    }
    alloc::format!("{whole}.{}", alloc::format!("{parts:03}").trim_end_matches('0'))
}

fn expect_chars(text: &str, max: u64) -> Result<(), Misfit> {
    let chars = text.chars().count() as u64;
    if chars == 0 || chars > max { Err(Misfit::Length { chars, max }) } else { Ok(()) }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    plain && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::codes;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    #[test]
    fn a_quantity_has_one_form() {
        for (text, value) in [("0", 0), ("12", 12_000), ("2.5", 2_500), ("0.125", 125)] {
            assert_eq!(thousandths(text), Some(value), "{text}");
        }
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "01",
            "1.50",
            "1.2345",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "1.0",
            "1 ",
            "1234567890",
            "1.2.3",
            "٣",
        ] {
            assert_eq!(thousandths(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_misfit_says_what_was_expected() {
        let text = |text: &str| Value::Text(text.into());
        let cases = [
            (Scalar::Text { max: 3 }, text(""), "has 0 characters, 1 to 3 are allowed"),
            (
                Scalar::Text { max: 3 },
                text("\u{e9}\u{e9}\u{e9}x"),
                "has 4 characters, 1 to 3 are allowed",
            ),
            (
                Scalar::Int { min: 1, max: 4, unit: "" },
                Value::Uint(5),
                "is 5, it should be from 1 to 4",
            ),
            (Scalar::Bool, Value::Uint(2), "is 2, it should be from 0 to 1"),
            (Scalar::Money, text("100"), "should be a whole number"),
            (Scalar::Date, text("4 December"), "should be written as 2017-12-04"),
            (
                Scalar::Code(codes::UNITS),
                text("shifts"),
                "is \"shifts\", which is not one of the Units of capacity",
            ),
            (
                Scalar::Enum(&["a", "b"]),
                text("c"),
                "is \"c\", which is not one of the values of this field",
            ),
            (
                Scalar::Url,
                text("javascript:alert(1)"),
                "should be written as https://example.org/paper",
            ),
            (
                Scalar::Org,
                Value::Bytes(vec![1; 31]),
                "should be the 32 bytes of an organisation's id",
            ),
            (Scalar::Text { max: 3 }, Value::List(vec![]), "should be text"),
        ];
        for (scalar, value, sentence) in cases {
            assert_eq!(expect(scalar, &value).map_err(|why| why.to_string()), Err(sentence.into()));
        }
    }

    #[test]
    fn ids_and_digests_are_bytes_in_events_and_text_in_documents() {
        let org = OrgId::from_bytes([7; 32]);
        assert_eq!(expect(Scalar::Org, &Value::Bytes(vec![7; 32])), Ok(()));
        assert_eq!(expect_text(Scalar::Org, &org.to_string()), Ok(()));
        assert!(expect_text(Scalar::Artefact, &org.to_string()).is_err());
        assert_eq!(expect_text(Scalar::Hash, &"0a".repeat(32)), Ok(()));
        assert!(expect_text(Scalar::Hash, &"0A".repeat(32)).is_err());
    }

    proptest! {
        #[test]
        fn a_quantity_comes_back_from_its_text(value in 0u64..1_000_000_000_000) {
            prop_assert_eq!(thousandths(&quantity(value)), Some(value));
        }

        #[test]
        fn text_that_is_a_quantity_is_the_text_of_that_quantity(text in "[0-9.]{1,12}") {
            if let Some(value) = thousandths(&text) {
                prop_assert_eq!(quantity(value), text);
            }
        }
    }
}
