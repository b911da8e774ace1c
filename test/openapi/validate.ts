/**
 * Holds HTTP answers to the node's OpenAPI document: status, headers, content type, and every body, event of a stream
 * and line of JSON.
 *
 * @module test/openapi/validate
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApiDocument } from '../../src/server/openapi/document.ts';

export interface SeenAnswer {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** False when the connection ended before the answer did. */
  readonly complete: boolean;
}

interface Media {
  readonly schema?: object;
  readonly 'x-end'?: string;
  readonly 'x-events'?: Readonly<Record<string, object>>;
}
interface DocumentedAnswer {
  readonly headers?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, Media>>;
}
interface DocumentedOperation {
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

/** Headers of protection and of HTTP itself, which say nothing about the answer. */
const plainHeaders = /^x-(content-type-options|accel-buffering|frame-options)$/;
/** What the server says before it knows the route, in OpenAI's shape whatever the route's own is. */
const routeless = new Set([400, 401, 403, 404, 405, 408, 413, 415, 417, 429, 431, 500, 503]);
const routelessCodes =
  /"code":"(invalid_path|invalid_http|route_not_found|method_not_allowed|expectation_failed|stopping)"\}\}$/;

export interface Validator {
  /** What is wrong with the answer; empty when nothing is. */
  check(answer: SeenAnswer): string[];
  /** Schema of the document by its JSON pointer. */
  compile(pointer: string): ValidateFunction;
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

export function createValidator(document: OpenApiDocument): Validator {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  ajv.addSchema(document, 'kith');
  const compiled = new Map<string, ValidateFunction>();
  const compile = (pointer: string): ValidateFunction => {
    let validate = compiled.get(pointer);
    if (!validate) {
      validate = ajv.compile({ $ref: `kith#${pointer}` });
      compiled.set(pointer, validate);
    }
    return validate;
  };

  const paths = Object.keys(document.paths)
    .map((path) => ({ path, fits: patternOf(path) }))
    // Fixed texts before parameters, as the router has them, and what stands below a parameter before its rest.
    .sort(
      (a, b) =>
        Number(a.path.includes('{')) - Number(b.path.includes('{')) ||
        b.path.split('/').length - a.path.split('/').length,
    );

  function valid(pointer: string, value: unknown, where: string): string[] {
    const validate = compile(pointer);
    if (validate(value)) return [];
    return describe(validate.errors ?? [], value).map((fault) => `${where}${fault}`);
  }

  function parsed(text: string, pointer: string, where: string): string[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return [`${where}is not JSON: ${text.slice(0, 200)}`];
    }
    return valid(pointer, value, where);
  }

  function events(body: string, media: Media, pointer: string, complete: boolean): string[] {
    const faults: string[] = [];
    const blocks = body.split('\n\n');
    const rest = blocks.pop()!;
    if (complete && rest !== '') faults.push(`the stream ends inside an event: ${rest.slice(0, 200)}`);
    let ended = false;
    let failed = false;
    for (const [index, block] of blocks.entries()) {
      const where = `event ${index}: `;
      let name: string | null = null;
      let data: string | null = null;
      for (const line of block.split('\n')) {
        if (line.startsWith(':')) continue;
        if (line.startsWith('event: ')) name = line.slice(7);
        else if (line.startsWith('data: ') && data === null) data = line.slice(6);
        else faults.push(`${where}has the line ${JSON.stringify(line.slice(0, 200))}`);
      }
      if (data === null) continue;
      if (ended) faults.push(`${where}comes after the end`);
      if (data === media['x-end']) {
        ended = true;
        continue;
      }
      const named = media['x-events'];
      if (named && (name === null || !Object.hasOwn(named, name))) {
        faults.push(`${where}is named ${name}, which is not documented`);
        continue;
      }
      faults.push(
        ...parsed(data, named ? `${pointer}/x-events/${escaped(name!)}` : `${pointer}/schema`, where),
      );
      const type = /^\{"type":"([^"]+)"/.exec(data)?.[1];
      if (name !== null && type !== undefined && name !== type) {
        faults.push(`${where}is named ${name} and has the type ${type}`);
      }
      failed ||= name === 'error' || type === 'error' || data.startsWith('{"error":');
    }
    if (complete && media['x-end'] !== undefined && ended === failed) {
      faults.push(
        failed ? 'the stream ends well after an error' : `the stream ends without ${media['x-end']}`,
      );
    }
    return faults;
  }

  function bodyFaults(answer: SeenAnswer, documented: DocumentedAnswer, at: string): string[] {
    const { headers, body, complete, method } = answer;
    if (method === 'HEAD' || answer.status === 304) return body === '' ? [] : ['has a body'];
    if (documented.content === undefined) return body === '' ? [] : ['has a body that is not documented'];
    const type = (headers['content-type'] ?? '').split(';')[0]!.trim();
    const media = documented.content[type];
    if (!media) return [`content type '${type}' is not documented`];
    const pointer = `${at}/content/${escaped(type)}`;
    if (headers['content-encoding'] !== undefined) return [];
    if (type === 'text/event-stream') return events(body, media, pointer, complete);
    if (type === 'application/x-ndjson') {
      const lines = body.split('\n');
      const rest = lines.pop()!;
      const faults = lines.flatMap((line, i) => parsed(line, `${pointer}/schema`, `line ${i}: `));
      return complete && rest !== '' ? [...faults, 'the last line does not end'] : faults;
    }
    if (!complete) return [];
    if (type === 'application/json') return parsed(body, `${pointer}/schema`, '');
    return [];
  }

  function headerFaults(answer: SeenAnswer, documented: DocumentedAnswer): string[] {
    const faults: string[] = [];
    const known = documented.headers ?? {};
    for (const name of Object.keys(answer.headers)) {
      if (name.startsWith('x-') && !plainHeaders.test(name) && !Object.hasOwn(known, name)) {
        faults.push(`header ${name} is not documented`);
      }
    }
    for (const [name, { $ref }] of Object.entries(known)) {
      const key = $ref.slice($ref.lastIndexOf('/') + 1);
      const value = answer.headers[name];
      if (value === undefined) {
        if (document.components.headers[key]?.required === true) faults.push(`header ${name} is missing`);
      } else faults.push(...valid(`/components/headers/${escaped(key)}/schema`, value, `header ${name}: `));
    }
    return faults;
  }

  /** What fits no route is answered in the words of the API whose path it is. */
  function errorSchemaAbove(path: string): string {
    const above = Object.keys(document.paths).find(
      (each) => path === each || path.startsWith(`${each.replace(/(.)\/\{.*/, '$1')}/`),
    );
    if (above === undefined) return '/components/schemas/OpenAiError';
    const method = Object.keys(document.paths[above]!)[0]!;
    return `/paths/${escaped(above)}/${method}/responses/405/content/application~1json/schema`;
  }

  function check(answer: SeenAnswer): string[] {
    // Written for a client that had gone: nobody reads it.
    if (answer.status === 499) return [];
    const path = answer.target.split('?')[0]!.replace(/(.)\/$/, '$1');
    const match = paths.find(({ fits }) => fits.test(path));
    if (answer.method === 'OPTIONS' && answer.status === 204) {
      return answer.body === '' ? [] : ['an answer to OPTIONS has a body'];
    }
    const method = answer.method === 'HEAD' ? 'get' : answer.method.toLowerCase();
    const operation = match
      ? (document.paths[match.path]![method] as unknown as DocumentedOperation | undefined)
      : undefined;
    if (!operation || (answer.status >= 400 && routelessCodes.test(answer.body))) {
      if (!routeless.has(answer.status)) return [`${answer.status} from a route that is not documented`];
      if (answer.method === 'HEAD') return answer.body === '' ? [] : ['has a body'];
      return parsed(answer.body, errorSchemaAbove(path), '');
    }
    const documented = operation.responses[String(answer.status)];
    if (!documented) return [`status ${answer.status} is not documented`];
    const at = `/paths/${escaped(match!.path)}/${method}/responses/${answer.status}`;
    return [...headerFaults(answer, documented), ...bodyFaults(answer, documented, at)];
  }

  return { compile, check };
}

/** A last parameter takes the rest of the path: model ids may hold slashes. */
function patternOf(path: string): RegExp {
  const source = path
    .split('/')
    .map((part, i, parts) =>
      part.startsWith('{')
        ? i === parts.length - 1 && i > 1
          ? '.+'
          : '[^/]+'
        : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
}

/** Pointer, rule and value of the faults; of a union the faults that lie deepest, as those of the nearest member. */
function describe(errors: readonly ErrorObject[], value: unknown): string[] {
  const depth = Math.max(...errors.map(({ instancePath }) => instancePath.split('/').length));
  const union = errors.some(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf');
  const shown = union
    ? errors.filter(({ instancePath }) => instancePath.split('/').length === depth)
    : errors;
  return shown.slice(0, 6).map(({ instancePath, message, params }) => {
    const found = JSON.stringify(valueAt(value, instancePath)) ?? 'nothing';
    const detail = params.additionalProperty ?? params.allowedValues ?? params.allowedValue ?? '';
    return `${instancePath || '/'} ${message} ${JSON.stringify(detail)}; it is ${found.slice(0, 300)}`;
  });
}

function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split('/').slice(1)) {
    at = (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}
