//! What an auditor is told of a bundle, with no node, no network and no key.
//!
//! | file | asks |
//! |---|---|
//! | `decided` | who decided what |
//! | `listed` | which entries there are, who had them, who is silent, what differs between two wordings |
//! | `compared` | whether two files of one board agree |
//! | `copied` | the same of a copied store |

mod compared;
mod copied;
pub(crate) mod decided;
mod listed;

use std::process::Output;

use serde_json::Value;

use crate::process::program;

/// Runs `audit` in an empty directory, without a home.
pub(crate) fn audit(args: &[&str]) -> Output {
    let empty = tempfile::tempdir().unwrap();
    let mut auditor = program();
    auditor.current_dir(empty.path()).arg("audit").args(args).output().unwrap()
}

/// The same for its JSON; ends with this exit code.
pub(crate) fn answer(code: i32, args: &[&str]) -> Value {
    let output = audit(&[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["exit_code"], code, "{args:?}: {answer}");
    answer
}

/// In words.
pub(super) fn words(code: i32, args: &[&str]) -> String {
    let output = audit(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
