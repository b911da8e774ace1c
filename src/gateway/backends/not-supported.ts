/**
 * Refusals made here, before a server is asked for what its kind cannot do.
 *
 * @module gateway/backends/not-supported
 */
import { UpstreamError } from '../upstream/index.ts';

/** `kind` of servers cannot do `what`; `param` is the request's field that asks for it. */
export function notSupported(kind: string, what: string, param?: string): UpstreamError {
  return new UpstreamError(
    'not_supported',
    'not_supported',
    `Servers of kind ${kind} do not support ${what}. Ask another backend, or leave it out.`,
    { ...(param === undefined ? {} : { param }) },
  );
}
