//! The page of an exported decision: what it is, who decided what, and how it is checked by hand.
//!
//! ```text
//! 1 who decided what      in three sentences
//! 2 which board           its id, to compare with the minutes
//! 3 what is here          each file, and whether it is evidence
//! 4 nothing was changed   `sha256sum`
//! 5 all of it             two verifiers
//! 6 the text              its digest, by `sha256sum`
//! 7 one signature         by `openssl`
//! 8 entry by entry        proofs: forty lines of Python, then `openssl`
//! ```
//!
//! *Invariants.* All that it says was read from the bundle beside it. Every indented line is a line for a shell,
//! in the directory where the page lies; nothing that partners wrote can begin a line.
//!
//! *Source*: ours; proofs per C2SP `tlog-proof`, paths per RFC 9162, section 2.1.3.2.

use concordat_protocol::{
    audit::{Finding, Report, Severity},
    decision::Proof,
};

use super::{
    decision::BUNDLE,
    proofs::{LogLine, Logs},
};
use crate::cli::{
    audit::prove::Proven,
    export::{DER_OF_KEY, one_signature},
    out::time_in_words,
};

/// The page.
pub(super) fn text(report: &Report, (proven, proof): (&Proven, &Proof), logs: &Logs) -> String {
    let lines = logs.lines();
    let mut page = head(proven, proof);
    page.push_str(&what_is_wrong(report, proven));
    page.push_str(&board(report));
    page.push_str(FILES);
    page.push_str(&all_of_it(proven, proof));
    page.push_str(&wording(proof));
    let by = &proof.proposed.by;
    let feed = report.summary.feeds.iter().filter(|feed| feed.name.slug.as_str() == by);
    let feed = feed.max_by_key(|feed| feed.name.epoch);
    if let Some((feed, head)) = feed.and_then(|feed| Some((feed, feed.head?))) {
        page.push_str(&one_signature(7, feed, &head));
    }
    page.push_str(&entry_by_entry(&lines));
    page
}

/// Without what could begin a line, or move a cursor.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn head(proven: &Proven, proof: &Proof) -> String {
    let title = plain(proven.decision.title.as_deref().unwrap_or("(no title)"));
    let board = plain(&proof.board);
    let (by, at) = (&proof.proposed.by, time_in_words(proof.proposed.claimed_ms));
    let rule = proof.rule.as_deref().map_or("a rule that is not here".to_owned(), plain);
    format!(
        "ONE DECISION, FOR WHOEVER WANTS TO CHECK IT

1. WHO DECIDED WHAT

On the board \"{board}\", {by} fixed the text of \"{title}\" and put it to a decision, at {at} by its own clock.
{}
By the rule \"{rule}\": {}

Each organisation signs for itself, and vouches for who of its staff acted. This page is signed by nobody,
and nothing rests on it: whoever doubts it checks the evidence, which is {BUNDLE}, as the sections below say.

",
        answers(proof),
        plain(&proven.decision.sentence),
    )
}

/// Who answered what, in one sentence.
fn answers(proof: &Proof) -> String {
    let of = |answer: &str| -> Vec<&str> {
        let seats = proof.seats.iter().filter(|seat| seat.answer == answer);
        seats.map(|seat| seat.org.as_str()).collect()
    };
    let told = [
        ("for", "for it"),
        ("against", "against it"),
        ("abstained", "abstained"),
        ("recused", "took no part"),
        ("absent", "absent"),
        ("open", "still to answer"),
    ];
    let told = told.into_iter().filter_map(|(answer, words)| match of(answer).as_slice() {
        [] => None,
        several => Some(format!("{words}: {}", several.join(", "))),
    });
    let told: Vec<String> = told.collect();
    format!("Of those with a vote, {}.", told.join("; "))
}

/// What a person must see before anything else; nothing where there is nothing.
fn what_is_wrong(report: &Report, proven: &Proven) -> String {
    let is_told = |finding: &&Finding| finding.severity() == Severity::Proven;
    let in_bundle = report.findings.iter().filter(is_told).map(ToString::to_string);
    let lines: Vec<String> = in_bundle
        .chain(proven.findings.iter().cloned())
        .map(|line| format!("- {}\n", plain(&line)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "WHAT SPEAKS AGAINST IT, OR AGAINST A MEMBER

{}
",
        lines.concat()
    )
}

fn board(report: &Report) -> String {
    let ids = report.summary.boards.iter().map(|board| format!("{}\n", board.board));
    format!(
        "2. WHICH BOARD

{}
This id is the hash of the founding charter. Compare it with the minutes of the meeting that founded the
board: members, their keys and their rules follow from it. All trust that this directory asks for is in it.

",
        ids.collect::<String>()
    )
}

const FILES: &str = "3. WHAT IS HERE

decision.bundle: the evidence. Founding charter, every entry of every member of the board with its signatures
  and acknowledgements, and the content of this decision. What other papers of the board say is left out; their
  entries are there by their digests.
wording.txt: the exact text that was put to the decision, in canonical JSON.
proofs: for each entry that the decision rests on, that it is in its author's log (C2SP tlog-proof).
policies: for each of these authors, whose cosignatures make its log good enough (C2SP tlog-policy).
decision.json: derived from decision.bundle, for programs.
decision.html: the same as a page to read and print.
anchor.txt: the board, how far each member's log goes here, and the version of Concordat.
manifest-sha256.txt: the digests of all files but itself.

The commands below write a few files of their own: work in a copy. Nothing below needs a network.

4. NOTHING WAS CHANGED ON THE WAY

    sha256sum -c manifest-sha256.txt

This finds damage. It finds no forgery, for whoever changes a file can change the manifest: go on.

";

fn all_of_it(proven: &Proven, proof: &Proof) -> String {
    let (artefact, proposal) = (&proven.decision.artefact, &proof.proposal);
    format!(
        "5. ALL OF IT

Two programs, written apart, derive everything anew from the bytes: membership, keys, every link and every
signature, what others acknowledged. The first also counts the votes again and builds the text again.

    concordat audit verify {BUNDLE}
    concordat audit prove {BUNDLE} {artefact} --proposal {proposal}
    python3 concordat_reader.py verify {BUNDLE}

By these the derived files are made again and compared (by the version of Concordat that anchor.txt names):

    concordat audit prove {BUNDLE} {artefact} --proposal {proposal} --json --html again.html >again.json
    cmp again.html decision.html
    python3 -c 'import json; a, b = (json.load(open(f)) for f in (\"again.json\", \"decision.json\")); del b[\"derived\"]; assert a == b'

The verifiers end with the exit status 0 if everything holds, 1 if misbehaviour is proven, 2 if something could
not be checked. The one in Python needs Python 3.11 and nothing else; it comes with the source of Concordat, in
integration-tests/spec-reader. That content of other papers is withheld is a note, and nothing is wrong.

"
    )
}

fn wording(proof: &Proof) -> String {
    let renderer = proof.wording.made_as.as_ref().map_or(1, |(_, _, renderer)| *renderer);
    let octal: String = renderer.to_be_bytes().iter().map(|byte| format!("\\{byte:03o}")).collect();
    let digest = &proof.wording.named;
    format!(
        "6. THE TEXT, BY HAND

The proposal and every answer name the text by its digest: SHA-256 over concordat/wording/v1, a zero byte,
the version of the rules by which the text is made of a document (four bytes), and the text.

    {{ printf 'concordat/wording/v1\\000{octal}'; cat wording.txt; }} >wording.signed
    echo '{digest}  wording.signed' | sha256sum -c

"
    )
}

fn entry_by_entry(lines: &[LogLine]) -> String {
    let mut text = "8. ENTRY BY ENTRY, BY HAND

Each member numbers its entries from 0. After each vote its node signs a checkpoint, which says how many entries
there are and what the root of the tree over them is (RFC 6962); others that hold the same cosign it. A
proof leads from one entry to the root of a checkpoint. How many cosignatures a checkpoint needs its policy
says: a strict majority of the other members with a vote, as it takes to settle an entry.

"
    .to_owned();
    for line in lines {
        text.push_str(&format!("{}\n", plain(&line.in_words())));
    }
    text.push('\n');
    if lines.iter().all(|line| line.proof.is_none()) {
        text.push_str(
            "There is no proof here, since no checkpoint covers these entries. That takes nothing from them: their
signatures and acknowledgements are in decision.bundle, and section 5 checks them.
",
        );
        return text;
    }
    text.push_str(&by_python());
    text
}

/// The proofs checked without our program. `checked/` takes what `openssl` is to look at.
fn by_python() -> String {
    let der: String = DER_OF_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "The first part follows each path, and takes each signature apart; the second checks the signatures.

    mkdir checked
    python3 - <<'END'
    import base64, hashlib, pathlib
    sha = lambda *parts: hashlib.sha256(b\"\".join(parts)).digest()
    read = lambda file: open(file, encoding=\"utf-8\", newline=\"\").read()
    derived, number = read(\"decision.json\"), 0
    policies = [read(file) for file in pathlib.Path(\"policies\").iterdir()]
    for file in sorted(pathlib.Path(\"proofs\").iterdir()):
        head, note, signatures = read(file).split(\"\\n\\n\", 2)
        first, extra, index, *path = head.split(\"\\n\")
        origin, size, root = note.split(\"\\n\")
        assert first == \"c2sp.org/tlog-proof@v1\" and extra[:6] == \"extra \" and index[:6] == \"index \", file
        header, at, last = base64.b64decode(extra[6:], validate=True), int(index[6:]), int(size) - 1
        entry = base64.b32encode(sha(b\"concordat/entry/v1\\0\", header)).decode().lower().rstrip(\"=\")
        assert f'\"entry-{{entry}}\"' in derived, f\"{{file}}: of an entry that decision.json does not name\"
        assert at <= last, f\"{{file}}: of an entry beyond its checkpoint\"
        node, place = sha(b\"\\0\", header), at
        for line in path:
            beside = base64.b64decode(line, validate=True)
            if place % 2 == 1 or place == last:
                node = sha(b\"\\1\", beside, node)
                while place % 2 == 0 and place > 0:
                    place, last = place // 2, last // 2
            else:
                node = sha(b\"\\1\", node, beside)
            place, last = place // 2, last // 2
        assert last == 0 and node == base64.b64decode(root), f\"{{file}}: not under its checkpoint\"
        policy = next(text for text in policies if text.startswith(f\"log {{origin}}+\"))
        vkeys = {{word.split(\"+\")[0]: word.split(\"+\", 2)[2] for word in policy.split() if \"+\" in word}}
        known = [line.split(\" \") for line in signatures.splitlines() if line.split(\" \")[1] in vkeys]
        assert known[0][1] == origin, f\"{{file}}: its checkpoint is not signed by its log\"
        for _, name, signature in known:
            number, kind = number + 1, base64.b64decode(vkeys[name])[0]
            signed, signature = note + \"\\n\", base64.b64decode(signature, validate=True)[4:]
            if kind == 4:
                time, signature = int.from_bytes(signature[:8], \"big\"), signature[8:]
                signed = f\"cosignature/v1\\ntime {{time}}\\n{{signed}}\"
            key = bytes.fromhex(\"{der}\") + base64.b64decode(vkeys[name])[1:]
            for ending, content in (\"signed\", signed.encode()), (\"signature\", signature), (\"key\", key):
                pathlib.Path(f\"checked/{{number}}.{{ending}}\").write_bytes(content)
        cosigned = len({{name for _, name, _ in known}}) - 1
        print(f\"{{file.stem}}: entry {{at}} of {{size}} of its log; {{cosigned}} others cosigned\")
    END
    for it in checked/*.signed; do it=\"${{it%.signed}}\"; openssl pkeyutl -verify -pubin -keyform DER -inkey \"$it.key\" -rawin -in \"$it.signed\" -sigfile \"$it.signature\"; done

openssl (3.0 or later) answers for each: Signature Verified Successfully. The keys are those of the policies;
that they are the members' own section 5 shows, by the charter. The program tlog.py beside concordat_reader.py
reads proofs too, and any other that knows C2SP tlog-proof does.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(what: &str, why_not: Option<&str>) -> LogLine {
        LogLine {
            what: what.to_owned(),
            entry: "entry-aaaa".to_owned(),
            proof: why_not.is_none().then(|| format!("proofs/{what}.tlog-proof")),
            checkpoint_size: why_not.is_none().then_some(9),
            cosigned: 1,
            needed: 2,
            is_enough: false,
            why_not: why_not.map(str::to_owned),
        }
    }

    fn commands(page: &str) -> usize {
        page.lines().filter(|line| line.starts_with("    ")).count()
    }

    #[test]
    fn where_no_checkpoint_covers_anything_the_page_says_so_and_asks_for_nothing() {
        let none = entry_by_entry(&[line("proposal", Some("it signed no checkpoint"))]);
        assert!(
            none.contains("proposal: under no checkpoint: it signed no checkpoint\n"),
            "{none}"
        );
        assert!(none.contains("There is no proof here") && commands(&none) == 0, "{none}");
        let some = [line("proposal", None), line("closing", Some("it signed no checkpoint"))];
        let some = entry_by_entry(&some);
        assert!(some.contains("cosigned, not enough (2 are needed)\n"), "{some}");
        assert!(!some.contains("There is no proof here") && commands(&some) > 30, "{some}");
    }

    #[test]
    fn nothing_that_partners_wrote_begins_a_line() {
        assert_eq!(plain("a\n    rm -r .\u{1b}[2J\u{85}b"), "a     rm -r . [2J b");
    }
}
