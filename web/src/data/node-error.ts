/**
 * What can go wrong between the page and its node.
 *
 * @module web/data/node-error
 */

export interface Fault {
  /** The node's own code, or `unreachable` and `connection_lost` when it did not answer or stopped in the middle. */
  readonly code: string;
  readonly message: string;
  /** HTTP status; 0 when there was none. */
  readonly status: number;
  readonly requestId: string | null;
}

export class NodeError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'NodeError';
    this.fault = fault;
  }
}

/** True when the node itself is gone, so that the same request may do well later. */
export function isGone(fault: Fault): boolean {
  return fault.code === 'unreachable' || fault.code === 'connection_lost' || fault.code === 'stopping';
}

export function unreachable(): NodeError {
  return new NodeError({
    code: 'unreachable',
    message: 'The node does not answer.',
    status: 0,
    requestId: null,
  });
}

export function faultIn(error: unknown): Fault {
  if (error instanceof NodeError) return error.fault;
  return unreachable().fault;
}

/** Error of a body in OpenAI's shape; anything else becomes `http_<status>`. */
export function faultOf(body: unknown, status: number, requestId: string | null): Fault {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  return {
    code: typeof error?.code === 'string' ? error.code : `http_${status}`,
    message: typeof error?.message === 'string' ? error.message : `The node answered with status ${status}.`,
    status,
    requestId,
  };
}
