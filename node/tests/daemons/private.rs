//! Acceptance scenario 15: what is private stays private, byte by byte, and of a promotion only what was
//! promoted leaves.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::{Value, json};

use crate::{
    artefacts::{RULES, TOP, act, show},
    http::Client,
    lines, notes,
    partnership::Partnership,
    process::{Node, refused, until},
};

/// A collection of which names, title, and values are found nowhere else.
const COLLECTION: &str = r#"
title = "Zqtitle of the ledger"
holds = "Zqpurpose of the ledger"
key = ["zqline"]

[[fields]]
name = "zqline"
type = "text"
required = true

[[fields]]
name = "zqscheme"
type = "text"
required = true

[[fields]]
name = "zqsupplier"
column = "Zqsupplier's name"
type = "text"
required = true

[[fields]]
name = "zqamount"
type = "money"
required = true

[[fields]]
name = "zqpence"
type = "pence"
required = true

[[fields]]
name = "zqunits"
type = "integer"
required = true

[[fields]]
name = "zqquantity"
type = "decimal"
required = true

[[fields]]
name = "zqday"
type = "date"
required = true

[[fields]]
name = "zqstatus"
type = "choice"
values = ["zqcommitted", "zqpaid"]
required = true

[[promote]]
field = "zqamount"
kind = "decision"
to = "finance/total_pence"

[[promote]]
field = "zqscheme"
kind = "decision"
to = "summary"
"#;

const HEADING: &str =
    "zqline,zqscheme,Zqsupplier's name,zqamount,zqpence,zqunits,zqquantity,zqday,zqstatus\n";
const ROW: &str = "ZQL-771944,Zqréblochon winter beds,\"Zqquokka \"\"Söhne\"\" & Co\",\
                   731846299.91,915372846193,481516234299,31415926.535897,2731-09-23,zqcommitted\n";

/// What may leave when it is promoted, in every form that it may have.
const PROMOTED: [&str; 3] = ["Zqréblochon winter beds", "731846299.91", "73184629991"];
/// What may never leave.
const PRIVATE: [&str; 17] = [
    "ZQL-771944",
    "Zqquokka \"Söhne\" & Co",
    "Zqquokka",
    "915372846193",
    "9153728461.93",
    "481516234299",
    "31415926.535897",
    "2731-09-23",
    "zqcommitted",
    "zqledger",
    "Zqtitle of the ledger",
    "Zqpurpose of the ledger",
    "zqsupplier",
    "zqscheme",
    "Zqapi supplier",
    "ZQFILLER",
    "ZQL-880055",
];

/// What must be among all that was captured, of every protocol: else nothing is proven.
const SHARED: [&str; 6] = [
    "shared-marker writes note 299",
    "A long shared text. A long",
    "/ipfs/id/",
    "/ipfs/ping/",
    "/concordat/sync/",
    "/concordat/bulk/",
];

/// Every form in which a text could stand on the wire.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let escaped: String = text
        .chars()
        .map(|char| match char {
            '"' => "\\\"".to_owned(),
            char if char.is_ascii() => char.to_string(),
            char => format!("\\u{:04x}", u32::from(char)),
        })
        .collect();
    let json = serde_json::to_string(text).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        HEXLOWER.encode(text.as_bytes()).into_bytes(),
        HEXUPPER.encode(text.as_bytes()).into_bytes(),
        escaped.into_bytes(),
        json.trim_matches('"').as_bytes().to_vec(),
        utf16,
    ];
    for base64 in [BASE64_NOPAD, BASE64URL_NOPAD] {
        // Wherever it begins within a group of three bytes; characters at its ends hold others' bits too.
        for before in 0..3 {
            let shifted = [vec![0; before], text.as_bytes().to_vec()].concat();
            let encoded = base64.encode(&shifted);
            let (first, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            forms.push(encoded.as_bytes()[first..end].to_vec());
        }
    }
    if let Ok(number) = text.parse::<u64>() {
        forms.push(number.to_be_bytes().to_vec());
        forms.push(number.to_le_bytes().to_vec());
        forms.push(leb128(number));
    }
    forms
}

/// As Automerge writes whole numbers: seven bits a byte, and the sign.
fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 && low & 0x40 == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Which of these texts stand in one of the files, and in which; every file is gone through once.
fn found(files: &[(PathBuf, Vec<u8>)], texts: &[&str]) -> BTreeSet<String> {
    let forms = texts.iter().flat_map(|text| forms(text).into_iter().map(move |form| (text, form)));
    let forms: Vec<(&&str, Vec<u8>)> = forms.collect();
    let mut beginning_with = vec![vec![]; 1 << 16];
    for (number, (_, form)) in forms.iter().enumerate() {
        beginning_with[usize::from(u16::from_be_bytes([form[0], form[1]]))].push(number);
    }
    let mut found = BTreeSet::new();
    for (path, bytes) in files {
        for (at, two) in bytes.windows(2).enumerate() {
            for number in &beginning_with[usize::from(u16::from_be_bytes([two[0], two[1]]))] {
                let (text, form) = &forms[*number];
                if bytes[at..].starts_with(form) {
                    found.insert(format!("{text} in {}", path.display()));
                }
            }
        }
    }
    found
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn record(node: &Node, what: &[&str]) -> Value {
    node.json(&[&["record"], what].concat())
}

/// The first and the last keep copies of whatever they receive, the one between has the ledger.
struct Capturing {
    board: Partnership,
}

impl Capturing {
    fn directory(&self, number: usize) -> PathBuf {
        self.board.path().join(format!("captured-{number}"))
    }

    fn serve(&mut self, number: usize) {
        let directory = self.directory(number);
        let _there_already = fs::create_dir(&directory);
        let port = self.board.nodes[number].serve_capturing(&directory);
        self.board.proxies[number].forward_to(port);
    }

    /// Waits until something holds of both that keep copies.
    fn until_peers(&self, what: &str, holds: impl Fn(&Node) -> bool) {
        until(what, || [0, 2].iter().all(|number| holds(&self.board.nodes[*number])));
    }

    /// What both received.
    fn captured(&self) -> Vec<(PathBuf, Vec<u8>)> {
        [0, 2].map(|number| files(&self.directory(number))).concat()
    }

    /// What both received, the stores of both, and what all daemons said.
    fn received(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = self.captured();
        found.extend([0, 2].map(|number| files(&self.board.nodes[number].store())).concat());
        found.extend(self.board.nodes.iter().map(|node| (node.home().join("log"), node.log())));
        found
    }
}

/// Private rows come in by every way that there is, while notes and an artefact are shared.
fn fill(owner: &Node, file: &str) {
    let filler = |number| format!("ZQFILLER-{number},x,ZQFILLER,1.00,100,1,1,2731-09-23,zqpaid\n");
    let filler: String = (0..300).map(filler).collect();
    fs::write(file, format!("{HEADING}{ROW}{filler}")).unwrap();
    assert_eq!(record(owner, &["import", "zqledger", file])["added"], 301);
    let editor = Client::of(owner).with_role(owner, "editor");
    let row = json!({
        "zqline": "ZQL-880055", "zqscheme": "x", "zqsupplier": "Zqapi supplier", "zqamount": "1.00",
        "zqpence": "1", "zqunits": "1", "zqquantity": "1", "zqday": "2731-09-23", "zqstatus": "zqpaid",
    });
    let put = editor.post("/api/v1/records/zqledger", &json!({ "rows": [row] }));
    assert_eq!(put.done(201)["added"], 1);
    assert_eq!(editor.get("/api/v1/records/zqledger?limit=1000").done(200)["next"], Value::Null);
    owner.write_notes(&lines("shared-marker", 0, 300));
    owner.run(&["note", &"A long shared text. ".repeat(3_000)]);
    act(owner, &["open", "decision", "--title", "Winter fund"]);
    act(owner, &["set", "decision", "background=Three million pounds."]);
    record(owner, &["show", "zqledger", "ZQL-77"]);
}

/// Nothing about a patient, whichever way it tries to come.
fn expect_no_patient(owner: &Node, file: &str) {
    let number = "943 476 5919";
    fs::write(file, format!("{HEADING}{}", ROW.replace("winter beds", number))).unwrap();
    let told = [
        refused(&owner.command(&["record", "import", "zqledger", file]), 1),
        refused(&owner.command(&["artefact", "set", "decision", &format!("summary={number}")]), 1),
        refused(&owner.command(&["record", "show", "zqledger", number]), 1),
    ];
    for told in told {
        assert!(told.contains("[patient-number]") && !told.contains("476"), "{told}");
    }
}

/// Given a ledger row, every byte that peers receive in a full sync is captured after decryption: no part of
/// the row is in it. What is promoted is, and nothing else of the row.
#[test]
fn scenario_15_private_stays_private() {
    let slugs = ["la-wigan", "ccg-trafford", "tr-pennine-acute"];
    let mut test = Capturing { board: Partnership::found_with(&slugs, TOP, RULES) };
    let collections = test.board.nodes[1].home().join("collections");
    fs::create_dir(&collections).unwrap();
    fs::write(collections.join("zqledger.toml"), COLLECTION).unwrap();
    test.board.nodes[1].configure("http = \"127.0.0.1:0\"\n");
    test.serve(0);
    test.board.serve(1);
    let file = test.board.file("zq.csv");
    fill(&test.board.nodes[1], &file);

    // A restart, and commands without a daemon; the third comes late and fetches all at once.
    test.board.nodes[1].stop();
    let owner = &test.board.nodes[1];
    assert_eq!(record(owner, &["import", "zqledger", &file])["same"], 301);
    let listed = record(owner, &["list", "zqledger", "--where", "zqunits>1"]);
    assert_eq!(listed["records"][0]["record"], "ZQL-771944");
    test.board.serve(1);
    test.serve(2);
    test.board.until_all_meet();
    test.until_peers("have all that is shared", |node| {
        let status = node.command(&["artefact", "show", "decision", "--json"]).status;
        status.success() && notes(node, "ccg-trafford").len() == 301
    });
    for directory in [0, 2].map(|number| test.directory(number)) {
        let captured = files(&directory);
        for text in SHARED {
            assert!(captured.iter().any(|(_, bytes)| holds(bytes, text.as_bytes())), "{text}");
        }
    }
    assert_eq!(found(&test.received(), &PRIVATE), BTreeSet::new());
    assert_eq!(found(&test.received(), &PROMOTED), BTreeSet::new());

    // Two fields are promoted: they leave, and nothing else of the row.
    let owner = &test.board.nodes[1];
    let promote = ["promote", "zqledger", "ZQL-771944", "--artefact", "decision", "--yes"];
    assert_eq!(record(owner, &promote)["written"].as_array().unwrap().len(), 1);
    // The journal knows what was let out, by whom, and of which values; it holds none of them.
    until("it is journalled", || {
        let page = owner.json(&["journal", "list", "--event", "promoted"]);
        page["entries"].as_array().is_some_and(|entries| entries.len() == 1)
    });
    let page = owner.json(&["journal", "list", "--event", "promoted"]);
    let told = &page["entries"][0]["fields"];
    assert_eq!(
        (&told["record"], &told["fields"]),
        (&"ZQL-771944".into(), &"zqscheme, zqamount".into())
    );
    let promotion = &record(owner, &["promotions"])["promotions"][0];
    assert_eq!(told["values_sha256"], promotion["digest"]);
    assert_eq!(
        found(&[("journal".into(), page.to_string().into_bytes())], &PROMOTED),
        BTreeSet::new()
    );
    test.until_peers("have what was promoted", |node| {
        let fields = show(node, "decision")["fields"].to_string();
        fields.contains(PROMOTED[0]) && fields.contains(PROMOTED[2])
    });
    for text in [PROMOTED[0], PROMOTED[2]] {
        for directory in [0, 2].map(|number| test.directory(number)) {
            assert!(!found(&files(&directory), &[text]).is_empty(), "{text}");
        }
    }
    assert_eq!(found(&test.received(), &PRIVATE), BTreeSet::new());
    for node in [0, 2].map(|number| &test.board.nodes[number]) {
        let history = act(node, &["history", "decision"]).to_string().into_bytes();
        let bundle = test.board.file(&format!("{}.bundle", node.name()));
        node.run(&["export", "--out", &bundle]);
        let told = [("history".into(), history), ("bundle".into(), fs::read(&bundle).unwrap())];
        assert_eq!(found(&told, &PRIVATE), BTreeSet::new());
    }

    expect_no_patient(owner, &file);
    let said: Vec<u8> = test.board.nodes.iter().flat_map(Node::log).collect();
    assert!(!holds(&said, b"943 476 5919") && !holds(&said, b"9434765919"));
}
