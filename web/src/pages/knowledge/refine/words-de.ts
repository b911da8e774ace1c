/**
 * What refines a knowledge base, in German.
 *
 * @module web/pages/knowledge/refine/words-de
 */
import type { Words } from './words-en.ts';

export const de: Words = {
  again: 'Noch einmal versuchen',
  known: 'Wie viel bekannt ist',
  knownMore:
    'Von {{ entities }} Namen, auf die es ankommt, unter {{ names }}: welcher Art sie sind, ein Satz, der sagt, was sie sind, und wie sie zu anderen stehen.',
  knownNone: 'Noch kommt es auf keinen Namen an: nehmen Sie mehr Dokumente auf.',
  score: '{{ percent }} vollständig',
  pillars: { type: 'Art', summary: 'Satz', relations: 'Beziehungen' },
  lacking: 'Am wenigsten bekannt ist über',
  dreams: 'Träume',
  dreamsMore:
    'Ein Traum ist ein Lauf, der mehr über Namen herausfindet. Für alles, was er sagt, steht ein Satz Ihrer Dokumente, und ein Lauf lässt sich als Ganzes rückgängig machen.',
  run: 'Jetzt träumen',
  budget: 'Höchstens',
  budgets: { m1: 'eine Minute', m10: '10 Minuten', h1: 'eine Stunde', h8: '8 Stunden' },
  model: 'Es lesen',
  models: {
    none: 'Regeln allein',
    auto: 'Regeln, dann ein Modell des Knotens',
    own: 'Regeln, dann {{ model }}',
  },
  calls: 'Stellen, die ein Modell lesen darf',
  mergesToo: 'Namen vereinen, wo das sicher ist',
  began: 'Der Traum hat begonnen.',
  none: 'Bisher gab es keinen.',
  runs: 'Bisherige Träume',
  of: 'Traum {{ id }}',
  states: { running: 'Läuft', done: 'Fertig', stopped: 'Angehalten', undone: 'Rückgängig gemacht' },
  gained: '{{ before }} bis {{ after }} vollständig',
  found: '{{ types }} Arten, {{ summaries }} Sätze, {{ relations }} Beziehungen, {{ merges }} Vereinigungen',
  read: '{{ calls }} Stellen gelesen von {{ model }}: {{ kept }} Werte übernommen, {{ refused }} abgelehnt',
  stoppedBy: {
    budget: 'Seine Zeit war um.',
    busy: 'Andere brauchten die Maschine.',
    model: 'Das Modell versagte.',
  },
  journal: 'Was er tat',
  journalHide: 'Verbergen, was er tat',
  journalNone: 'Er fand nichts zu sagen.',
  more: 'Mehr zeigen',
  kinds: { merged: 'Vereint', read: 'Gelesen' },
  saidBy: { rule: 'nach einer Regel', model: 'laut einem Modell', owner: 'von Ihnen' },
  gone: 'zurückgenommen',
  undo: 'Rückgängig machen',
  undoTitle: 'Traum {{ id }} rückgängig machen?',
  undoMore:
    'Alles, was er sagte, seine Vereinigungen und Gewichte werden zurückgenommen. Was andere oder Sie sagten, gilt wieder. Sein Protokoll bleibt.',
  undone: 'Traum {{ id }} ist rückgängig gemacht.',
  merges: 'Namen für dasselbe',
  mergesMore:
    'Zwei Namen, die für eines stehen, lassen sich vereinen; das lässt sich jederzeit rückgängig machen. Von selbst wird nichts vereint.',
  proposals: 'Wahrscheinlich dasselbe',
  proposalsNone: 'Keine zwei Namen sehen aus, als wären sie dasselbe.',
  accept: 'Vereinen',
  acceptOf: '{{ alias }} und {{ entity }} vereinen',
  same: '{{ alias }} ist {{ entity }}',
  alias: 'Dieser Name',
  entity: 'steht für',
  merge: 'Vereinen',
  merged: '{{ alias }} steht jetzt für {{ entity }}.',
  held: 'Bisher vereint',
  heldNone: 'Bisher keine.',
  unmerge: 'Wieder trennen',
  unmergeOf: '{{ alias }} und {{ entity }} wieder trennen',
  unmerged: '{{ alias }} ist wieder ein eigener Name.',
};
