/**
 * Whether a model is fit to read passages: it is given three of which is known what they state, before it may read any other.
 *
 * A small model fills the form that it is held to with whatever it likes: TinyLlama had one of 53 values right. What it says wrongly
 * about two names of one sentence no check of words would find.
 *
 * @module knowledge/dream/self-check
 */
import { KithError } from '../../base/index.ts';
import { normalForm } from '../graph/index.ts';
import type { Extractor } from '../types.ts';
import { checkReading, questionOf } from './reading.ts';

export interface Fitness {
  readonly fit: boolean;
  /** Values that it said and that are so, and those that are not. */
  readonly right: number;
  readonly wrong: number;
  /** That there are to say. */
  readonly of: number;
}

interface Known {
  readonly title: string;
  readonly text: string;
  readonly names: readonly string[];
  /** Type of each name, or several that are right. */
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly relations: readonly (readonly [subject: string, relations: readonly string[], object: string])[];
}

/** Of nothing that there is, so that no model knows it from elsewhere. */
const PASSAGES: readonly Known[] = [
  {
    title: 'Mara Lindqvist',
    text: 'Mara Lindqvist is a Danish architect. Mara Lindqvist was born in Odense.',
    names: ['Mara Lindqvist', 'Odense'],
    types: { 'Mara Lindqvist': ['Person'], Odense: ['Place', 'City', 'AdministrativeArea'] },
    relations: [['Mara Lindqvist', ['birthPlace'], 'Odense']],
  },
  {
    title: 'Red Harbour',
    text: 'Red Harbour is a film directed by Tomas Ferrin. It was filmed beside the sea.',
    names: ['Red Harbour', 'Tomas Ferrin'],
    types: { 'Red Harbour': ['Movie', 'CreativeWork'], 'Tomas Ferrin': ['Person'] },
    relations: [['Red Harbour', ['director'], 'Tomas Ferrin']],
  },
  {
    title: 'Northlight Company',
    text: 'Northlight Company is a manufacturer of lamps. Northlight Company was founded by Ida Brandt.',
    names: ['Northlight Company', 'Ida Brandt'],
    types: { 'Northlight Company': ['Organization', 'Corporation'], 'Ida Brandt': ['Person'] },
    relations: [['Northlight Company', ['founder'], 'Ida Brandt']],
  },
];
/** Of what it says so much must be right, and so much of what there is to say must be said. */
const PRECISION = 0.7;
const RECALL = 0.4;
const ANSWER_TOKENS = 400;

/** Three calls. @throws whatever the extractor throws */
export async function selfCheck(extractor: Extractor, signal: AbortSignal): Promise<Fitness> {
  let [right, wrong, of] = [0, 0, 0];
  for (const [at, { title, text, names, types, relations }] of PASSAGES.entries()) {
    of += Object.keys(types).length + relations.length;
    const mentions = names.map((surface) => ({
      ...{ surface, extractor: 'name' as const },
      span: [text.indexOf(surface), text.indexOf(surface) + surface.length] as const,
    }));
    const question = questionOf({ id: String(at).padStart(32, '0'), title, text }, mentions, () => true)!;
    const answer = await extractor.extract(question.messages, question.schema, {
      ...{ maxTokens: Math.min(ANSWER_TOKENS, Math.floor(extractor.context / 3)), temperature: 0, signal },
    });
    const formed = new Map(names.map((name) => [normalForm(name), name]));
    for (const { subject, property, relation, object, value } of checkReading(answer, question).found) {
      const is =
        property === 'type'
          ? types[formed.get(subject) ?? '']?.includes(value ?? '') === true
          : relations.some(
              ([who, which, whom]) =>
                normalForm(who) === subject && which.includes(relation ?? '') && normalForm(whom) === object,
            );
      if (is) right++;
      else wrong++;
    }
  }
  return { fit: right >= RECALL * of && right >= PRECISION * (right + wrong), right, wrong, of };
}

/** One self-check of each model. @throws KithError `model_unfit` */
export function createFitness(): (extractor: Extractor, signal: AbortSignal) => Promise<void> {
  const known = new Map<string, Fitness>();
  return async (extractor, signal) => {
    const found = known.get(extractor.id) ?? (await selfCheck(extractor, signal));
    known.set(extractor.id, found);
    if (found.fit) return;
    throw new KithError(
      'model_unfit',
      `${extractor.id} is too weak to read passages: of ${found.of} facts in three known passages it found ${found.right}, and said ${found.wrong} that are not so. Name a model of some billions of parameters, or none.`,
      { status: 422, details: { right: found.right, wrong: found.wrong, of: found.of } },
    );
  };
}
