/**
 * What one conversation keeps of its personal data: which placeholder stands for which value, both ways.
 *
 * It lives in memory, belongs to one conversation of one owner, and is never written to a log. Only what was replaced
 * here is restored here.
 *
 * @module gateway/privacy/conversation
 */
import { LimitError } from '../../base/index.ts';
import { type DetectOptions, detect, resolveOverlaps } from './detect.ts';
import { knownNames, nameWords } from './known-names.ts';
import { KnownValues } from './known-values.ts';
import { coreOf, formOf, formsIn, LABELS, looseForms, MAX_NUMBER } from './placeholders.ts';
import { Restorer, type RestorerOptions } from './restore.ts';
import type { FoundClass, Tally } from './tally.ts';
import type { PiiClass, Span } from './types.ts';
import { UrlTracker } from './urls.ts';
import { TextView } from './view.ts';

export interface ConversationOptions extends DetectOptions {
  /** Different values that are kept. @default 10000 */
  readonly maxValues?: number;
  /** UTF-16 units of all values together. @default 4194304 */
  readonly maxUnits?: number;
}

/** For the owner only. */
export interface KeptValue {
  readonly placeholder: string;
  readonly class: PiiClass;
  readonly kind: string | null;
  readonly value: string;
  /** How often it was replaced. */
  readonly count: number;
}

interface Entry {
  readonly core: string;
  readonly class: PiiClass;
  readonly kind: string | null;
  readonly value: string;
  count: number;
  /** It stood in an address, so it may stand in one again. */
  inUrl: boolean;
}

/** All that a conversation keeps, as plain data: for the owner's processes only, never for a log or a file. */
export interface ConversationState {
  readonly entries: readonly Readonly<Entry>[];
  readonly next: readonly (readonly [label: string, number: number])[];
  readonly taken: readonly string[];
  readonly names: readonly string[];
  /** What was learnt and not replaced yet. */
  readonly values: readonly (readonly [value: string, name: PiiClass])[];
}

export interface HideOptions {
  /** What the text is, when something beside it says so: the key of a JSON value. */
  readonly cue?: string;
  /** Leave the brackets away: for fields that take letters, digits and `_` only. */
  readonly bare?: boolean;
  /** Replace the whole text, as a value of this class. */
  readonly whole?: PiiClass;
  readonly tally?: Tally;
  /** What `learn` returned for the same text and cue, so that it is not searched twice. */
  readonly learned?: readonly Span[];
}

const keyOf = (name: PiiClass, value: string) => `${name}\n${value}`;

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #maxValues: number;
  readonly #maxUnits: number;
  /** By class and value. */
  readonly #byValue = new Map<string, Entry>();
  readonly #byCore = new Map<string, Entry>();
  readonly #next = new Map<string, number>();
  /** Cores that stand in texts of the conversation and are nobody's placeholder. */
  readonly #taken = new Set<string>();
  readonly #names = new Set<string>();
  readonly #values = new KnownValues();
  #units = 0;

  constructor(options: ConversationOptions = {}) {
    this.#options = options;
    this.#maxValues = options.maxValues ?? 10_000;
    this.#maxUnits = options.maxUnits ?? 4_194_304;
  }

  state(): ConversationState {
    return {
      entries: [...this.#byValue.values()],
      next: [...this.#next],
      taken: [...this.#taken],
      names: [...this.#names],
      values: this.#values.all(),
    };
  }

  /** Goes on from a state, which has to be a later one of this conversation, or the first. */
  adopt({ entries, next, taken, names, values }: ConversationState): void {
    for (const entry of entries) {
      const key = keyOf(entry.class, entry.value);
      if (!this.#byValue.has(key)) this.#units += entry.value.length;
      const own = { ...entry };
      this.#byValue.set(key, own);
      this.#byCore.set(own.core, own);
    }
    for (const [label, number] of next) this.#next.set(label, number);
    for (const core of taken) this.#taken.add(core);
    for (const name of names) this.#names.add(name);
    for (const [value, name] of values) this.#values.add(value, name);
  }

  /** Learns names and texts that look like placeholders, so that texts that are hidden before this one know them too. */
  learn(text: string, cue = ''): readonly Span[] {
    for (const { core } of formsIn(text)) if (!this.#byCore.has(core)) this.#take(core);
    const spans = this.#detect(text, cue);
    for (const span of spans) this.#learn(text, span);
    return spans;
  }

  /**
   * The text with personal data replaced by placeholders.
   *
   * @throws LimitError when the conversation holds more values than it may; nothing may be sent then.
   */
  hide(text: string, options: HideOptions = {}): string {
    const { cue = '', bare = false, whole, tally, learned } = options;
    if (text === '') return text;
    const forms: Span[] = [];
    for (const { core, start, end } of formsIn(text)) {
      if (this.#byCore.has(core)) forms.push({ class: 'text', start, end, confidence: 1 });
      else this.#take(core);
    }
    let spans: readonly Span[];
    if (whole !== undefined) spans = [{ class: whole, start: 0, end: text.length, confidence: 1 }];
    else {
      const found = learned ?? this.#detect(text, cue);
      if (learned === undefined) for (const span of found) this.#learn(text, span);
      const known = this.#values.size === 0 ? [] : this.#known(text);
      spans =
        known.length + forms.length === 0 ? found : resolveOverlaps([...found, ...known, ...forms], text);
    }
    let replaced = this.#replace(text, spans, bare);
    if (formsIn(replaced.text).filter(({ core }) => this.#byCore.has(core)).length !== spans.length) {
      // What was replaced stood between a look-alike and the letter that told it from a placeholder.
      replaced = this.#replace(text, resolveOverlaps([...spans, ...looseForms(text)], text), bare);
    }
    for (const entry of replaced.entries) {
      entry.count++;
      tally?.add(entry.class, entry.core);
    }
    return replaced.text;
  }

  #replace(text: string, spans: readonly Span[], bare: boolean): { text: string; entries: Entry[] } {
    const entries: Entry[] = [];
    let out = '';
    let from = 0;
    const url = new UrlTracker();
    for (const span of spans) {
      const value = text.slice(span.start, span.end);
      const entry = this.#entry(span, value);
      entries.push(entry);
      url.seeAll(text.slice(from, span.start));
      const began = url.inside;
      url.seeAll(value);
      entry.inUrl ||= began || url.inside;
      out += text.slice(from, span.start) + (bare ? entry.core : formOf(entry.core));
      from = span.end;
    }
    return { text: out + text.slice(from), entries };
  }

  /**
   * The text with values in the places of this conversation's placeholders. In addresses they stay, or who wrote the text
   * would have a value sent to a server of theirs by whoever shows it; but for values that came in an address.
   */
  restore(text: string, options: RestorerOptions = {}): string {
    const restorer = this.restorer(options);
    return restorer.push(text) + restorer.end();
  }

  /** As `restore`, for a text that comes in pieces. */
  restorer(options: RestorerOptions = {}): Restorer {
    return new Restorer((core, inUrl) => {
      const entry = this.#byCore.get(core);
      return inUrl && entry?.inUrl !== true ? undefined : entry?.value;
    }, options);
  }

  /** Classes and counts of everything that was replaced so far. */
  found(): FoundClass[] {
    const tally = new Map<PiiClass, { count: number; distinct: number }>();
    for (const entry of this.#byCore.values()) {
      const known = tally.get(entry.class) ?? { count: 0, distinct: 0 };
      tally.set(entry.class, { count: known.count + entry.count, distinct: known.distinct + 1 });
    }
    return [...tally]
      .map(([name, counts]) => ({ class: name, ...counts }))
      .sort((a, b) => (a.class < b.class ? -1 : 1));
  }

  /** Everything that was replaced, with its value: for the owner's eyes, never for a log or a receipt. */
  values(): KeptValue[] {
    return [...this.#byCore.values()].map(({ core, kind, value, count, class: name }) => ({
      placeholder: formOf(core),
      class: name,
      kind,
      value,
      count,
    }));
  }

  #detect(text: string, cue: string): readonly Span[] {
    if (cue === '') return detect(text, this.#options).spans;
    // A value in a JSON document has its cue in its key: it is read as `key: "value"`.
    const prefix = `${cue}: "`;
    const inside: Span[] = [];
    for (const span of detect(`${prefix}${text}"`, this.#options).spans) {
      const start = Math.max(0, span.start - prefix.length);
      const end = Math.min(text.length, span.end - prefix.length);
      if (end > start) inside.push({ ...span, start, end });
    }
    return inside;
  }

  #known(text: string): Span[] {
    const view = new TextView(text);
    return [...knownNames(view, this.#names), ...this.#values.find(view)].map((span) => ({
      ...span,
      ...view.original(span.start, span.end),
    }));
  }

  #learn(text: string, span: Span): void {
    const value = text.slice(span.start, span.end);
    // More than may be replaced: `hide` refuses the request.
    if (this.#values.size <= this.#maxValues) this.#values.add(value, span.class);
    if (span.class !== 'name' || span.confidence < 0.7) return;
    for (const word of nameWords(value)) {
      if (this.#names.size < this.#maxValues) this.#names.add(word);
    }
  }

  #take(core: string): void {
    // Bounded as values are: past the bound new placeholders could be mistaken for texts, so there are none.
    if (this.#taken.size >= this.#maxValues * 10) {
      throw new LimitError(
        'privacy.placeholders',
        this.#maxValues * 10,
        `The conversation holds more than ${this.#maxValues * 10} texts that look like placeholders; start a new one.`,
        { status: 413 },
      );
    }
    this.#taken.add(core);
  }

  #entry(span: Span, value: string): Entry {
    const key = keyOf(span.class, value);
    const known = this.#byValue.get(key);
    if (known !== undefined) return known;
    this.#units += value.length;
    if (this.#byValue.size >= this.#maxValues || this.#units > this.#maxUnits) {
      throw new LimitError(
        'privacy.values',
        this.#maxValues,
        `The conversation holds more personal data than can be replaced (${this.#maxValues} values, ${this.#maxUnits} characters); send less, or start a new conversation.`,
        { status: 413 },
      );
    }
    const label = LABELS[span.class];
    let number = this.#next.get(label) ?? 1;
    while (this.#taken.has(coreOf(label, number))) number++;
    if (number > MAX_NUMBER) {
      throw new LimitError(
        'privacy.values',
        MAX_NUMBER,
        `More than ${MAX_NUMBER} placeholders of one kind.`,
        { status: 413 },
      );
    }
    this.#next.set(label, number + 1);
    const [core, kind] = [coreOf(label, number), span.kind ?? null];
    const entry = { core, class: span.class, kind, value, count: 0, inUrl: false };
    this.#byValue.set(key, entry);
    this.#byCore.set(entry.core, entry);
    return entry;
  }
}
