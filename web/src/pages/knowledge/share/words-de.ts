/**
 * Shares and copies of knowledge bases in German.
 *
 * @module web/pages/knowledge/share/words-de
 */
import type { Words } from './words-en.ts';

export const de: Words = {
  again: 'Noch einmal versuchen',
  with: 'Wer darin suchen darf',
  withMore:
    'Ein Peer, dessen Besitzer Sie vertrauen, darf in dieser Wissensbasis oder einem Teil davon suchen, solange dieser Knoten läuft. Nichts wird kopiert, und Sie können es jederzeit beenden.',
  peer: 'PeerId',
  peerHint: 'Der andere Besitzer findet sie mit „kith p2p info“.',
  part: 'Nur unterhalb von',
  partHint: 'Eine Datei, oder ein Ordner, der auf / endet; leer: alles',
  tag: 'Nur mit dem Schlagwort',
  until: 'Für',
  times: { d1: 'einen Tag', d7: '7 Tage', d30: '30 Tage', d365: 'ein Jahr' },
  rights: 'Er darf auch Antworten holen, in Sätzen dieser Dokumente',
  give: 'Suchen lassen',
  given:
    'Schicken Sie diese Zeile dem anderen Besitzer, auf welchem Weg auch immer: niemand sonst kann sie gebrauchen.',
  givenLabel: 'Die Zeile der Erlaubnis',
  none: 'Niemand außer Ihnen.',
  list: 'Erlaubnisse',
  all: 'Alles',
  only: 'Nur {{ what }}',
  mayAnswer: 'und Antworten',
  states: {
    holds: 'bis {{ until }}',
    to_come: 'ab {{ from }}',
    expired: 'endete {{ until }}',
    revoked: 'widerrufen',
  },
  used: '{{ count }}-mal gefragt, zuletzt {{ at }}.',
  unused: 'Noch nicht benutzt.',
  refused: '{{ count }}-mal abgewiesen: {{ why }}',
  line: 'Ihre Zeile kopieren',
  revoke: 'Widerrufen',
  revokeOf: 'Die Erlaubnis von {{ peer }} widerrufen',
  revokeTitle: 'Sofort beenden?',
  revokeMore: '{{ peer }} kann ab jetzt nicht mehr in {{ kb }} suchen. Was er gelesen hat, hat er gelesen.',
  revoked: 'Die Erlaubnis von {{ peer }} ist widerrufen.',
  earlier: 'Vorbei',
  copies: 'Mitnehmen',
  copiesMore:
    'Beides wird auf der Maschine geschrieben, auf der der Knoten läuft, während die Wissensbasis benutzt wird, und geht nach einem Neustart weiter.',
  copy: 'Eine ganze Kopie',
  copyHint: 'Eine Datei mit allem. Auf einer anderen Maschine: kith rag import NAME DATEI',
  copyFile: 'Datei',
  replace: 'Eine Datei überschreiben, die da ist',
  copyDo: 'Kopie schreiben',
  notes: 'Notizen für Obsidian',
  notesHint:
    'Eine Notiz für jeden Namen, von dem die Dokumente erzählen. Noch einmal geschrieben ändert sich nur, was anders ist.',
  notesFolder: 'Ordner',
  notesDo: 'Notizen schreiben',
  begun: 'Es wird geschrieben.',
  writing: 'Schreibt',
  written: '{{ file }} ist geschrieben: {{ size }}.',
  notesWritten:
    '{{ folder }} ist geschrieben: {{ written }} Notizen neu oder geändert, {{ unchanged }} wie sie waren.',
  notesLeft: '{{ count }} blieben, wie sie sind, weil Sie sie geändert haben: lesen Sie sie zuerst ein.',
  failed: 'Es wurde nicht geschrieben: {{ why }}',
  theirs: 'Was Peers mit Ihnen teilen',
  theirsMore: 'Sie antworten von ihren eigenen Maschinen; nichts davon wird hier aufbewahrt.',
  theirsNone: 'Noch nichts.',
  accept: 'Eine Zeile, die ein Peer Ihnen schickte, oder seine PeerId',
  acceptDo: 'Annehmen',
  accepted: '{{ name }} kann jetzt gefragt werden.',
  acceptedNone: 'Dieser Peer teilt nichts mit diesem Knoten.',
  ask: 'In einem Terminal: kith rag query {{ name }} "WORTE"',
  forget: '{{ name }} vergessen',
  forgotten: '{{ name }} ist vergessen.',
};
