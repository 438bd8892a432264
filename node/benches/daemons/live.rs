//! An edit at one daemon until it is durable there and the other tells its own people of it, which it does
//! when it is durable with it too; one at a time, at most one in 10 ms, of a hundred artefacts in
//! turn and of one that gets all of them. Beside it, what an fsync takes.

use std::{
    fs::File,
    io::Write,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use concordat_node::control::{self, Act, Answer, Deed, Edit, Reply, Request, Word};

use serde_json::Value;

use crate::{http::Client, process::Node};

const EDITS: usize = 300;
const PACE: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(30);
const FSYNCS: usize = 200;

pub(crate) fn measure([editor, other]: [&Node; 2], artefacts: &[String]) {
    let client = Client::of(other);
    let events = client.with_role(other, "viewer").listen(None);
    let (seen, sees) = mpsc::channel();
    thread::spawn(move || {
        let mut events = events;
        while let Some((name, _, what)) = events.next_or_end() {
            if name == "artefact" && seen.send((Instant::now(), what["artefact"].clone())).is_err()
            {
                return;
            }
        }
    });
    println!("\nlive edits, one at a time: median and 99 of 100, ms");
    line("limit: one fsync of 4 KiB", &mut fsyncs(editor));
    for (what, artefacts) in [("in turn", artefacts), ("one alone", &artefacts[..1])] {
        let (mut own, mut both) = series(editor, &sees, artefacts);
        line(&format!("{what}: durable with its author"), &mut own);
        line(&format!("{what}: durable with both, and told"), &mut both);
    }
}

/// What each edit takes until it is durable with its author, and with both.
fn series(
    editor: &Node,
    sees: &Receiver<(Instant, Value)>,
    artefacts: &[String],
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut own, mut both) = (vec![], vec![]);
    for (number, artefact) in (0..EDITS).zip(artefacts.iter().cycle()) {
        let start = Instant::now();
        edit(editor, artefact);
        own.push(start.elapsed());
        loop {
            let (at, what) = sees.recv_timeout(PATIENCE).unwrap();
            if what == artefact.as_str() {
                both.push(at.saturating_duration_since(start).max(own[number]));
                break;
            }
        }
        thread::sleep(PACE.saturating_sub(start.elapsed()));
    }
    (own, both)
}

fn edit(node: &Node, artefact: &str) {
    let at = "reasons".to_owned();
    let edit = Edit::Splice { at, position: Some(0), delete: 0, insert: "Edited. ".to_owned() };
    let deed = Deed::Edit { artefact: artefact.to_owned(), edits: vec![edit] };
    let act = Act { role: None, word: Word::CommandLine, deed };
    let reply = control::ask(&node.home().join("control.sock"), &Request::Act(act)).unwrap();
    assert!(matches!(reply, Some(Reply::Done(Answer::Acted(_)))), "{reply:?}");
}

/// Where the store is.
fn fsyncs(node: &Node) -> Vec<Duration> {
    let mut file = File::create(node.home().join("fsync")).unwrap();
    let mut once = || {
        let start = Instant::now();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_all().unwrap();
        start.elapsed()
    };
    (0..FSYNCS).map(|_| once()).collect()
}

fn line(what: &str, took: &mut [Duration]) {
    took.sort_unstable();
    let ms = |of: usize| took[(took.len() - 1) * of / 100].as_secs_f64() * 1e3;
    println!("  {what:<38} {:>7.2} {:>7.2}", ms(50), ms(99));
}
