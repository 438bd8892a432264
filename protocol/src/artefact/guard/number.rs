//! A patient's number in a text, however it is written.
//!
//! ```text
//! NHS number  d1 … d10, where (11 − (10·d1 + 9·d2 + … + 2·d9) mod 11) mod 11 = d10
//! digits      ASCII or full-width; invisible characters among them count for nothing
//! between     up to three spaces or dashes on a line, and line ends, block markers among them
//! refused     groups of 10, 3 3 4, 3 7 or 6 4 digits, also with other groups beside them;
//!             over a line's end, if nothing else stands beside them on their first and last line;
//!             ten digits in any other groups, if no further group stands beside them on their line
//! passed      more than ten digits in one group; an amount, one group after £, € or $ with nothing
//!             between, unless it begins 3 3 4; days (2017-12-04); what has dots, slashes, commas,
//!             brackets or underscores between its digits
//! ```
//!
//! Of ten digits that are no NHS number one in eleven passes the check all the same and is refused,
//! for example an amount in pence written into a text without £. Telephone numbers with all their
//! eleven digits, one on a line, financial years and Unix times in milliseconds have another count
//! of digits.
//!
//! Source: NHS Data Dictionary, "NHS NUMBER", modulus 11; Unicode 16, properties White_Space, Dash and
//! Default_Ignorable_Code_Point.

use alloc::vec::Vec;

/// Digits of an NHS number.
const DIGITS: usize = 10;
/// Most spaces and dashes on one line between two groups of one number.
const GAP_MAX: usize = 3;
/// As the NHS writes it.
const OFFICIAL: &[usize] = &[3, 3, 4];
/// Groups that are looked for beside other groups.
const USUAL: &[&[usize]] = &[&[10], OFFICIAL, &[3, 7], &[6, 4]];

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
    /// Whether it stands right after the sign of a currency. Then it is the first of its run.
    is_amount: bool,
    /// Whether its line ends before the next group.
    ends_line: bool,
    /// Whether something other than a few spaces, dashes and line ends follows.
    ends_run: bool,
}

/// The groups of digits in a text.
fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut before = None;
    // How many spaces and dashes stand between the last digit, or the line's beginning, and here.
    let mut gap = 0usize;
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        let goes_on = before.and_then(digit).is_some();
        match (digit(c), groups.last_mut()) {
            (Some(digit), Some(group)) if goes_on => group.digits.push(digit),
            (Some(digit), _) => {
                let is_amount = matches!(before, Some('£' | '€' | '$'));
                let digits = alloc::vec![digit];
                groups.push(Group { digits, is_amount, ends_line: false, ends_run: false });
                gap = 0;
            }
            (None, None) => {}
            (None, Some(group)) if ends_line(c) => {
                group.ends_line = true;
                gap = 0;
            }
            (None, Some(_)) if is_gap(c) && gap < GAP_MAX => gap = gap.saturating_add(1),
            (None, Some(group)) => group.ends_run = true,
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
    let rest = match run.split_first() {
        // Thousands come by three: 943 476 5919 is no amount.
        Some((first, _)) if first.is_amount && is_written_so(run, 0, OFFICIAL) => return true,
        Some((first, rest)) if first.is_amount => rest,
        Some(_) | None => run,
    };
    let is_usual = |shape: &&[usize]| (0..rest.len()).any(|at| is_written_so(rest, at, shape));
    let mut lines = rest.split_inclusive(|group| group.ends_line);
    USUAL.iter().any(is_usual) || lines.any(|line| is_number(&joined(line)))
}

/// Whether a number in groups of these lengths begins at a group.
fn is_written_so(run: &[Group], at: usize, shape: &[usize]) -> bool {
    let (before, from) = run.split_at(at.min(run.len()));
    let Some((groups, after)) = from.split_at_checked(shape.len()) else {
        return false;
    };
    let Some((last, first)) = groups.split_last() else {
        return false;
    };
    let is_on_one_line = || !first.iter().any(|group| group.ends_line);
    // Numbers of telephones one below the other are not read across their ends.
    let is_alone = || {
        let begins_line = before.last().is_none_or(|group| group.ends_line);
        begins_line && (after.is_empty() || last.ends_line)
    };
    let lengths = groups.iter().map(|group| group.digits.len());
    lengths.eq(shape.iter().copied())
        && (is_on_one_line() || is_alone())
        && is_number(&joined(groups))
}

fn joined(groups: &[Group]) -> Vec<u8> {
    groups.iter().flat_map(|group| group.digits.iter().copied()).collect()
}

/// Whether these digits are an NHS number.
pub(super) fn is_number(digits: &[u8]) -> bool {
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

/// Spaces (White_Space on a line) and dashes (Dash, and what looks like one).
const fn is_gap(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{3000}'
    ) || matches!(
        c,
        '-' | '\u{2d7}' | '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2053}'
                | '\u{207b}'
                | '\u{208b}'
                | '\u{2212}'
                | '\u{2796}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{2e40}'
                | '\u{2e5d}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{10d6e}'
                | '\u{10ead}'
    )
}

/// Line ends, and the marker with which a block of a text begins.
const fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{fffc}')
}

/// What nobody sees: Default_Ignorable_Code_Point, and control characters that are no space.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}'
            | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}
