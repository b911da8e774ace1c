/**
 * Checks of what answers can be held to: JSON by a schema, calls of tools; and vectors.
 *
 * @module gateway/checkup/forms
 */
import { failureOf } from '../upstream/index.ts';
import { explainAsk, explainError } from './explain.ts';
import { askIn, type Finding, inTime, spend, type Visit } from './visit.ts';

const schema = {
  type: 'object',
  properties: { colour: { type: 'string', enum: ['red', 'green', 'blue'] }, warm: { type: 'boolean' } },
  required: ['colour', 'warm'],
  additionalProperties: false,
};

/** The question does not speak of JSON: whoever answers with it was held to it. */
export async function checkJson(visit: Visit): Promise<Finding> {
  if (visit.options.abilities?.json === false) return notAble('JSON by a schema');
  const asked = await askIn(visit, {
    text: 'Which colour has a ripe tomato? Answer in one sentence.',
    maxTokens: 96,
    grammar: { kind: 'json_schema', schema },
  });
  const refused = refusal(asked.error, 'JSON by a schema', '`json: false`');
  if (refused !== null) return refused;
  const failed = explainAsk(asked, visit.checkMs);
  if (failed !== null) return failed;
  const value = parsed(asked.text);
  const measured = { parses: value !== undefined, fits: fits(value), finish: asked.finish };
  if (measured.fits) return { state: 'ok', message: 'Its answer is JSON and fits the schema.', measured };
  const remedy =
    'Write `json: false` into the `facts` of the model, so that requests that need JSON go elsewhere.';
  if (value === undefined && asked.finish === 'length')
    return {
      state: 'warn',
      message: 'Its answer was cut off at 96 tokens before its JSON was whole.',
      remedy: 'Ask again; if it stays so, write `json: false` into the `facts` of the model.',
      measured,
    };
  return value === undefined
    ? {
        state: 'fail',
        message: 'It ignores `response_format`: text came where JSON was asked for.',
        remedy,
        measured,
      }
    : { state: 'fail', message: 'It ignores the schema: JSON came that does not fit it.', remedy, measured };
}

export async function checkTools(visit: Visit): Promise<Finding> {
  if (visit.options.abilities?.tools === false) return notAble('tools');
  const asked = await askIn(visit, {
    text: 'What is the weather in Oslo?',
    maxTokens: 96,
    tools: [
      {
        name: 'weather',
        description: 'Tells the weather of a city.',
        parameters: {
          type: 'object',
          properties: { city: { type: 'string', enum: ['Oslo', 'Rome'] } },
          required: ['city'],
          additionalProperties: false,
        },
        strict: true,
      },
    ],
    toolChoice: { name: 'weather' },
  });
  const refused = refusal(asked.error, 'tools', '`tools: false`');
  if (refused !== null) return refused;
  const failed = explainAsk(asked, visit.checkMs);
  if (failed !== null) return failed;
  const call = asked.calls[0];
  const measured = { calls: asked.calls.length, finish: asked.finish };
  const remedy =
    'Write `tools: false` into the `facts` of the model, so that requests with tools go elsewhere.';
  if (call === undefined)
    return {
      state: 'fail',
      message: 'It ignores tools: text came where a call was asked for.',
      remedy,
      measured,
    };
  const given = parsed(call.arguments) as { city?: unknown } | undefined;
  if (call.name !== 'weather' || (given?.city !== 'Oslo' && given?.city !== 'Rome'))
    return { state: 'fail', message: 'It called a tool, but not with arguments that fit.', remedy, measured };
  return { state: 'ok', message: `It called the tool with ${call.arguments.slice(0, 60)}.`, measured };
}

const inputs = ['a dog', 'a puppy', 'the stock market'];
/** Float32 sums of some thousand squares are this exact. */
const normTolerance = 1e-3;

export async function checkEmbeddings(visit: Visit): Promise<Finding> {
  const { backend, options, signal } = visit;
  const model =
    options.embeddingModel === undefined ? backend.defaultModel('embedding') : options.embeddingModel;
  if (model === null) return { state: 'skipped', message: 'No embedding model is configured for it.' };
  visit.requests++;
  try {
    const answer = await inTime(backend.embed({ model, inputs, truncate: false, signal }), signal);
    if (answer === null)
      return {
        state: 'fail',
        message: `'${model}' gave no vectors within ${visit.checkMs / 1000} s.`,
        remedy: 'Look at the log of that server.',
      };
    const { vectors, dimension, tokens } = answer;
    spend(
      visit,
      tokens.reduce(
        (sum: number | null, each: number | null) => (sum === null || each === null ? null : sum + each),
        0,
      ),
    );
    const rows = inputs.map((_, index) => vectors.subarray(index * dimension, (index + 1) * dimension));
    const norms = rows.map((row) => Math.sqrt(dot(row, row)));
    const near = dot(rows[0]!, rows[1]!);
    const far = dot(rows[0]!, rows[2]!);
    const measured = {
      model,
      dimension,
      norm: Math.round(norms[0]! * 1e6) / 1e6,
      near: round(near),
      far: round(far),
    };
    const remedy = 'Check that it is an embedding model, and that the server pools and returns it as one.';
    if (!norms.every((norm) => Math.abs(norm - 1) < normTolerance))
      return {
        state: 'fail',
        message: `The vectors of '${model}' have no length of 1 (${measured.norm}).`,
        remedy,
        measured,
      };
    if (!(near > far))
      return {
        state: 'warn',
        message: `'${model}' finds "a dog" no closer to "a puppy" (${measured.near}) than to "the stock market" (${measured.far}).`,
        remedy,
        measured,
      };
    return {
      state: 'ok',
      message: `'${model}' gives vectors of ${dimension} numbers and length 1.`,
      measured,
    };
  } catch (error) {
    if (failureOf(error) === 'not_supported') return notAble('embeddings');
    return { state: 'fail', ...explainError(error), measured: { model } };
  }
}

function notAble(what: string): Finding {
  return { state: 'skipped', message: `It does not support ${what}, and is not asked for it.` };
}

/** A refusal is honest: requests that need it fail at once instead of going wrong. */
function refusal(error: unknown, what: string, setting: string): Finding | null {
  const failure = failureOf(error);
  if (failure === 'not_supported') return notAble(what);
  if (failure !== 'bad_request') return null;
  const { message, code } = explainError(error);
  return {
    state: 'warn',
    message: `It refuses ${what}: ${message}`,
    remedy: `Write ${setting} into the \`facts\` of the model, so that such requests go elsewhere.`,
    code,
  };
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fits(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { colour, warm, ...rest } = value as Record<string, unknown>;
  return (
    ['red', 'green', 'blue'].includes(colour as string) &&
    typeof warm === 'boolean' &&
    Object.keys(rest).length === 0
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
