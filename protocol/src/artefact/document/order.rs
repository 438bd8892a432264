//! The place of an item among others, as a text between two texts.
//!
//! ```text
//! digits 0 to 9, a to z; texts compare as fractions        "h"  <  "hi"  <  "i"
//! between("", none) = "i"    between("i", none) = "r"     between("h", "i") = "hi"
//! ```
//!
//! Cosmetic: two places chosen at once may be equal, then ids decide; texts from elsewhere may be no
//! places at all, then the new one stands somewhere. No text we make ends in 0.

use alloc::{string::String, vec::Vec};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A place after `low` and, if there is one, before `high`.
pub(in crate::artefact) fn between(low: &str, high: Option<&str>) -> String {
    let low: Vec<usize> = low.bytes().map(digit).collect();
    let high: Option<Vec<usize>> = high.map(|high| high.bytes().map(digit).collect());
    let mut made = Vec::new();
    // Until a digit of ours has fallen below that of `high`, it bounds the digits that follow.
    let mut bound = high.as_deref();
    let mut place = 0usize;
    loop {
        let least = low.get(place).copied().unwrap_or(0);
        let most = bound.map_or(DIGITS.len(), |high| high.get(place).copied().unwrap_or(0));
        let middle = usize::midpoint(least, most);
        if middle > least {
            made.push(middle);
            break;
        }
        made.push(least);
        if most > least {
            bound = None;
        }
        place = place.saturating_add(1);
        if place > low.len().saturating_add(high.as_ref().map_or(0, Vec::len)) {
            // No place between them, as the two are equal or no places of ours.
            made.push(DIGITS.len() / 2);
            break;
        }
    }
    made.into_iter().filter_map(|digit| DIGITS.get(digit)).map(|byte| char::from(*byte)).collect()
}

fn digit(byte: u8) -> usize {
    DIGITS.iter().position(|known| *known == byte).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn there_is_always_a_place_between_two_places() {
        assert_eq!(between("", None), "i");
        assert_eq!(between("i", None), "r");
        assert_eq!(between("h", Some("i")), "hi");
        let (mut low, high) = (String::from("h"), String::from("i"));
        for _ in 0..200 {
            let next = between(&low, Some(&high));
            assert!(low < next && next < high, "{low} {next} {high}");
            low = next;
        }
        let mut first = between("", None);
        for _ in 0..200 {
            let next = between("", Some(&first));
            assert!(next < first && !next.ends_with('0'), "{next} {first}");
            first = next;
        }
    }

    proptest! {
        #[test]
        fn places_made_of_places_stand_in_order(choices in proptest::collection::vec(any::<usize>(), 1..80)) {
            let mut places: Vec<String> = Vec::new();
            for choice in choices {
                let at = choice % (places.len() + 1);
                let low = at.checked_sub(1).map_or("", |at| places[at].as_str());
                let made = between(low, places.get(at).map(String::as_str));
                places.insert(at, made);
            }
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
        }

        #[test]
        fn any_texts_give_some_place(low in ".{0,6}", high in proptest::option::of(".{0,6}")) {
            prop_assert!(!between(&low, high.as_deref()).is_empty());
        }
    }
}
