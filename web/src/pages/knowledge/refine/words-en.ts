/**
 * What refines a knowledge base, in English: the complete dictionary, whose shape every other language has to match.
 *
 * @module web/pages/knowledge/refine/words-en
 */
export const en = {
  again: 'Try again',
  known: 'How much is known',
  knownMore:
    'Of {{ entities }} names that matter, out of {{ names }}: what kind they are, a sentence that says what they are, and how they stand to others.',
  knownNone: 'No name matters yet: take in more documents.',
  score: '{{ percent }} complete',
  pillars: { type: 'Kind', summary: 'Sentence', relations: 'Relations' },
  lacking: 'Least is known of',
  dreams: 'Dreams',
  dreamsMore:
    'A dream is a run that finds out more about names. Each thing that it says has a sentence of your documents that says so, and a run can be undone as a whole.',
  run: 'Dream now',
  budget: 'For at most',
  budgets: { m1: 'one minute', m10: '10 minutes', h1: 'one hour', h8: '8 hours' },
  model: 'Read by',
  models: {
    none: 'Rules alone',
    auto: 'Rules, then a model of the node',
    own: 'Rules, then {{ model }}',
  },
  calls: 'Passages that a model may read',
  mergesToo: 'Make names one where that is sure',
  began: 'The dream has begun.',
  none: 'There was none yet.',
  runs: 'Dreams so far',
  of: 'Dream {{ id }}',
  states: { running: 'Under way', done: 'Done', stopped: 'Stopped', undone: 'Undone' },
  gained: '{{ before }} to {{ after }} complete',
  found: '{{ types }} kinds, {{ summaries }} sentences, {{ relations }} relations, {{ merges }} merges',
  read: '{{ calls }} passages read by {{ model }}: {{ kept }} values kept, {{ refused }} refused',
  stoppedBy: {
    budget: 'Its time was up.',
    busy: 'Others wanted the machine.',
    model: 'The model failed.',
  },
  journal: 'What it did',
  journalHide: 'Hide what it did',
  journalNone: 'It found nothing to say.',
  more: 'Show more',
  kinds: { merged: 'Made one', read: 'Read' },
  saidBy: { rule: 'by a rule', model: 'by a model', owner: 'by you' },
  gone: 'taken back',
  undo: 'Undo',
  undoTitle: 'Undo dream {{ id }}?',
  undoMore:
    'All that it said, its merges and its weights are taken back. What others or you said holds again. Its journal stays.',
  undone: 'Dream {{ id }} is undone.',
  merges: 'Names for the same',
  mergesMore:
    'Two names that stand for one thing can be made one; that can be undone at any time. Nothing is made one by itself.',
  proposals: 'Probably the same',
  proposalsNone: 'No two names look as if they were the same.',
  accept: 'Make them one',
  acceptOf: 'Make {{ alias }} and {{ entity }} one',
  same: '{{ alias }} is {{ entity }}',
  alias: 'This name',
  entity: 'stands for',
  merge: 'Make them one',
  merged: '{{ alias }} stands for {{ entity }} now.',
  held: 'Made one so far',
  heldNone: 'None so far.',
  unmerge: 'Make them two again',
  unmergeOf: 'Make {{ alias }} and {{ entity }} two again',
  unmerged: '{{ alias }} is a name of its own again.',
} as const;

export type Words = Texts<typeof en>;
type Texts<T> = { readonly [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };
