// Documents by honest editors of @automerge/automerge, drawn from a fixed seed: one change a line in
// hex, the skeleton first, an empty line after each document. `npm ci && npm run --silent corpus`
// writes what stands in corpus.txt.
import * as A from '@automerge/automerge';

const SKELETON = '856f4a83eab6be37014e00200000000000000000000000000000000000000000000000000000000000000000010100000005151334014204560270027d057469746c65056974656d73057061727473037d04020003000300';
const DOCUMENTS = 8;
const STEPS = 36;

// mulberry32
let state = 20261122;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const below = (bound) => Math.floor(random() * bound);
const pick = (all) => all[below(all.length)];
const actor = () =>
  '11'.repeat(16) + Array.from({ length: 16 }, () => below(256).toString(16).padStart(2, '0')).join('');
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const block = (type) => ({ type: new A.ImmutableString(type), parents: [], attrs: {} });

const EDITS = [
  (d) => A.splice(d, ['body'], below(d.body.length + 1), 0, pick(['x', 'héé', '🌍🌍', 'words and words'])),
  (d) => { const at = below(d.body.length); A.splice(d, ['body'], at, Math.min(5, d.body.length - at), 'R'); },
  (d) => { const [start, end] = stretch(d); A.mark(d, ['body'], { start, end, expand: pick(['both', 'none', 'before', 'after']) }, 'bold', true); },
  (d) => { const [start, end] = stretch(d); A.unmark(d, ['body'], { start, end, expand: 'after' }, 'bold'); },
  (d) => d.votes.increment(below(5)),
  (d) => d.votes.decrement(1),
  (d) => d.list.push(below(9)),
  (d) => { if (d.list.length) d.list.splice(below(d.list.length), 1); },
  (d) => { if (d.list.length) d.list[below(d.list.length)] = { v: below(5), t: ['a', 'b'] }; },
  (d) => { d.name = 'name ' + below(100); },
  (d) => { delete d.name; },
  (d) => d.nested.a.b.unshift({ deep: { deeper: 'text' } }),
  (d) => A.splitBlock(d, ['body'], below(d.body.length + 1), block('p')),
  (d) => {
    let at = 0;
    for (const span of A.spans(d, ['body'])) {
      if (span.type === 'block') return A.updateBlock(d, ['body'], at, block('h1'));
      at += span.value.length;
    }
  },
  (d) => A.updateText(d, ['body'], d.body.replace('e', 'EE')),
  (d) => {
    if (!d.extra) d.extra = { n: null };
    d.extra.n = d.list.length;
    d.fixed = new A.ImmutableString('fixed');
    d.half = 0.5;
    d.most = 9007199254740991;
  },
];

const stretch = (d) => {
  const start = below(d.body.length);
  return [start, start + below(d.body.length - start)];
};

const write = () => {
  const empty = A.init({ actor: actor() });
  const [skeleton] = A.applyChanges(empty, [bytes(SKELETON)]);
  const base = A.change(skeleton, { time: 0 }, (d) => {
    d.body = 'some text to edit 🌍';
    d.list = [1, 'two', { three: 3 }];
    d.votes = new A.Counter(1);
    d.nested = { a: { b: [] } };
    d.when = new Date(0);
    d.bin = new Uint8Array([1, 2]);
    A.splice(d, ['title'], 0, 0, 'a title');
  });
  const replicas = [0, 1, 2].map(() => A.clone(base, { actor: actor() }));
  const old = replicas.map((replica) => A.clone(replica, { actor: actor() }));
  for (let step = 0; step < STEPS; step += 1) {
    const at = below(3);
    const edit = pick(EDITS);
    switch (below(12)) {
      case 0:
        replicas[at] = A.merge(replicas[at], replicas[(at + 1) % 3]);
        break;
      case 1:
        replicas[at] = A.emptyChange(replicas[at], { time: 0 });
        break;
      case 2: // an older state, edited by a fresh actor
        replicas[at] = A.merge(replicas[at], A.change(old[at], { time: 0 }, edit));
        old[at] = A.clone(replicas[at], { actor: actor() });
        break;
      default:
        replicas[at] = A.change(replicas[at], { time: 0 }, edit);
    }
  }
  const all = A.merge(A.merge(replicas[0], replicas[1]), replicas[2]);
  return A.getAllChanges(all).map((change) => Buffer.from(change).toString('hex')).join('\n') + '\n';
};

process.stdout.write(Array.from({ length: DOCUMENTS }, write).join('\n'));
