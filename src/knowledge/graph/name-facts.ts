/**
 * What is known of names chunk by chunk beside where they stand: how they are written, what speaks for a type, and the dates that
 * texts give. A view over mentions, texts and properties, as `ChunkNames` is over mentions.
 *
 * @module knowledge/graph/name-facts
 */
import type { StoredChunk, StoredDocument } from '../store/index.ts';
import type { Mention } from '../types.ts';
import { type Dated, datesIn, type PropertyDate, propertyDates } from './dates.ts';
import { normalForm, shortTitle } from './normal.ts';
import { cleanName, isGeneric, isQuestionHeading } from './structure.ts';
import {
  decided,
  type Evidence,
  evidenceOfDocument,
  evidenceOfSurface,
  type TypeSaid,
} from './type-rules.ts';

/** A chunk as it is taken in. The document is wanted for its first chunk alone. */
export interface FactsSource {
  readonly chunk: Pick<StoredChunk, 'row' | 'document' | 'position' | 'text'>;
  readonly mentions: readonly Pick<Mention, 'surface' | 'extractor'>[];
  readonly document: Pick<StoredDocument, 'title' | 'properties' | 'aliases' | 'links'> | null;
}

export interface ChunkFacts {
  readonly document: number;
  readonly dates: readonly Dated[];
  /** Of the document; those of its first chunk alone. */
  readonly propertyDates: readonly PropertyDate[];
  /** By which the document is known, its title first; those of its first chunk alone. */
  readonly known: readonly string[];
}

/** A way in which a name is written. Each is one object, however many chunks have it. */
interface Writing {
  readonly form: string;
  readonly surface: string;
  readonly weight: number;
}

interface Kept extends ChunkFacts {
  readonly written: readonly Writing[];
  readonly evidence: readonly (readonly [form: string, evidence: Evidence])[];
  /** What is above it, and nothing more than that: no title, no link, not in its text. */
  readonly headings: readonly string[];
}

/** Most names are written in one way, and nothing says of what type they are: so these cost one object each. */
interface Form {
  surface: string;
  weight: number;
  others: Map<string, number> | null;
  evidence: Map<Evidence, number> | null;
}

/** A tag says little about capitals. */
const WEIGHT = 4;
const TAG_WEIGHT = 1;
/** Aliases of one document that are kept. */
const MOST_KNOWN = 50;
const NONE: readonly never[] = [];
/** A heading in so many documents, and in such a share of them, is one that all have. */
const LEAST_SHARED = 4;
const SHARED = 0.08;
/** And of the chunks that have the name at least so many have it as their heading alone. */
const ALONE = 0.6;

export class NameFacts {
  readonly #rows = new Map<number, Kept>();
  readonly #forms = new Map<string, Form>();
  readonly #writings = new Map<string, Writing>();
  /** Of headings: documents, with the chunks below it in each. */
  readonly #headings = new Map<string, Map<number, number>>();
  readonly #documents = new Map<number, number>();

  get rows(): ReadonlyMap<number, ChunkFacts> {
    return this.#rows;
  }

  put({ chunk, mentions, document }: FactsSource): void {
    this.remove(chunk.row);
    const written = new Map<string, Writing>();
    const evidence: (readonly [string, Evidence])[] = [];
    const write = (surface: string, weight: number): string => {
      const writing = this.#writing(surface, weight);
      if (writing.form !== '' && !written.has(surface)) written.set(surface, writing);
      return writing.form;
    };
    for (const { surface, extractor } of mentions) {
      if (written.has(surface)) continue;
      const form = write(surface, extractor === 'tag' ? TAG_WEIGHT : WEIGHT);
      if (form === '') continue;
      evidence.push(...evidenceOfSurface(surface, form));
      const short = extractor === 'title' ? shortTitle(surface) : null;
      if (short !== null) write(short, WEIGHT);
    }
    if (document !== null) evidence.push(...evidenceOfDocument(document, chunk.text));
    const others = new Set(mentions.flatMap((each) => (each.extractor === 'heading' ? [] : [each.surface])));
    const headings = mentions.flatMap(({ surface, extractor }) =>
      extractor === 'heading' && !others.has(surface) ? [normalForm(surface)] : [],
    );
    const dates = datesIn(chunk.text);
    const kept: Kept = {
      document: chunk.document,
      dates: dates.length === 0 ? NONE : dates,
      propertyDates: document === null ? NONE : propertyDates(document.properties),
      known: document === null ? NONE : [document.title, ...document.aliases.slice(0, MOST_KNOWN)],
      written: [...written.values()],
      evidence: evidence.length === 0 ? NONE : evidence,
      headings: headings.length === 0 ? NONE : headings,
    };
    this.#rows.set(chunk.row, kept);
    for (const { form, surface, weight } of kept.written) this.#count(form, surface, weight);
    for (const [form, each] of kept.evidence) this.#weigh(form, each, 1);
    add(this.#documents, kept.document, 1);
    for (const form of kept.headings) this.#head(form, kept.document, 1);
  }

  remove(row: number): void {
    const kept = this.#rows.get(row);
    if (kept === undefined) return;
    this.#rows.delete(row);
    add(this.#documents, kept.document, -1);
    for (const form of kept.headings) this.#head(form, kept.document, -1);
    for (const [form, each] of kept.evidence) this.#weigh(form, each, -1);
    for (const { form, surface, weight } of kept.written) this.#count(form, surface, -weight);
  }

  /**
   * Whether a name is but a part of how documents are built: by its words, as a question, or since it is a heading of many of them.
   *
   * @param chunks that have it @param isTitle whether a document is about it
   */
  isStructure(form: string, chunks: number, isTitle: boolean): boolean {
    if (isGeneric(form)) return true;
    if (isTitle) return false;
    const documents = this.#headings.get(form);
    if (documents === undefined) return false;
    if (isQuestionHeading(form, this.#mostly(form))) return true;
    if (documents.size < Math.max(LEAST_SHARED, SHARED * this.#documents.size)) return false;
    let below = 0;
    for (const count of documents.values()) below += count;
    return below >= ALONE * chunks && this.typeOf([form]) === null;
  }

  /** As a name is mostly written, without emoji and marks of anchors; the form itself where it stands nowhere by itself. */
  writtenAs(form: string): string {
    return cleanName(this.#mostly(form));
  }

  #mostly(form: string): string {
    const known = this.#forms.get(form);
    if (known === undefined || (known.weight <= 0 && known.others === null)) return form;
    let best = known.surface;
    let most = known.weight;
    for (const [surface, weight] of known.others ?? [])
      if (weight > most || (weight === most && surface < best)) {
        best = surface;
        most = weight;
      }
    return best === '' ? form : best;
  }

  /** What rules say of a name that is written in these forms; null when nothing does, or they contradict each other. */
  typeOf(forms: readonly string[]): TypeSaid | null {
    const all = new Map<Evidence, number>();
    for (const form of forms)
      for (const [evidence, count] of this.#forms.get(form)?.evidence ?? [])
        all.set(evidence, (all.get(evidence) ?? 0) + count);
    return all.size === 0 ? null : decided(all);
  }

  #writing(surface: string, weight: number): Writing {
    const key = weight === WEIGHT ? surface : `${weight}\0${surface}`;
    let writing = this.#writings.get(key);
    if (writing === undefined) {
      writing = { form: normalForm(surface), surface, weight };
      this.#writings.set(key, writing);
    }
    return writing;
  }

  #form(form: string): Form {
    let known = this.#forms.get(form);
    if (known === undefined) {
      known = { surface: '', weight: 0, others: null, evidence: null };
      this.#forms.set(form, known);
    }
    return known;
  }

  #count(form: string, surface: string, weight: number): void {
    const known = this.#form(form);
    if (known.surface === surface) known.weight += weight;
    else if (known.weight === 0 && weight > 0 && !known.others?.has(surface)) {
      known.surface = surface;
      known.weight = weight;
    } else {
      known.others ??= new Map();
      const sum = (known.others.get(surface) ?? 0) + weight;
      if (sum > 0) known.others.set(surface, sum);
      else known.others.delete(surface);
      if (known.others.size === 0) known.others = null;
    }
    this.#sweep(form, known);
  }

  #head(form: string, document: number, count: number): void {
    let documents = this.#headings.get(form);
    if (documents === undefined) {
      documents = new Map();
      this.#headings.set(form, documents);
    }
    add(documents, document, count);
    if (documents.size === 0) this.#headings.delete(form);
  }

  #weigh(form: string, evidence: Evidence, count: number): void {
    const known = this.#form(form);
    known.evidence ??= new Map();
    const sum = (known.evidence.get(evidence) ?? 0) + count;
    if (sum > 0) known.evidence.set(evidence, sum);
    else known.evidence.delete(evidence);
    if (known.evidence.size === 0) known.evidence = null;
    this.#sweep(form, known);
  }

  #sweep(form: string, { weight, others, evidence }: Form): void {
    if (weight === 0 && others === null && evidence === null) this.#forms.delete(form);
  }
}

function add(counts: Map<number, number>, key: number, count: number): void {
  const sum = (counts.get(key) ?? 0) + count;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}
