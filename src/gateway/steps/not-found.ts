/**
 * The answer to a model that nobody has.
 *
 * @module gateway/steps/not-found
 */
import { InputError, KithError, nearest } from '../../base/index.ts';
import { isOpen, type Question } from './question.ts';

export async function notFound(
  model: string | null,
  task: Question['task'],
  names: () => Promise<readonly string[]>,
): Promise<InputError> {
  if (isOpen(model))
    return new InputError(
      'model_not_found',
      `No default ${task} model is configured: name one in \`model\`.`,
      { status: 404, param: 'model' },
    );
  return modelNotFound(model!, nearest(model!, await names()));
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
