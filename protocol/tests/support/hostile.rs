//! Hostile changes, each of which does harm to Automerge 0.12 or to memory, or breaks a rule.
//!
//! Built over any document of which the last change is known (its hash and largest counter), by
//! actors of any feed: the tests build them over a small skeleton, the simulator over real ones.
//!
//! *Source*: ours; each row of the tables in the specification's section "Verdict".

use super::change::{Change, Columns, Id, Key, Op, action, chunk, hash_of, signed, unsigned};

/// What a document holds before a hostile change comes, and who writes there.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The largest counter there.
    pub max_op: u64,
    /// The first half of the actors' ids.
    pub feed: [u8; 16],
    /// By actor 1: a text "ab" (ids 1, 5, 6), lists of one number each (2, 7 and 3, 8), a map (4).
    pub base: Vec<u8>,
    /// By actor 2, on `base`: a map (9). No row depends on it but where it says so.
    pub concurrent: Vec<u8>,
}

/// What is to become of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Refused by the rule with this code.
    Refused(&'static str),
    /// Good: a control.
    Good,
    /// Waiting until the concurrent change is there, then good: a control.
    GoodAfterConcurrent,
    /// Waiting for what never comes.
    Waiting,
}

/// One hostile change.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is hostile about it.
    pub name: &'static str,
    /// Good changes that it needs besides the ground.
    pub before: Vec<Vec<u8>>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What is to become of it.
    pub expected: Expected,
}

impl Ground {
    /// The ground over the change `under`.
    #[must_use]
    pub fn over(under: [u8; 32], max_op: u64, feed: [u8; 16]) -> Self {
        let mut ground = Self { max_op, feed, base: Vec::new(), concurrent: Vec::new() };
        let id = |counter| ground.id(counter, 1);
        let base = Change {
            dependencies: vec![under],
            start_op: max_op + 1,
            ..ground.change(
                1,
                vec![
                    Op::on_key("hostile text", action::TEXT),
                    Op::on_key("hostile list", action::LIST),
                    Op::on_key("hostile list 2", action::LIST),
                    Op::on_key("hostile map", action::MAP),
                    Op::insert_text(id(1), None, "a"),
                    Op::insert_text(id(1), Some(id(5)), "b"),
                    Op { value: (4, signed(1)), ..Op::insert(id(2), None, action::PUT) },
                    Op { value: (4, signed(2)), ..Op::insert(id(3), None, action::PUT) },
                ],
            )
        };
        ground.base = base.to_bytes();
        ground.concurrent =
            ground.change(2, vec![Op::on_key("hostile other", action::MAP)]).to_bytes();
        ground
    }

    /// One of the ground's actors.
    #[must_use]
    pub fn actor(&self, number: u8) -> Vec<u8> {
        [self.feed, [number; 16]].concat()
    }

    /// An id, counted from the ground's first operation.
    #[must_use]
    pub fn id(&self, counter: u64, actor: u8) -> Id {
        Id { counter: self.max_op + counter, actor: self.actor(actor) }
    }

    /// The first change of an actor, on `base` alone.
    #[must_use]
    pub fn change(&self, actor: u8, operations: Vec<Op>) -> Change {
        Change {
            dependencies: vec![hash_of(&self.base)],
            actor: self.actor(actor),
            seq: 1,
            start_op: self.max_op + 9,
            time: 0,
            message: Vec::new(),
            operations,
            extra: Vec::new(),
        }
    }

    /// A change of actor 3 that puts a number.
    #[must_use]
    pub fn plain(&self) -> Change {
        self.change(3, vec![Op::put("k", 1)])
    }

    /// A change of actor 3 with columns given as bytes.
    fn made_of(&self, columns: &Columns) -> Vec<u8> {
        self.plain().with_columns(&[], columns)
    }

    /// `plain` with one column replaced, or left out when there are no bytes.
    fn patched(&self, change: &Change, column: u64, bytes: &[u8]) -> Vec<u8> {
        let mut columns = change.columns();
        columns.retain(|(spec, _)| *spec != column);
        if !bytes.is_empty() {
            columns.push((column, bytes.to_vec()));
            columns.sort();
        }
        change.with_columns(&change.others(), &columns)
    }

    /// Every row.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = self.envelopes();
        rows.extend(self.bombs());
        rows.extend(self.headers());
        rows.extend(self.columns());
        rows.extend(self.closures());
        rows.extend(self.objects());
        rows.extend(self.keys());
        rows.extend(self.values());
        rows.extend(self.predecessors());
        rows.extend(self.marks());
        rows.extend(self.nestings());
        rows
    }

    fn envelopes(&self) -> Vec<Row> {
        let good = self.plain().to_bytes();
        let mut wrong_sum = good.clone();
        if let Some(byte) = wrong_sum.get_mut(4) {
            *byte ^= 1;
        }
        let mut longer = good.clone();
        longer.push(0);
        let mut cut = good;
        cut.truncate(9);
        vec![
            refused("not a chunk", b"garbage garbage garbage".to_vec(), "magic"),
            refused("a chunk cut short before its length", cut, "cut-short"),
            refused("wrong checksum", wrong_sum, "checksum"),
            refused("byte after the chunk", longer, "chunk-length"),
            refused("chunk of 1.04 MB", chunk(2, &vec![0; 1_040_000]), "size"),
            refused("deflated chunk that inflates to 74 MiB", inflating_chunk(), "chunk-type"),
            refused("document chunk", chunk(0, &[0; 40]), "chunk-type"),
            refused("bundle chunk", chunk(3, &[0; 40]), "chunk-type"),
        ]
    }

    fn bombs(&self) -> Vec<Row> {
        let puts = |count: u64| {
            let run = |value: &[u8]| [&signed(count.cast_signed())[..], value].concat();
            self.made_of(&vec![
                (0x15, run(&[1, b'k'])),
                (0x34, unsigned(count)),
                (0x42, run(&[1])),
                (0x56, run(&[0])),
                (0x70, run(&[0])),
            ])
        };
        let many = |count: u64| {
            let run = |value: &[u8]| [&signed(count.cast_signed())[..], value].concat();
            self.made_of(&vec![
                (0x15, vec![0x7f, 1, b'k']),
                (0x34, vec![1]),
                (0x42, vec![0x7f, 1]),
                (0x56, vec![0x7f, 0]),
                (0x70, [&[0x7f][..], &unsigned(count)].concat()),
                (0x71, run(&[0])),
                (0x73, run(&[1])),
            ])
        };
        let bomb = "too-many-operations";
        vec![
            refused("100,001 operations in about 100 bytes", puts(100_001), bomb),
            refused("2^40 operations in about 100 bytes", puts(1 << 40), bomb),
            refused("2^62 operations in about 100 bytes", puts(1 << 62), bomb),
            refused("2^40 predecessors of one operation", many(1 << 40), "too-many-predecessors"),
            refused("40,001 predecessors of one operation", many(40_001), "too-many-predecessors"),
        ]
    }

    fn headers(&self) -> Vec<Row> {
        let plain = self.plain();
        let hash = hash_of(&self.base);
        let body = plain.to_bytes().split_off(10);
        let rest = body.get(1..).unwrap_or_default();
        let long = [&[0x81, 0][..], rest].concat();
        let twice = Change { dependencies: vec![hash, hash], ..plain.clone() };
        let dependencies = (0..65).map(|at| [at; 32]).collect();
        let columns = plain.columns();
        let others = |others: &[Vec<u8>]| plain.with_columns(others, &columns);
        let with = |change: Change| change.to_bytes();
        let author = || vec![1, 3, 1, 2, 3];
        vec![
            refused("count of dependencies in a longer LEB128", chunk(1, &long), "long-number"),
            refused(
                "65 dependencies",
                with(Change { dependencies, ..plain.clone() }),
                "dependency-count",
            ),
            refused("dependency named twice", with(twice), "dependency-order"),
            refused(
                "actor id of 256 KiB",
                with(Change { actor: vec![7; 1 << 18], ..plain.clone() }),
                "actor-length",
            ),
            refused(
                "empty actor id",
                with(Change { actor: Vec::new(), ..plain.clone() }),
                "actor-length",
            ),
            refused(
                "actor of another feed",
                with(Change { actor: vec![0xfe; 32], ..plain.clone() }),
                "actor-feed",
            ),
            refused("time 2^63 - 1", with(Change { time: i64::MAX, ..plain.clone() }), "time"),
            refused("time before 1970", with(Change { time: -1, ..plain.clone() }), "time"),
            refused(
                "message of 1,025 bytes",
                with(Change { message: vec![b'm'; 1025], ..plain.clone() }),
                "message",
            ),
            refused(
                "message of 1 MiB",
                with(Change { message: vec![b'm'; 1 << 20], ..plain.clone() }),
                "size",
            ),
            refused(
                "message that is not UTF-8",
                with(Change { message: vec![0xff], ..plain.clone() }),
                "utf8",
            ),
            refused(
                "other actors not ascending",
                others(&[self.actor(2), self.actor(1)]),
                "actor-order",
            ),
            refused("own actor among the others", others(&[self.actor(3)]), "actor-order"),
            refused("actor that no operation uses", others(&[self.actor(1)]), "actor-unused"),
            refused(
                "author footer",
                with(Change { extra: author(), ..plain.clone() }),
                "extra-bytes",
            ),
            refused(
                "author footer on seq 2",
                with(Change { extra: author(), seq: 2, actor: self.actor(1), ..plain.clone() }),
                "extra-bytes",
            ),
        ]
    }

    fn columns(&self) -> Vec<Row> {
        let plain = self.plain();
        let patched = |column, bytes: &[u8]| self.patched(&plain, column, bytes);
        let deleted = Op::on_key("hostile map", action::DELETE).over(&[self.id(4, 1)]);
        let deletes = self.change(3, vec![deleted]);
        let inserts =
            self.change(3, vec![Op::insert_text(self.id(1, 1), Some(self.id(5, 1)), "x")]);
        let far = signed(1 << 31);
        vec![
            refused("column with the deflate bit", patched(0x42 | 8, &[1]), "columns"),
            refused("unknown column", patched(0x35, &[1]), "columns"),
            refused("run of one", patched(0x42, &[1, 1]), "canonical"),
            refused("column of empty rows alone", patched(0x11, &[0, 1]), "canonical"),
            refused("marks that expand nowhere", patched(0x94, &[1]), "canonical"),
            refused("fewer keys than operations", patched(0x34, &[2]), "column-length"),
            refused("no predecessor counts", patched(0x70, &[]), "column-length"),
            refused("action left empty", patched(0x42, &[0, 1]), "column-null"),
            refused("value left empty", patched(0x56, &[0, 1]), "column-null"),
            refused("value longer than the bytes", patched(0x57, &[]), "value-length"),
            refused(
                "element counter of 2^31",
                self.patched(&inserts, 0x13, &[&[0x7f][..], &far].concat()),
                "counter-range",
            ),
            refused(
                "predecessor counter of 0",
                self.patched(&deletes, 0x73, &[0x7f, 0]),
                "counter-range",
            ),
            refused(
                "actor that is not listed",
                self.patched(&deletes, 0x71, &[0x7f, 2]),
                "actor-index",
            ),
            refused("key cut short", patched(0x15, &[0x7f, 9, b'k']), "cut-short"),
            refused("key that is not UTF-8", patched(0x15, &[0x7f, 1, 0xff]), "utf8"),
        ]
    }

    fn closures(&self) -> Vec<Row> {
        let plain = self.plain();
        let start = |start_op| Change { start_op, ..self.plain() }.to_bytes();
        let alone = Change { dependencies: Vec::new(), start_op: 1, ..self.plain() };
        let one = self.plain().to_bytes();
        let other = self.change(3, vec![Op::put("k", 2)]).to_bytes();
        let mut both = vec![hash_of(&one), hash_of(&other)];
        both.sort();
        let on_both = Change {
            dependencies: both,
            start_op: self.max_op + 10,
            ..self.change(4, vec![Op::put("z", 1)])
        };
        let empty = self.change(3, Vec::new());
        let lost = Change { dependencies: vec![[7; 32]], ..self.plain() };
        vec![
            refused("start_op 2^32 - 1", start((1 << 32) - 1), "start-op"),
            refused("start_op 2^32 - 2", start((1 << 32) - 2), "start-op"),
            refused("start_op above the closure", start(self.max_op + 10), "start-op"),
            refused("start_op below the closure", start(self.max_op + 5), "start-op"),
            refused(
                "start_op too high, without operations",
                Change { start_op: self.max_op + 12, ..empty.clone() }.to_bytes(),
                "start-op",
            ),
            good("without operations", empty.to_bytes()),
            refused(
                "first change with seq 2, no dependencies",
                Change { seq: 2, ..alone.clone() }.to_bytes(),
                "seq",
            ),
            refused("seq 2 without seq 1", Change { seq: 2, ..plain.clone() }.to_bytes(), "seq"),
            refused(
                "seq 1 again of an actor in the closure",
                Change { actor: self.actor(1), ..plain }.to_bytes(),
                "seq",
            ),
            refused("a second root", alone.to_bytes(), "no-skeleton"),
            good("same actor and seq as a good change, alone", other.clone()),
            Row {
                before: vec![one, other],
                ..refused(
                    "on two changes of one actor and seq",
                    on_both.to_bytes(),
                    "closure-forked",
                )
            },
            Row {
                name: "on a change that nobody has",
                before: Vec::new(),
                bytes: lost.to_bytes(),
                expected: Expected::Waiting,
            },
        ]
    }

    fn objects(&self) -> Vec<Row> {
        let within = |object: Id| self.change(3, vec![Op::put("k", 1).within(object)]);
        let of_concurrent = Change { start_op: self.max_op + 10, ..within(self.id(9, 2)) };
        let mut both = vec![hash_of(&self.base), hash_of(&self.concurrent)];
        both.sort();
        let with_dependency = Change { dependencies: both, ..of_concurrent.clone() };
        // Without the dependency, the honest number of the first operation is one lower.
        let left_out = within(self.id(9, 2));
        let half = self.patched(&within(self.id(4, 1)), 0x02, &[]);
        vec![
            refused(
                "object of an unknown actor",
                within(self.id(99, 9)).to_bytes(),
                "actor-not-in-closure",
            ),
            refused(
                "unknown object of a known actor",
                within(self.id(99, 1)).to_bytes(),
                "object-not-in-closure",
            ),
            refused(
                "object of a concurrent change, dependency left out",
                left_out.to_bytes(),
                "actor-not-in-closure",
            ),
            Row {
                name: "object of a concurrent change, with the dependency",
                before: Vec::new(),
                bytes: with_dependency.to_bytes(),
                expected: Expected::GoodAfterConcurrent,
            },
            refused(
                "own later operation as object",
                within(self.id(12, 3)).to_bytes(),
                "object-not-in-closure",
            ),
            refused("operation on a value", within(self.id(7, 1)).to_bytes(), "not-an-object"),
            refused("object without a counter", half, "object-half"),
        ]
    }

    fn keys(&self) -> Vec<Row> {
        let one = |op: Op| self.change(3, vec![op]).to_bytes();
        let (text, list, map) = (self.id(1, 1), self.id(2, 1), self.id(4, 1));
        let number = |list: &Id, after: Option<Id>| Op {
            value: (4, signed(1)),
            ..Op::insert(list.clone(), after, action::PUT)
        };
        let update = |list: &Id, element: Id, op: Op| Op {
            object: Some(list.clone()),
            key: Key::Element(element.clone()),
            insert: false,
            ..op.over(&[element])
        };
        let letter = |op: Op| Op { value: (6, b"x".to_vec()), ..op };
        let marked = self.change(
            3,
            vec![
                Op::mark_begin(text.clone(), None),
                Op::mark_end(text.clone(), Some(self.id(6, 1))),
                update(&text, self.id(9, 3), Op::on_key("", action::DELETE)),
            ],
        );
        vec![
            refused("map key on a list", one(Op::put("x", 1).within(list.clone())), "key-type"),
            refused("list insertion in a map", one(number(&map, None)), "key-type"),
            refused(
                "list insertion in the root",
                one(Op { object: None, ..number(&list, None) }),
                "key-type",
            ),
            refused(
                "update of the head",
                one(Op { insert: false, ..number(&list, None) }),
                "key-type",
            ),
            refused(
                "unknown element",
                one(number(&list, Some(self.id(77, 1)))),
                "element-not-in-closure",
            ),
            refused(
                "insertion after an element of another list",
                one(number(&list, Some(self.id(8, 1)))),
                "element-of-another-list",
            ),
            refused(
                "update of an element of another list",
                one(update(&list, self.id(8, 1), Op::put("", 1))),
                "element-of-another-list",
            ),
            refused("deletion of a mark", marked.to_bytes(), "element-is-mark"),
            refused(
                "put on an existing element of a text",
                one(update(&text, self.id(5, 1), letter(Op::on_key("", action::PUT)))),
                "text-update",
            ),
            refused("number in a text", one(number(&text, None)), "text-value"),
            refused("list in a text", one(Op::insert(text, None, action::LIST)), "text-value"),
            refused("deletion that inserts", one(Op::insert(list, None, action::DELETE)), "insert"),
        ]
    }

    fn values(&self) -> Vec<Row> {
        let one = |op: Op| self.change(3, vec![op]).to_bytes();
        let put = |kind, bytes: &[u8]| {
            one(Op { value: (kind, bytes.to_vec()), ..Op::on_key("k", action::PUT) })
        };
        let named = Op { name: Some("bold".to_string()), ..Op::put("k", 1) };
        vec![
            refused("value of unknown type", put(10, &[]), "value"),
            refused("true with bytes", put(2, &[1]), "value"),
            refused("number in a longer form", put(3, &[0x81, 0]), "value"),
            refused("float of 7 bytes", put(5, &[0; 7]), "value"),
            refused("text that is not UTF-8", put(6, &[0xff]), "value"),
            refused(
                "map made with a value",
                one(Op { value: (2, Vec::new()), ..Op::on_key("k", action::MAP) }),
                "value",
            ),
            refused("counter above 2^31", put(8, &signed((1 << 31) + 1)), "count-size"),
            refused("counter of -2^63", put(8, &signed(i64::MIN)), "count-size"),
            good("counter of 2^31", put(8, &signed(1 << 31))),
            refused("table", one(Op::on_key("k", action::TABLE)), "action"),
            refused("unknown action", one(Op::on_key("k", 8)), "action"),
            refused("mark's name on a put", one(named), "mark-fields"),
            refused("put that expands", one(Op { expand: true, ..Op::put("k", 1) }), "mark-fields"),
        ]
    }

    fn predecessors(&self) -> Vec<Row> {
        let one = |op: Op| self.change(3, vec![op]).to_bytes();
        let put = |predecessors: &[Id]| one(Op::put("hostile text", 1).over(predecessors));
        let number = |value| (4, signed(value));
        let increment = Op { value: number(5), ..Op::on_key("k", action::INCREMENT) };
        let insert = Op::insert_text(self.id(1, 1), None, "x").over(&[self.id(5, 1)]);
        let twice = self.change(
            3,
            vec![
                Op::put("k", 1),
                Op::put("k", 2),
                Op::put("k", 3).over(&[self.id(10, 3), self.id(9, 3)]),
            ],
        );
        let delete = Op::on_key("hostile text", action::DELETE);
        let deleted = self.change(
            3,
            vec![
                delete.clone().over(&[self.id(1, 1)]),
                Op::put("hostile text", 1).over(&[self.id(9, 3)]),
            ],
        );
        vec![
            refused(
                "predecessor of an unknown actor",
                put(&[self.id(99, 9)]),
                "actor-not-in-closure",
            ),
            refused("unknown predecessor", put(&[self.id(99, 1)]), "predecessor-not-in-closure"),
            refused("predecessor of another key", put(&[self.id(4, 1)]), "predecessor-elsewhere"),
            refused("deletion as predecessor", deleted.to_bytes(), "predecessor-elsewhere"),
            refused("predecessors not ascending", twice.to_bytes(), "predecessor-order"),
            refused(
                "predecessor named twice",
                put(&[self.id(1, 1), self.id(1, 1)]),
                "predecessor-order",
            ),
            refused("insertion with a predecessor", one(insert), "insert-with-predecessor"),
            refused("deletion without predecessor", one(delete), "no-predecessor"),
            refused(
                "increment of 2^63 - 1",
                one(Op { value: number(i64::MAX), ..increment.clone() }),
                "count-size",
            ),
            refused(
                "increment of what is no counter",
                self.change(3, vec![Op::put("k", 1), increment.over(&[self.id(9, 3)])]).to_bytes(),
                "increment-without-counter",
            ),
        ]
    }

    fn marks(&self) -> Vec<Row> {
        let text = || self.id(1, 1);
        let (a, b) = (|| Some(self.id(5, 1)), || Some(self.id(6, 1)));
        let all = |operations: Vec<Op>| self.change(3, operations).to_bytes();
        let begin = |after| Op::mark_begin(text(), after);
        let end = |after| Op::mark_end(text(), after);
        let other_text = all(vec![
            Op::on_key("t2", action::TEXT),
            begin(None),
            Op::mark_end(self.id(9, 3), None),
        ]);
        let pairs = |count: usize| {
            let pair = |_| [begin(None), end(b())];
            all((0..count).flat_map(pair).collect())
        };
        let in_list = all(vec![
            Op::mark_begin(self.id(2, 1), None),
            Op::mark_end(self.id(2, 1), Some(self.id(7, 1))),
        ]);
        vec![
            refused("mark's end without begin", all(vec![end(None)]), "mark-unbalanced"),
            refused("mark's begin without end", all(vec![begin(None)]), "mark-unbalanced"),
            refused(
                "mark with an operation between begin and end",
                all(vec![begin(None), Op::put("k", 1), end(b())]),
                "mark-unbalanced",
            ),
            refused("mark's end in another text", other_text, "mark-unbalanced"),
            refused(
                "mark's end before its begin in the text",
                all(vec![begin(b()), end(a())]),
                "mark-order",
            ),
            refused(
                "mark's begin and end at one place",
                all(vec![begin(a()), end(a())]),
                "mark-order",
            ),
            refused("mark that ends at the head", all(vec![begin(a()), end(None)]), "mark-order"),
            refused("mark in a list", in_list, "mark-place"),
            refused("257 marks", pairs(257), "too-many-marks"),
            good("256 marks", pairs(256)),
        ]
    }

    fn nestings(&self) -> Vec<Row> {
        let maps = |count: u64| {
            let map = |at: u64| match at {
                0 => Op::on_key("a", action::MAP),
                _ => Op::on_key("a", action::MAP).within(self.id(8 + at, 3)),
            };
            self.change(3, (0..count).map(map).collect()).to_bytes()
        };
        vec![
            refused("2,000 nested maps", maps(2_000), "nesting"),
            refused("17 nested maps", maps(17), "nesting"),
            good("16 nested maps", maps(16)),
        ]
    }
}

const fn refused(name: &'static str, bytes: Vec<u8>, code: &'static str) -> Row {
    Row { name, before: Vec::new(), bytes, expected: Expected::Refused(code) }
}

const fn good(name: &'static str, bytes: Vec<u8>) -> Row {
    Row { name, before: Vec::new(), bytes, expected: Expected::Good }
}

/// A deflated change of 74 MiB of zeroes in 488 kB, just below the bound on size.
///
/// One block with the fixed codes of RFC 1951: a literal zero, then copies of 258 bytes at distance
/// 1, each of 8 + 5 bits.
fn inflating_chunk() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0b011, 3);
    bits.put_code(0b0011_0000, 8);
    for _ in 0..300_000 {
        bits.put_code(0b1100_0101, 8);
        bits.put_code(0, 5);
    }
    bits.put_code(0, 7);
    chunk(2, &bits.bytes)
}

/// Bits of a deflate stream, low first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> at & 1 == 1) << self.used;
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// A Huffman code, whose bits go high first.
    fn put_code(&mut self, code: u32, count: u32) {
        for at in (0..count).rev() {
            self.put(code >> at & 1, 1);
        }
    }
}
