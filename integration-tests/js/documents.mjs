// Opens a save of ours with JavaScript's Automerge, edits it as the given actor, and says what it sees.
//
// stdin   {"save": hex, "actor": hex, "item": id}
// stdout  {"before": seen, "after": seen, "changes": [hex, …], "save": hex}
//         seen = {"text": …, "marks": [[from, to, name], …], "title": …, "years": […]}

import * as Automerge from '@automerge/automerge';
import { readFileSync } from 'node:fs';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (some) => Buffer.from(some).toString('hex');
const scalar = (text) => new Automerge.ImmutableString(text);

function seen(doc) {
  const marks = Automerge.marks(doc, ['summary']).map((mark) => [mark.start, mark.end, mark.name]);
  marks.sort((a, b) => a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : 1));
  return {
    text: doc.summary,
    marks,
    title: String(doc.title),
    years: Object.keys(doc.finance.years).sort(),
  };
}

let doc = Automerge.load(bytes(asked.save), { actor: asked.actor });
const opened = Automerge.getHeads(doc);
const before = seen(doc);
const options = { time: 1500000000 };

doc = Automerge.change(doc, options, (d) => {
  const at = d.summary.indexOf('b');
  Automerge.splice(d, ['summary'], at, 0, '👩‍⚕️é');
  Automerge.mark(d, ['summary'], { start: 1, end: 5, expand: 'none' }, 'em', true);
  d.title = scalar('Named in JavaScript');
  d.finance.years['2018/19'] = true;
});
doc = Automerge.change(doc, options, (d) => {
  Automerge.splice(d, ['summary'], d.summary.length, 0, ' 😀 end');
  Automerge.unmark(d, ['summary'], { start: 1, end: 3, expand: 'none' }, 'strong');
  d.recommendations[asked.item] = { order: scalar('i'), removed: false, text: '' };
  Automerge.splice(d, ['recommendations', asked.item, 'text'], 0, 0, 'Agree 😀');
  delete d.finance.years['2017/18'];
});
doc = Automerge.change(doc, options, (d) => {
  Automerge.splitBlock(d, ['summary'], d.summary.length - 3, {
    type: scalar('heading'),
    parents: [],
    attrs: {},
  });
});

const changes = Automerge.getChanges(Automerge.view(doc, opened), doc).map(hex);
console.log(JSON.stringify({ before, after: seen(doc), changes, save: hex(Automerge.save(doc)) }));
