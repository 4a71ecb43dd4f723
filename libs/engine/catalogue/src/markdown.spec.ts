import { describe, expect, it } from '@jest/globals';
import { event, f } from '#kernel';
import { markdown } from './markdown.js';

const leg = f.record('a leg of the way', { miles: f.integer('miles', 'how far') });

const page = markdown({
  'desk.walked.v2': event(['ticket'], 'walk', 'Somebody walked.', {
    by: f.id('who'),
    how: f.code('in which way', ['slowly', 'fast']),
    place: f.optional(f.term('where to')),
    thoughts: f.text('on the way'),
    home: f.nullable(f.instant('back home')),
    legs: f.list('the way', leg),
    stops: f.list('rests', f.record('a rest', { at: f.name('`HH:MM`') })),
  }),
  'desk.ran.v1': event(['*'], 'run', 'Somebody ran.', { leg }),
  'desk.slept.v1': event(['ticket', 'complaint'], 'time', 'Nobody moved.', {}),
});

describe('The page of events', () => {
  it('names each event with its version, its streams and who emits it', () => {
    expect(page).toContain('## desk.walked.v2\n\nSomebody walked.\n');
    expect(page).toContain('`desk.walked`, version 2 · stream `ticket-<id>` · emitted by walk');
    expect(page).toContain('stream of any kind · emitted by run');
    expect(page).toContain('stream `ticket-<id>`, `complaint-<id>` · emitted by time\n\nNo fields.');
  });

  it('says of each field its type, its unit, and whether it is sealed', () => {
    expect(page).toContain('| `by` | id | clear | who |');
    expect(page).toContain('| `how` | `slowly`, `fast` | clear | in which way |');
    expect(page).toContain('| `place` | term (optional) | id clear, text sealed | where to |');
    expect(page).toContain('| `thoughts` | text | sealed | on the way |');
    expect(page).toContain('| `home` | instant or null | clear | back home |');
  });

  it('shows a record in its place, and once where several events carry it', () => {
    expect(page).toContain(
      '| `stops` | list of record | clear | rests |\n| `stops[].at` | name | clear | `HH:MM` |',
    );
    expect(page).toContain('| `legs` | list of [A leg of the way](#a-leg-of-the-way) | clear | the way |');
    expect(page.match(/^### /gm)).toHaveLength(1);
    expect(page).toContain('### A leg of the way\n\n| field | type | stored | meaning |');
    expect(page).toContain('| `miles` | integer, miles | clear | how far |');
  });

  it('links each stored name to its section', () => {
    expect(page).toContain('[`desk.ran.v1`](#deskranv1)');
  });

  it('refuses a stored name without a version', () => {
    expect(() => markdown({ 'desk.ran': event(['ticket'], 'run', 'Ran.', {}) })).toThrow('.v1');
  });
});
