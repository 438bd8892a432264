//! Numbers in texts and events.

use super::{number::is_number, *};
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
        // A line's end as the space, with what a paste leaves around it.
        "Patient 943 476\n5919 waited.",
        "943 476\r\n5919",
        "943 476   \n\n   5919",
        "943\n476\n5919",
        "943\u{2028}4765919",
        "943 476\u{fffc}5919",
        "401 023 2137\n943 476\n5919\n12",
        "2017-12-04 943 476\n5919",
        // What nobody sees.
        "943\u{2060}476\u{200c}59\u{200d}19",
        "94\u{ad}3476\u{ad}5919",
        "9\u{feff}434\u{200b}\u{200b}\u{200b}\u{200b}765919\u{fe0f}",
        // All that looks like a dash, all that looks like a space.
        "943\u{2043}476\u{2043}5919",
        "943\u{2012}476\u{fe58}5919",
        "943\u{301c}476\u{2e3a}5919",
        "943\u{1680}476\u{2007}5919",
        "943\u{2002}-\u{2003}476 5919",
        // Thousands come by three.
        "£943 476 5919",
        "€943-476-5919",
        "£5 943 476 5919",
        "£ 943 476 5919",
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
        "943.476.5919, (943) 476 5919, 943_476_5919",
        "£943 476 591 in all",
        "£120,000,000 of £9434765919, £943476 5919 times",
        // Telephone numbers, one below the other, that would be numbers across the line's end.
        "01204 943476\n5919 496 0123",
        "01204 390 943\n476 5919",
        "01204 943 476\n5919 496 012",
        // Amounts, one below the other.
        "1200\n943\n476",
        "9434 765\n919",
        "RW3, 5F7, P84012, Y00912, 00W 01G",
        "entry-2345672345672345672345672345672345672345672345672345",
        "2017-12-04\n120\n2017-12-05\n300\n2017-12-06\n1200",
        "07700 900123, 020 7946 0123, 0161 496 0123",
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
