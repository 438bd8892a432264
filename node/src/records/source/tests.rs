//! Files that are right, and every way in which one can be wrong.

use std::{io::BufReader, path::Path};

use super::*;

const LEDGER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/collections/ledger.toml");
const HEADING: &str = "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\n";

fn ledger() -> Collection {
    Collection::load(Path::new(LEDGER)).unwrap()
}

/// Line by line.
type Told = Vec<(u64, Result<String, Vec<String>>)>;

/// What each line came to: its number, and its id or its faults.
fn read(layout: Layout, text: &[u8]) -> Result<Told, String> {
    let ledger = ledger();
    let told = |error: SourceError| error.to_string();
    let mut source = Source::open(&ledger, layout, BufReader::new(text)).map_err(told)?;
    let mut lines = vec![];
    while let Some(line) = source.next_line().map_err(told)? {
        let fault = |fault: &Fault| {
            let column = fault.column.clone().unwrap_or_default();
            format!("{column} {} {:?}", fault.code, line.found(fault))
        };
        let row = line.row.as_ref().map(|row| row.id.clone());
        lines.push((line.number, row.map_err(|faults| faults.iter().map(fault).collect())));
    }
    Ok(lines)
}

fn csv(rows: &str) -> Told {
    read(Layout::Csv, format!("{HEADING}{rows}").as_bytes()).unwrap()
}

fn bad(faults: &[&str]) -> Result<String, Vec<String>> {
    Err(faults.iter().map(|fault| (*fault).to_owned()).collect())
}

#[test]
fn rows_of_csv_are_told_by_the_line_on_which_they_begin() {
    let rows = "1,2017-11-30,Beds,,1.00,paid,\"two\nlines, \"\"quoted\"\"\"\r\n\
                2,2017-11-30,Beds,,\"1,000.00\",paid,\r\n\r\n\n\
                3,30/11/2017,Beds,,\"12,5\",paid,\n\
                4,2017-11-30,,,1.00,lost,x\n";
    let expected = [
        (2, Ok("1".to_owned())),
        (4, Ok("2".to_owned())),
        (
            7,
            bad(&[
                "Posted on bad-value Some(\"30/11/2017\")",
                "Amount (£) bad-value Some(\"12,5\")",
            ]),
        ),
        (8, bad(&["Scheme missing None", "Status bad-value Some(\"lost\")"])),
    ];
    assert_eq!(csv(rows), expected);
}

#[test]
fn a_row_with_too_few_cells_or_other_bytes_spoils_no_other() {
    let mut file = format!("{HEADING}1,2017-11-30,Beds\n").into_bytes();
    file.extend(b"2,2017-11-30,B\xe9ds,,1.00,paid,\n3,2017-11-30,Beds,,1.00,paid,\n");
    let expected = [
        (2, bad(&[" bad-row None"])),
        (3, bad(&["Scheme not-utf8 None"])),
        (4, Ok("3".to_owned())),
    ];
    assert_eq!(read(Layout::Csv, &file).unwrap(), expected);
}

#[test]
fn a_heading_is_the_collections_in_any_order() {
    let turned = "\u{feff}Status,Note,Line,Posted on,Scheme,Supplier,Amount (£)\n\
                  paid,,1,2017-11-30,Beds,,1.00";
    assert_eq!(read(Layout::Csv, turned.as_bytes()).unwrap(), [(2, Ok("1".to_owned()))]);
    let wrong = [
        (HEADING.replace("Note", "Remark"), "\"Remark\" is none; the columns are Line, "),
        (HEADING.replace(",Note", ""), "\"Note\" is missing"),
        (HEADING.replace("Note", "Line"), "\"Line\" stands there twice"),
        (HEADING.replace("Note", "943 476 5919"), "one of them is none"),
        (String::new(), "\"Line\" is missing"),
    ];
    for (heading, expected) in wrong {
        let told = read(Layout::Csv, heading.as_bytes()).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_row_without_end_is_refused_before_it_is_in_memory() {
    let endless = format!("{HEADING}1,2017-11-30,Beds,,1.00,paid,\"").into_bytes();
    let endless = endless.into_iter().chain(std::iter::repeat_n(b'x', 3 * ROW_BYTES_MAX));
    let told = read(Layout::Csv, &endless.collect::<Vec<u8>>()).unwrap_err();
    assert!(told.starts_with("line 2: a row has more than"), "{told}");
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(2 * ROW_BYTES_MAX));
    let told = read(Layout::JsonLines, long.as_bytes()).unwrap_err();
    assert!(told.starts_with("line 1: a row has more than"), "{told}");
}

#[test]
fn what_is_found_is_not_told_of_a_patients_number_and_never_at_length() {
    let long = "x".repeat(60);
    let rows = format!(
        "1,2017-11-30,Beds,943 476 5919,1.00,paid,\n2,2017-11-30,Beds,,{long},943 476 5919,\n"
    );
    let expected = [
        (2, bad(&["Supplier patient-number None"])),
        (
            3,
            bad(&[
                &format!("Amount (£) bad-value Some(\"{}…\")", &long[..TOLD_CHARS_MAX]),
                "Status bad-value None",
            ]),
        ),
    ];
    assert_eq!(csv(&rows), expected);
}

#[test]
fn rows_of_json_lines_are_objects_of_texts() {
    let good = |line: &str| {
        format!(
            "{{\"line\":{line},\"posted_on\":\"2017-11-30\",\"scheme\":\"Beds\",\
             \"amount\":\"1.00\",\"status\":\"paid\",\"note\":null}}"
        )
    };
    let text = [
        good("\"1\""),
        String::new(),
        "[]".to_owned(),
        good("1"),
        good("\"2\"").replace("\"1.00\"", "1.5"),
        good("\"3\"").replace("\"note\":null", "\"line\":\"4\""),
        good("\"5\"").replace("note", "remark"),
        good("\"6\""),
    ];
    let expected = [
        (1, Ok("1".to_owned())),
        (3, bad(&[" bad-row None"])),
        (4, bad(&["Line bad-value None"])),
        (5, bad(&["Amount (£) bad-value None"])),
        (6, bad(&[" bad-row None"])),
        (7, bad(&[" unknown-field None"])),
        (8, Ok("6".to_owned())),
    ];
    assert_eq!(read(Layout::JsonLines, text.join("\n").as_bytes()).unwrap(), expected);
}
