//! Vectors in the making: good bytes with what they say, bad bytes with the exact refusal.

pub(crate) mod artefact;
pub(crate) mod bundle;
pub(crate) mod charter;
mod cosigned;
pub(crate) mod decision;
pub(crate) mod edit;
pub(crate) mod feed;
mod findings;
pub(crate) mod identity;
pub(crate) mod lineage;
pub(crate) mod meeting;
pub(crate) mod payload;
pub(crate) mod run;
pub(crate) mod signature;
pub(crate) mod tlog;
pub(crate) mod verdict;

use concordat_protocol::codec::hex;
use serde_json::{Map, Value, json};

use crate::support::decoders::{Refusal, decoder};

/// One file of vectors.
pub(crate) struct File {
    pub(crate) name: &'static str,
    about: &'static str,
    pub(crate) good: Vec<Value>,
    pub(crate) bad: Vec<Value>,
}

impl File {
    pub(crate) const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, good: Vec::new(), bad: Vec::new() }
    }

    /// Bytes that a decoder takes, and writes again just so.
    pub(crate) fn good(&mut self, decoder_name: &str, name: &str, bytes: &[u8], fields: Value) {
        assert_eq!(decoder(decoder_name)(bytes), Ok(bytes.to_vec()), "{name}");
        let vector = vector(decoder_name, name, json!(hex(bytes)));
        self.good.push(merged(vector, fields));
    }

    /// Bytes that a decoder refuses.
    pub(crate) fn bad(&mut self, decoder_name: &str, name: &str, bytes: &[u8]) {
        let Err(refusal) = decoder(decoder_name)(bytes) else { panic!("{name} is not refused") };
        let vector = vector(decoder_name, name, json!(hex(bytes)));
        self.bad.push(merged(vector, refused(&refusal)));
    }

    /// One byte more than a decoder takes: zeroes, so many times.
    pub(crate) fn too_long(&mut self, decoder_name: &str, max: usize) {
        let Err(refusal) = decoder(decoder_name)(&vec![0; max + 1]) else {
            panic!("{decoder_name} takes more than {max} bytes")
        };
        assert!(refusal.code.ends_with("TooLong"), "{refusal:?}");
        let name = format!("{decoder_name} of {max} bytes and one more");
        let vector = vector(decoder_name, &name, json!({ "repeat": "00", "times": max + 1 }));
        self.bad.push(merged(vector, refused(&refusal)));
    }

    /// A case that is more than one decoder's.
    pub(crate) fn case(&mut self, name: &str, fields: Value, outcome: Result<Value, Refusal>) {
        let vector = json!({ "name": name });
        match outcome {
            Ok(more) => self.good.push(merged(merged(vector, fields), more)),
            Err(refusal) => self.bad.push(merged(merged(vector, fields), refused(&refusal))),
        }
    }

    /// The file: one vector a line.
    pub(crate) fn to_text(&self) -> String {
        let lines = |vectors: &[Value]| {
            let lines: Vec<_> = vectors.iter().map(|vector| format!("    {vector}")).collect();
            if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) }
        };
        format!(
            "{{\n  \"format\": {},\n  \"about\": {},\n  \"good\": [{}],\n  \"bad\": [{}]\n}}\n",
            json!(self.name),
            json!(self.about),
            lines(&self.good),
            lines(&self.bad)
        )
    }
}

fn vector(decoder: &str, name: &str, hex: Value) -> Value {
    json!({ "decoder": decoder, "name": name, "hex": hex })
}

fn refused(refusal: &Refusal) -> Value {
    json!({ "error": refusal.code, "detail": refusal.detail })
}

fn merged(one: Value, other: Value) -> Value {
    let mut all = Map::new();
    for value in [one, other] {
        let Value::Object(fields) = value else { panic!("{value} is no object") };
        all.extend(fields);
    }
    Value::Object(all)
}

/// Every file, made anew.
pub(crate) fn all() -> Vec<File> {
    vec![
        identity::cbor(),
        identity::ids(),
        identity::inception(),
        identity::card(),
        identity::attribution(),
        signature::signatures(),
        charter::charters(),
        charter::rules(),
        charter::voting(),
        feed::descriptor_file(),
        feed::header(),
        feed::head(),
        feed::tree(),
        feed::fork_proof(),
        feed::open_feed(),
        feed::ack(),
        feed::settlement(),
        lineage::lineage(),
        run::run(),
        run::mandatory(),
        payload::payload(),
        payload::checkpoint(),
        tlog::tlog(),
        decision::canonical(),
        decision::wording(),
        decision::timing(),
        decision::poll(),
        meeting::frame(),
        bundle::bundle(),
        verdict::verdict(),
        artefact::skeletons(),
        artefact::events(),
        artefact::guard(),
        artefact::lifecycles(),
    ]
}
