//! One value as a document holds it, and whether it fits its field.
//!
//! ```text
//! Automerge text     ◀──▶ Atom::Text     everything but the two below; `kind.rs` has the table
//! Automerge integer  ◀──▶ Atom::Int      Int, Money
//! Automerge boolean  ◀──▶ Atom::Bool     Bool
//! everything else    ──▶  invalid        floats, counters, dates of Automerge, null, objects
//! ```
//!
//! A value is tested before our own staff's edit is signed. A foreign value that does not fit is
//! shown as invalid and refuses nothing.
//!
//! Knows nothing of where a value stands.

use alloc::string::{String, ToString};
use core::fmt;

use automerge::{ScalarValue, ScalarValueRef, ValueRef};

use crate::artefact::{
    kind::Scalar,
    scalar::{Misfit, expect_number, expect_text},
};

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom {
    /// Text, and everything that is written as text.
    Text(String),
    /// An integer.
    Int(i64),
    /// Yes or no.
    Bool(bool),
}

impl Atom {
    /// What a document holds for this value.
    pub(in crate::artefact) fn to_automerge(&self) -> ScalarValue {
        match self {
            Self::Text(text) => ScalarValue::Str(text.as_str().into()),
            Self::Int(number) => ScalarValue::Int(*number),
            Self::Bool(is) => ScalarValue::Boolean(*is),
        }
    }

    /// The value that a document holds; `None` for what no field of ours is made of.
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is invalid, by the table")]
    pub(in crate::artefact) fn of_automerge(value: &ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Scalar(ScalarValueRef::Str(text)) => Some(Self::Text(text.to_string())),
            ValueRef::Scalar(ScalarValueRef::Int(number)) => Some(Self::Int(*number)),
            ValueRef::Scalar(ScalarValueRef::Uint(number)) => {
                i64::try_from(*number).ok().map(Self::Int)
            }
            ValueRef::Scalar(ScalarValueRef::Boolean(is)) => Some(Self::Bool(*is)),
            _ => None,
        }
    }

    /// The key of this value in a set.
    #[must_use]
    pub fn to_key(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Bool(is) => is.to_string(),
        }
    }

    /// The value of a set whose key this is.
    #[must_use]
    pub fn of_key(scalar: Scalar, key: &str) -> Self {
        let other = || Self::Text(key.to_string());
        match scalar {
            Scalar::Int { .. } | Scalar::Money => key
                .parse()
                .ok()
                .map(Self::Int)
                .filter(|it| it.to_key() == key)
                .unwrap_or_else(other),
            Scalar::Bool => key.parse().map_or_else(|_| other(), Self::Bool),
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
            | Scalar::Hash => other(),
        }
    }

    /// Whether the value fits a field of this type.
    ///
    /// # Errors
    /// The exact [`Misfit`].
    pub fn expect_fits(&self, scalar: Scalar) -> Result<(), Misfit> {
        match (scalar, self) {
            (Scalar::Bool, Self::Bool(_)) => Ok(()),
            (Scalar::Bool, Self::Text(_) | Self::Int(_)) => {
                Err(Misfit::Type { expected: "true or false" })
            }
            (Scalar::Int { .. } | Scalar::Money, Self::Int(number)) => {
                let expected = "a whole number from 0 on";
                let number = u64::try_from(*number).map_err(|_| Misfit::Type { expected })?;
                expect_number(scalar, number)
            }
            (_, Self::Text(text)) => expect_text(scalar, text),
            (Scalar::Int { .. } | Scalar::Money, Self::Bool(_)) => {
                Err(Misfit::Type { expected: "a whole number" })
            }
            (_, Self::Int(_) | Self::Bool(_)) => Err(Misfit::Type { expected: "text" }),
        }
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_a_field_of_its_own_type_alone() {
        let weeks = Scalar::Int { min: 1, max: 52, unit: "weeks" };
        let fits = |atom: &Atom, scalar| atom.expect_fits(scalar).is_ok();
        let (text, number, yes) = (Atom::Text("2017-12-04".into()), Atom::Int(5), Atom::Bool(true));
        assert_eq!(
            [Scalar::Date, weeks, Scalar::Bool].map(|it| fits(&text, it)),
            [true, false, false]
        );
        assert_eq!(
            [Scalar::Date, weeks, Scalar::Bool].map(|it| fits(&number, it)),
            [false, true, false]
        );
        assert_eq!(
            [Scalar::Date, weeks, Scalar::Bool].map(|it| fits(&yes, it)),
            [false, false, true]
        );
        let range = Misfit::Range { value: 53, min: 1, max: 52 };
        assert_eq!(Atom::Int(53).expect_fits(weeks), Err(range));
        let expected = "a whole number from 0 on";
        assert_eq!(Atom::Int(-1).expect_fits(Scalar::Money), Err(Misfit::Type { expected }));
    }

    #[test]
    fn a_key_of_a_set_gives_its_value_back() {
        let count = Scalar::Int { min: 0, max: 9, unit: "" };
        for (scalar, atom) in [
            (count, Atom::Int(4)),
            (Scalar::Bool, Atom::Bool(false)),
            (Scalar::Date, Atom::Text("2017-12-04".into())),
        ] {
            assert_eq!(Atom::of_key(scalar, &atom.to_key()), atom);
        }
        assert_eq!(Atom::of_key(count, "04"), Atom::Text("04".into()));
    }
}
