//! Rows for spreadsheets.
//!
//! *Source*: RFC 4180; the OWASP notes on CSV injection.

use super::error::CliError;

/// One line of CSV, with its end.
pub(super) fn csv_line(cells: &[&str]) -> Result<Vec<u8>, CliError> {
    let terminator = csv::Terminator::CRLF;
    let mut line = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
    line.write_record(cells).map_err(|error| CliError::Output(error.into()))?;
    line.into_inner().map_err(|error| CliError::Output(error.into_error()))
}

/// A cell that no spreadsheet takes for a formula, for a table that nobody imports again.
pub(super) fn guarded(cell: &str) -> String {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
        }
        assert_eq!(guarded("a=1"), "a=1");
        assert_eq!(guarded(""), "");
        assert_eq!(csv_line(&["a,b", "c\"d"]).unwrap(), b"\"a,b\",\"c\"\"d\"\r\n");
    }
}
