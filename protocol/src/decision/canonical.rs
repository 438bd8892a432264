//! Canonical JSON: one value, one text, byte for byte.
//!
//! ```text
//! value   text | integer | true | false | [value,…] | {"name":value,…}     no null, no fractions
//! integer -(2^53 - 1) to 2^53 - 1, without exponent, leading zero or -0
//! object  names ascend by their UTF-16 code units, no name twice
//! text    escaped: \" \\ \b \t \n \f \r, other controls below U+0020 as \u00xx in lower case;
//!         everything else stands as it is, in UTF-8
//! ```
//!
//! No space stands between items. Reading takes these texts and no others, so that
//! `write(read(b)) == b` for every `b` that is read, and nothing needs to be made canonical twice.
//!
//! Source: RFC 8785, of which this is the part without fractions, exponents and null; a field
//! without a value is left out. Own code, because the crates for it bring floating point along.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use crate::limits::{JSON_DEPTH_MAX, JSON_INTEGER_MAX, SNAPSHOT_BYTES_MAX};

/// A value that canonical JSON can express here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// Text.
    Text(String),
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Self>),
    /// Named values.
    Object(BTreeMap<String, Self>),
}

/// Bytes that are no canonical JSON, or a value that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// More bytes than a snapshot may have.
    #[error("the JSON has {len} bytes, at most {max} are allowed; shorten the text")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The bound, from `limits.rs`.
        max: usize,
    },
    /// Lists and objects nested too deep.
    #[error("the JSON is nested deeper than {JSON_DEPTH_MAX} levels at byte {at}")]
    TooDeep {
        /// Where it stands.
        at: usize,
    },
    /// An integer that not every reader could hold exactly.
    #[error("the JSON has an integer beyond 2^53 - 1 at byte {at}")]
    TooLarge {
        /// Where it stands.
        at: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the JSON is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where it stops to be.
        at: usize,
    },
    /// The bytes end inside a value.
    #[error("the JSON is cut short at byte {at}")]
    CutShort {
        /// Where they end.
        at: usize,
    },
    /// What stands here is no JSON, or not as canonical JSON writes it, or of a type not used here.
    #[error("the JSON is not written as canonical JSON writes it at byte {at}")]
    NotCanonical {
        /// Where it stands.
        at: usize,
    },
    /// Names of an object that do not ascend, or one name twice.
    #[error("the JSON has a name out of order before byte {at}")]
    NotAscending {
        /// Where the name ends.
        at: usize,
    },
    /// Bytes after the end of the value.
    #[error("the JSON is followed by {extra} bytes that do not belong to it")]
    Trailing {
        /// How many.
        extra: usize,
    },
}

impl Json {
    /// The one text of the value.
    ///
    /// # Errors
    /// * [`BadJson::TooLarge`], [`BadJson::TooDeep`] or [`BadJson::TooLong`]: the author has to
    ///   change the value.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadJson> {
        let mut out = String::new();
        self.write(1, &mut out)?;
        expect_len(out.len())?;
        Ok(out.into_bytes())
    }

    /// Reads the one text of a value.
    ///
    /// # Errors
    /// The exact [`BadJson`], at the first place where the bytes are not canonical JSON.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadJson> {
        expect_len(bytes.len())?;
        let text = core::str::from_utf8(bytes)
            .map_err(|error| BadJson::NotUtf8 { at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(1)?;
        match text.len().saturating_sub(reader.at) {
            0 => Ok(value),
            extra => Err(BadJson::Trailing { extra }),
        }
    }

    /// An object of these named values.
    #[must_use]
    pub fn object<const N: usize>(items: [(&str, Self); N]) -> Self {
        Self::Object(items.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    fn write(&self, depth: usize, out: &mut String) -> Result<(), BadJson> {
        let at = out.len();
        if depth > JSON_DEPTH_MAX {
            return Err(BadJson::TooDeep { at });
        }
        let below = depth.saturating_add(1);
        match self {
            Self::Text(text) => write_text(text, out),
            Self::Integer(number) if number.unsigned_abs() > JSON_INTEGER_MAX => {
                return Err(BadJson::TooLarge { at });
            }
            Self::Integer(number) => out.push_str(&alloc::format!("{number}")),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::List(items) => {
                out.push('[');
                for (nth, item) in items.iter().enumerate() {
                    if nth > 0 {
                        out.push(',');
                    }
                    item.write(below, out)?;
                }
                out.push(']');
            }
            Self::Object(items) => {
                out.push('{');
                let mut items: Vec<_> = items.iter().collect();
                items.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
                for (nth, (name, value)) in items.into_iter().enumerate() {
                    if nth > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(below, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

const fn expect_len(len: usize) -> Result<(), BadJson> {
    let max = SNAPSHOT_BYTES_MAX;
    if len > max { Err(BadJson::TooLong { len, max }) } else { Ok(()) }
}

/// Characters with a short escape, and the letter of it.
const ESCAPES: [(char, char); 7] = [
    ('"', '"'),
    ('\\', '\\'),
    ('\u{8}', 'b'),
    ('\t', 't'),
    ('\n', 'n'),
    ('\u{c}', 'f'),
    ('\r', 'r'),
];

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match ESCAPES.iter().find(|(meant, _)| *meant == letter) {
            Some((_, short)) => out.extend(['\\', *short]),
            None if letter < ' ' => out.push_str(&alloc::format!("\\u{:04x}", u32::from(letter))),
            None => out.push(letter),
        }
    }
    out.push('"');
}

/// A place in the text that is being read.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Json, BadJson> {
        if depth > JSON_DEPTH_MAX {
            return Err(BadJson::TooDeep { at: self.at });
        }
        let below = depth.saturating_add(1);
        match self.peek()? {
            b'"' => Ok(Json::Text(self.string()?)),
            b'-' | b'0'..=b'9' => self.integer(),
            b't' => self.word("true").map(|()| Json::Bool(true)),
            b'f' => self.word("false").map(|()| Json::Bool(false)),
            b'[' => self.list(below),
            b'{' => self.object(below),
            _ => Err(self.not_canonical()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, BadJson> {
        self.word("[")?;
        let mut items = Vec::new();
        if self.takes(b']')? {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.takes(b']')? {
                return Ok(Json::List(items));
            }
            self.word(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, BadJson> {
        self.word("{")?;
        let mut items = BTreeMap::new();
        let mut last: Option<String> = None;
        if self.takes(b'}')? {
            return Ok(Json::Object(items));
        }
        loop {
            let name = self.string()?;
            if last.is_some_and(|last| last.encode_utf16().ge(name.encode_utf16())) {
                return Err(BadJson::NotAscending { at: self.at });
            }
            self.word(":")?;
            let value = self.value(depth)?;
            items.insert(name.clone(), value);
            last = Some(name);
            if self.takes(b'}')? {
                return Ok(Json::Object(items));
            }
            self.word(",")?;
        }
    }

    fn integer(&mut self) -> Result<Json, BadJson> {
        let at = self.at;
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let len = count.saturating_add(rest.len().saturating_sub(digits.len()));
        let written = rest.get(..len).unwrap_or_default();
        let leads_with_zero = digits.starts_with('0') && written != "0";
        if count == 0 || leads_with_zero {
            return Err(self.not_canonical());
        }
        self.at = at.saturating_add(len);
        match written.parse::<i64>() {
            Ok(number) if number.unsigned_abs() <= JSON_INTEGER_MAX => Ok(Json::Integer(number)),
            _ => Err(BadJson::TooLarge { at }),
        }
    }

    fn string(&mut self) -> Result<String, BadJson> {
        self.word("\"")?;
        let mut text = String::new();
        loop {
            let at = self.at;
            let letter = self.letter()?;
            match letter {
                '"' => return Ok(text),
                '\\' => text.push(self.escaped(at)?),
                '\0'..='\u{1f}' => return Err(BadJson::NotCanonical { at }),
                _ => text.push(letter),
            }
        }
    }

    /// What follows a backslash that stands at `at`.
    fn escaped(&mut self, at: usize) -> Result<char, BadJson> {
        let letter = self.letter()?;
        if let Some((meant, _)) = ESCAPES.iter().find(|(_, short)| *short == letter) {
            return Ok(*meant);
        }
        let wrong = BadJson::NotCanonical { at };
        let digits = self.rest().get(..4).ok_or(wrong)?;
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong)?;
        let meant = char::from_u32(number).ok_or(wrong)?;
        let is_long = letter == 'u' && meant < ' ' && digits == alloc::format!("{number:04x}");
        if !is_long || ESCAPES.iter().any(|(short, _)| *short == meant) {
            return Err(wrong);
        }
        self.at = self.at.saturating_add(4);
        Ok(meant)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn letter(&mut self) -> Result<char, BadJson> {
        let letter = self.rest().chars().next().ok_or(BadJson::CutShort { at: self.at })?;
        self.at = self.at.saturating_add(letter.len_utf8());
        Ok(letter)
    }

    fn peek(&self) -> Result<u8, BadJson> {
        self.rest().bytes().next().ok_or(BadJson::CutShort { at: self.at })
    }

    fn takes(&mut self, byte: u8) -> Result<bool, BadJson> {
        let is_next = self.peek()? == byte;
        self.at = self.at.saturating_add(usize::from(is_next));
        Ok(is_next)
    }

    fn word(&mut self, word: &str) -> Result<(), BadJson> {
        self.peek()?;
        if !self.rest().starts_with(word) {
            return Err(self.not_canonical());
        }
        self.at = self.at.saturating_add(word.len());
        Ok(())
    }

    const fn not_canonical(&self) -> BadJson {
        BadJson::NotCanonical { at: self.at }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    /// Values up to four levels deep.
    pub(in crate::decision) fn any_json() -> impl Strategy<Value = Json> {
        let max = i64::try_from(JSON_INTEGER_MAX).unwrap();
        let text = || proptest::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter);
        let leaf = prop_oneof![
            text().prop_map(Json::Text),
            (-max..=max).prop_map(Json::Integer),
            any::<bool>().prop_map(Json::Bool),
        ];
        leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                proptest::collection::btree_map(text(), inner, 0..6).prop_map(Json::Object),
            ]
        })
    }

    /// The same value as a reader of all JSON sees it.
    fn plain(value: &Json) -> serde_json::Value {
        match value {
            Json::Text(text) => text.clone().into(),
            Json::Integer(number) => (*number).into(),
            Json::Bool(is_true) => (*is_true).into(),
            Json::List(items) => items.iter().map(plain).collect(),
            Json::Object(items) => {
                items.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
            }
        }
    }

    fn from_plain(value: &serde_json::Value) -> Json {
        match value {
            serde_json::Value::String(text) => Json::Text(text.clone()),
            serde_json::Value::Number(number) => Json::Integer(number.as_i64().unwrap()),
            serde_json::Value::Bool(is_true) => Json::Bool(*is_true),
            serde_json::Value::Array(items) => Json::List(items.iter().map(from_plain).collect()),
            serde_json::Value::Object(items) => {
                let items = items.iter().map(|(name, value)| (name.clone(), from_plain(value)));
                Json::Object(items.collect())
            }
            serde_json::Value::Null => unreachable!("no null here"),
        }
    }

    fn written(any_json: &str) -> String {
        let value = from_plain(&serde_json::from_str(any_json).unwrap());
        String::from_utf8(value.to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_come_out() {
        assert_eq!(
            written(
                r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
                "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
                "\u00f6":"Latin Small Letter O With Diaeresis"}"#
            ),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
        assert_eq!(
            written(
                r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [true, false]}"#
            ),
            r#"{"literals":[true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(
            written(
                r#"{"1": {"f": {"f": "hi", "F": 5}, "\n": 56.0e0}, "10": {}, "": "empty", "a": {}}"#
                    .replace("56.0e0", "56")
                    .as_str()
            ),
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"a":{}}"#
        );
        assert_eq!(
            written(
                r#"{"peach":"this sorting order","péché":"is wrong in French","pêche":"all the same","sin":"no locale"}"#
            ),
            r#"{"peach":"this sorting order","péché":"is wrong in French","pêche":"all the same","sin":"no locale"}"#
        );
        assert_eq!(
            written("{\"Unnormalized Unicode\":\"A\\u030a\"}"),
            "{\"Unnormalized Unicode\":\"A\u{30a}\"}"
        );
    }

    #[test]
    fn whatever_is_not_the_one_text_of_a_value_is_refused_where_it_differs() {
        let not = |at| Err(BadJson::NotCanonical { at });
        for (text, expected) in [
            ("", Err(BadJson::CutShort { at: 0 })),
            ("{\"a\":1", Err(BadJson::CutShort { at: 6 })),
            ("\"a", Err(BadJson::CutShort { at: 2 })),
            ("tru", not(0)),
            (" 1", not(0)),
            ("1 ", Err(BadJson::Trailing { extra: 1 })),
            ("[1, 2]", not(3)),
            ("[1,]", not(3)),
            ("{\"a\" :1}", not(4)),
            ("null", not(0)),
            ("1.0", Err(BadJson::Trailing { extra: 2 })),
            ("1e3", Err(BadJson::Trailing { extra: 2 })),
            ("01", not(0)),
            ("-0", not(0)),
            ("-", not(0)),
            ("+1", not(0)),
            ("9007199254740992", Err(BadJson::TooLarge { at: 0 })),
            ("[-9007199254740992]", Err(BadJson::TooLarge { at: 1 })),
            ("123456789012345678901234567890", Err(BadJson::TooLarge { at: 0 })),
            ("\"\\/\"", not(1)),
            ("\"\\u0041\"", not(1)),
            ("\"\\u000A\"", not(1)),
            ("\"\\u000a\"", not(1)),
            ("\"\\u001F\"", not(1)),
            ("\"\\u+00f\"", not(1)),
            ("\"\n\"", not(1)),
            ("{\"b\":1,\"a\":2}", Err(BadJson::NotAscending { at: 10 })),
            ("{\"a\":1,\"a\":2}", Err(BadJson::NotAscending { at: 10 })),
            ("{\"\u{fb33}\":1,\"😀\":2}", Err(BadJson::NotAscending { at: 15 })),
            ("{1:2}", not(1)),
        ] {
            assert_eq!(Json::from_bytes(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(Json::from_bytes(b"\"\xff\""), Err(BadJson::NotUtf8 { at: 1 }));
    }

    #[test]
    fn depth_size_and_integers_are_bounded_both_ways() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let deepest = Json::from_bytes(nested(JSON_DEPTH_MAX).as_bytes()).unwrap();
        assert_eq!(deepest.to_bytes(), Ok(nested(JSON_DEPTH_MAX).into_bytes()));
        let too_deep = Err(BadJson::TooDeep { at: JSON_DEPTH_MAX });
        assert_eq!(Json::from_bytes(nested(JSON_DEPTH_MAX + 1).as_bytes()), too_deep);
        assert_eq!(
            Json::List(vec![deepest]).to_bytes(),
            Err(BadJson::TooDeep { at: JSON_DEPTH_MAX })
        );
        let long = |len| Json::Text("a".repeat(len));
        let max = SNAPSHOT_BYTES_MAX;
        assert_eq!(long(max - 2).to_bytes().unwrap().len(), max);
        let too_long = BadJson::TooLong { len: max + 1, max };
        assert_eq!(long(max - 1).to_bytes(), Err(too_long));
        assert_eq!(Json::from_bytes(&vec![b'1'; max + 1]), Err(too_long));
        for number in [1 << 53, -(1 << 53), i64::MIN] {
            assert_eq!(Json::Integer(number).to_bytes(), Err(BadJson::TooLarge { at: 0 }));
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_from_its_one_text(value in any_json()) {
            let bytes = value.to_bytes().unwrap();
            prop_assert_eq!(Json::from_bytes(&bytes), Ok(value.clone()));
            let seen: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(seen, plain(&value));
        }

        #[test]
        fn whatever_is_read_is_written_again_byte_for_byte(
            value in any_json(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = value.to_bytes().unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = Json::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), Ok(bytes));
            }
        }

        #[test]
        fn no_bytes_stop_the_reader(text in "[\\[\\]{}\",:\\\\u0a1 -]{0,40}") {
            if let Ok(read) = Json::from_bytes(text.as_bytes()) {
                prop_assert_eq!(read.to_bytes().unwrap(), text.to_string().into_bytes());
            }
        }
    }
}
