/**
 * Importing this module holds every answer of every node in this process to the API document, whoever asks. An answer
 * that the document does not allow fails the test during which it was given.
 *
 * @module test/openapi/watch
 */
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, afterEach } from 'node:test';
import { Response } from '../../src/server/http/response.ts';
import { openApiDocument } from '../../src/server/openapi/document.ts';
import { createValidator } from './validate.ts';

const validator = createValidator(openApiDocument('0.0.0-test'));
const faults: string[] = [];
/** Answers checked so far, by status. */
export const checked = new Map<number, number>();

function watch(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  const { write, end } = response;
  const take = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') {
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
    } else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  let seen = false;
  const check = (complete: boolean) => {
    // Other servers of a test (model hubs, hooks) name no request.
    if (seen || !(response instanceof Response)) return;
    const { written } = response;
    if (!String(written['x-request-id'] ?? '').startsWith('req-')) return;
    seen = true;
    const headers = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, String(value)]));
    const { method = '', url: target = '' } = request;
    const { statusCode: status } = response;
    const body = Buffer.concat(chunks).toString();
    checked.set(status, (checked.get(status) ?? 0) + 1);
    for (const fault of validator.check({ method, target, status, headers, body, complete })) {
      faults.push(`${method} ${target} ${status}: ${fault}`);
    }
  };
  response.write = function (this: ServerResponse, ...args: unknown[]) {
    take(args[0], args[1]);
    return Reflect.apply(write, this, args);
  } as ServerResponse['write'];
  response.end = function (this: ServerResponse, ...args: unknown[]) {
    take(args[0], args[1]);
    // Before the last byte leaves: the test that waits for it finds the fault noted.
    check(true);
    return Reflect.apply(end, this, args);
  } as ServerResponse['end'];
  response.once('close', () => {
    if (response.headersSent) check(false);
  });
}

channel('http.server.request.start').subscribe((message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  watch(request, response);
});

/** Takes the faults noted so far. */
export function takeFaults(): string[] {
  return faults.splice(0);
}

function assertNone(): void {
  const found = takeFaults();
  const more = found.length > 10 ? `\n... and ${found.length - 10} more` : '';
  assert.equal(
    found.length,
    0,
    `Answers that the API document does not allow:\n${found.slice(0, 10).join('\n')}${more}`,
  );
}

afterEach(assertNone);
after(assertNone);
