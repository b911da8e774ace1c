/**
 * The answer to a model that nobody has.
 *
 * @module gateway/steps/not-found
 */
import { InputError, KithError, nearest } from '../../base/index.ts';
import { FORCE_PATH } from '../backends/paths/index.ts';
import { isOpen, type Question } from './question.ts';

export async function notFound(
  model: string | null,
  task: Question['task'],
  names: () => Promise<readonly string[]>,
): Promise<KithError> {
  if (isOpen(model))
    return new InputError(
      'model_not_found',
      `No default ${task} model is configured: name one in \`model\`.`,
      { status: 404, param: 'model' },
    );
  const known = await names();
  return noPath(model!, known) ?? modelNotFound(model!, nearest(model!, known));
}

/** For `MODEL@peers` and `MODEL@CIRCUIT`, where the model is known and no peer announces any of its blocks; else null. */
function noPath(asked: string, known: readonly string[]): KithError | null {
  const at = asked.lastIndexOf('@');
  const [model, way] = [asked.slice(0, at), asked.slice(at + 1)];
  if (at < 0 || !known.includes(model)) return null;
  if (way !== FORCE_PATH)
    return new InputError(
      'model_not_found',
      `There is no circuit '${way.slice(0, 100)}' for '${model.slice(0, 100)}'. \`kith shard circuits list\` shows those that are open.`,
      { status: 404, param: 'model' },
    );
  return new KithError(
    'path_gap',
    `No peer that this node knows of and may ask serves blocks of '${model.slice(0, 100)}'. Are they connected (\`kith p2p peers list\`)? \`kith shard plan ${model.slice(0, 100)} --explain\` says who is left out and why.`,
    { status: 503, retryAfter: 10, param: 'model' },
  );
}

export function modelNotFound(model: string, near: string | null): InputError {
  return new InputError(
    'model_not_found',
    `The model '${model.slice(0, 100)}' does not exist here. ${near === null ? '' : `Did you mean ${near}? `}GET /v1/models or \`kith models list\` names those that do.`,
    { status: 404, param: 'model' },
  );
}

/** s after which peers that were reached in the meantime have said what they have. */
const askAgainS = 2;

/** Nobody has the model, and some peers could not be asked for it: `who` with the reason of each. */
export function unheardOf(model: string, who: readonly string[]): KithError {
  return new KithError(
    'backends_unavailable',
    `Nobody that was reached has the model '${model.slice(0, 100)}', and some peers could not be asked for it. ${who.slice(0, 8).join('; ')}`,
    { status: 503, retryAfter: askAgainS, param: 'model' },
  );
}
