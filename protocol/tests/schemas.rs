//! The schemas under `docs/schemas`: made anew from the kinds and compared byte for byte.
//!
//! `UPDATE=1 cargo test -p concordat-protocol --test schemas` writes them.

// Says to lints that all of this is test code.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the schemas are files")]

use std::{collections::BTreeMap, path::PathBuf};

use concordat_protocol::artefact::{kinds, schema};
use serde_json::Value;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "docs", "schemas"].iter().collect()
}

fn made() -> BTreeMap<String, String> {
    let kind = |kind: &&'static concordat_protocol::artefact::kind::Kind| {
        (format!("{}-{}.json", kind.name, kind.version), schema::of_kind(kind))
    };
    let mut made: BTreeMap<_, _> = kinds::ALL.iter().map(kind).collect();
    made.insert("codes.json".into(), schema::of_codes());
    made
}

#[test]
fn the_schemas_are_the_ones_that_the_kinds_make() {
    let made = made();
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, text) in &made {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    let files = std::fs::read_dir(folder()).unwrap();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, String::from_utf8(std::fs::read(path).unwrap()).unwrap())
    };
    let stored: BTreeMap<_, _> = files.map(|file| read(file.unwrap().path())).collect();
    assert_eq!(stored.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, text) in &made {
        assert!(stored[name] == *text, "{name} differs; see the head of this file");
    }
}

#[test]
fn the_schemas_are_json_and_name_every_field_event_and_state() {
    for (name, text) in made() {
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let Some(kind) = kinds::ALL.iter().find(|kind| name.starts_with(kind.name)) else {
            assert_eq!(name, "codes.json");
            continue;
        };
        let fields: Vec<_> = kind.all_fields().map(|field| field.name).collect();
        assert_eq!(value["properties"].as_object().unwrap().len(), fields.len(), "{name}");
        assert!(fields.iter().all(|field| value["properties"][field]["title"].is_string()));
        let said = kind.all_events().chain(kind.remarks).map(|event| event.name);
        let said: Vec<_> = said.collect();
        assert_eq!(value["$defs"].as_object().unwrap().len(), said.len(), "{name}");
        assert!(said.iter().all(|event| value["$defs"][event]["prefixItems"].is_array()));
        assert_eq!(value["x-states"].as_array().unwrap().len(), kind.states.len(), "{name}");
    }
}

#[test]
fn values_of_a_claim_are_in_the_order_of_its_schema() {
    let schema: Value = serde_json::from_str(&made()["mutual_aid-1.json"]).unwrap();
    let values = &schema["$defs"]["claim"]["prefixItems"][1];
    let names: Vec<_> =
        values["prefixItems"].as_array().unwrap().iter().map(|value| &value["x-name"]).collect();
    assert_eq!(names, ["offered_by", "line", "qty", "from", "to"]);
    assert_eq!((&values["minItems"], &values["maxItems"]), (&5.into(), &5.into()));
}
