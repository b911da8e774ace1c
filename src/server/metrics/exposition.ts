/**
 * Writes metrics as text: Prometheus' exposition format 0.0.4, or OpenMetrics 1.0 where the reader asks for it.
 *
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics 1.0 specification.
 *
 * @module server/metrics/exposition
 */
import type { Histogram } from '../../base/index.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram';
export type LabelValues = Readonly<Record<string, string>>;

/** What a metric is. `labels` are the names that its samples carry. */
export interface Family {
  /** Counters end in `_total`. */
  readonly name: string;
  readonly type: MetricType;
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

export const contentTypes = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;
export type Format = keyof typeof contentTypes;

/** What an `Accept` header asks for; OpenMetrics only when it is named and not refused. */
export function formatFor(accept: string | undefined): Format {
  const part = (accept ?? '').split(',').find((each) => /^\s*application\/openmetrics-text\b/i.test(each));
  return part !== undefined && !/;\s*q=0(\.0*)?\s*(;|$)/.test(part) ? 'openMetrics' : 'prometheus';
}

export class Exposition {
  readonly #format: Format;
  readonly #parts: string[] = [];
  #family: Family | null = null;

  constructor(format: Format) {
    this.#format = format;
  }

  /** Starts a family; the samples that follow are its own. */
  family(family: Family): this {
    this.#family = family;
    // OpenMetrics names a counter without the suffix that its samples have.
    const name =
      this.#format === 'openMetrics' && family.type === 'counter'
        ? family.name.replace(/_total$/, '')
        : family.name;
    this.#parts.push(`# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.type}\n`);
    return this;
  }

  /** One sample; null (unknown) writes none. */
  sample(value: number | null, labels: LabelValues = {}): this {
    if (value === null) return this;
    this.#parts.push(`${this.#family!.name}${labelText(labels)} ${numberText(value)}\n`);
    return this;
  }

  /**
   * @param bounds ascending, in the histogram's unit; each an exact bound of it
   * @param scale what its unit is worth in the metric's: 0.001 for ms in seconds
   */
  histogram(histogram: Histogram, bounds: readonly number[], scale: number, labels: LabelValues): this {
    const { name } = this.#family!;
    const counts = histogram.cumulative(bounds);
    const own = labelText(labels);
    const open = own === '' ? '{' : `${own.slice(0, -1)},`;
    let text = '';
    for (let index = 0; index < bounds.length; index++)
      text += `${name}_bucket${open}le="${boundText(bounds[index]! * scale)}"} ${counts[index]}\n`;
    this.#parts.push(
      text,
      `${name}_bucket${open}le="+Inf"} ${histogram.count}\n`,
      `${name}_sum${own} ${numberText(histogram.sum * scale)}\n`,
      `${name}_count${own} ${histogram.count}\n`,
    );
    return this;
  }

  text(): string {
    return this.#parts.join('') + (this.#format === 'openMetrics' ? '# EOF\n' : '');
  }
}

function labelText(labels: LabelValues): string {
  let text = '';
  for (const [name, value] of Object.entries(labels))
    text += `${text === '' ? '{' : ','}${name}="${escapeLabel(value)}"`;
  return text === '' ? '' : `${text}}`;
}

/** Backslash, quote and line feed are escaped; other control characters have no place in a label. */
function escapeLabel(value: string): string {
  return value
    .replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
    .replace(/[\u0000-\u001f\u007f]/g, '?');
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

const boundTexts = new Map<number, string>();

/** Bounds are floating-point numbers in OpenMetrics: `1.0`. There are a few dozen different ones. */
function boundText(value: number): string {
  let text = boundTexts.get(value);
  if (text === undefined) {
    text = Number.isInteger(value) ? `${value}.0` : String(value);
    boundTexts.set(value, text);
  }
  return text;
}
