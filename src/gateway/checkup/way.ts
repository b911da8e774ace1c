/**
 * Checks of the way to a backend: connection, credentials, models.
 *
 * @module gateway/checkup/way
 */
import { messageOf, nearest } from '../../base/index.ts';
import { failureOf, UpstreamError } from '../upstream/index.ts';
import { explainWay } from './explain.ts';
import { type Reached, reach } from './reach.ts';
import { type Finding, inTime, type Visit } from './visit.ts';

const ms = (value: number): number => Math.round(value * 10) / 10;
const dayMs = 86_400_000;
/** A certificate that ends sooner is worth a word. */
const certificateDays = 14;

export async function checkConnection(visit: Visit): Promise<Finding> {
  const { address = null } = visit.options;
  if (address === null) return ownHealth(visit);
  visit.requests++;
  const way = await reach(address, visit.clock, visit.signal);
  visit.way = way;
  if (!way.ok)
    return {
      state: 'fail',
      ...explainWay(way, address.baseUrl, visit.checkMs),
      measured: { stage: way.stage },
    };
  const { host } = new URL(address.baseUrl);
  const daysLeft =
    way.certificateEnds === null ? null : Math.floor((way.certificateEnds - visit.clock.now()) / dayMs);
  const measured = {
    connectMs: ms(way.connectMs),
    tlsMs: way.tlsMs === null ? null : ms(way.tlsMs),
    statusMs: ms(way.statusMs),
    tls: way.protocol,
    certificateDays: daysLeft,
    status: way.status,
    server: way.server,
  };
  const wrong = wrongStatus(way, host);
  if (wrong !== null) return { ...wrong, measured };
  const who = way.server === null ? '' : ` from ${way.server}`;
  const tls = way.protocol === null ? '' : `, ${way.protocol} in ${ms(way.tlsMs ?? 0)} ms`;
  const message = `Connected to ${host} in ${ms(way.connectMs)} ms${tls}; status ${way.status}${who} after ${ms(way.statusMs)} ms.`;
  if (daysLeft !== null && daysLeft < certificateDays)
    return {
      state: 'warn',
      message: `${message} Its certificate ends in ${daysLeft} days.`,
      remedy: 'Renew the certificate of that server.',
      measured,
    };
  return { state: 'ok', message, measured };
}

/** What of a status means that no API answers; the rest says something to the other checks. */
function wrongStatus(way: Reached, host: string): Finding | null {
  const { status, contentType } = way;
  if (status >= 300 && status < 400)
    return {
      state: 'fail',
      code: 'upstream_redirect',
      message: `${host} sends requests on to ${way.redirectHost ?? 'nowhere'} (status ${status}), which is not followed.`,
      remedy: 'Write the address that it sends on to as its `url`, if you trust it.',
    };
  const page = contentType === 'text/html' || contentType === 'application/xhtml+xml';
  if (status >= 500)
    return {
      state: 'fail',
      code: 'upstream_server_error',
      message: `${host} answers with status ${status}${page ? ' and a web page: a proxy stands before a server that does not answer' : ''}.`,
      remedy: 'Look at the log of that server, and whether it is up.',
    };
  if (page && status < 400)
    return {
      state: 'fail',
      code: 'upstream_content_type',
      message: `A web page answers at ${host} (text/html), not an API.`,
      remedy:
        'Check that its `url` ends as the API wants it, usually in /v1, and that no login page stands before it.',
    };
  return null;
}

/** Without a server there is only what the backend says of itself. */
async function ownHealth(visit: Visit): Promise<Finding> {
  const health = await inTime(visit.backend.health(visit.signal), visit.signal);
  if (health === null)
    return {
      state: 'fail',
      message: `It did not say how it is within ${Math.round(visit.checkMs / 1000)} s.`,
      remedy: 'Look at `kith logs`.',
    };
  const measured = { latencyMs: health.latencyMs, status: health.status };
  const message =
    health.message ??
    (health.latencyMs === null
      ? 'It is at rest and starts with the first request.'
      : `It answers within ${ms(health.latencyMs)} ms.`);
  if (health.answers === false) return { state: 'fail', message, remedy: 'Look at `kith logs`.', measured };
  return health.status === 'degraded'
    ? { state: 'warn', message, remedy: 'Look at `kith logs`.', measured }
    : { state: 'ok', message, measured };
}

/** By the list of models, which some servers show to anybody, and by the first answer, which none gives to anybody. */
export function checkCredentials(visit: Visit): Finding {
  const { address = null, credentials = false } = visit.options;
  if (address === null) return { state: 'ok', message: 'None are needed: it is no other server.' };
  const status = visit.way?.ok === true ? visit.way.status : null;
  const error = visit.first?.error ?? null;
  const refused = failureOf(error) === 'auth';
  if (refused || ((status === 401 || status === 403) && visit.first?.error !== null)) {
    const said = error instanceof UpstreamError ? ` It says: ${messageOf(error)}` : '';
    const code = error instanceof UpstreamError ? error.code : 'upstream_auth';
    return credentials
      ? {
          state: 'fail',
          message: `It does not accept the configured API key (status ${error instanceof UpstreamError ? (error.upstreamStatus ?? status) : status}).${said}`,
          remedy: 'Correct the API key of this backend, and check what the key may do there.',
          code,
        }
      : {
          state: 'fail',
          message: `It asks for an API key, and none is configured.${said}`,
          remedy: 'Configure an API key for this backend.',
          code,
        };
  }
  if (visit.first === null || error !== null || visit.first.late)
    return { state: 'skipped', message: 'It gave no answer by which to tell.' };
  return { state: 'ok', message: credentials ? 'The configured API key is accepted.' : 'It asks for none.' };
}

export async function checkModels(visit: Visit): Promise<Finding> {
  const { way, backend, options } = visit;
  let listed: readonly string[] | null;
  if (way?.ok === true) listed = idsIn(way.body);
  else {
    const rows = await inTime(backend.models(), visit.signal);
    listed = rows?.map(({ id }) => id) ?? null;
  }
  const wanted = [...new Set(options.models ?? [])];
  if (listed === null) {
    const status = way?.ok === true ? ` (status ${way.status})` : '';
    if (way?.ok === true && (way.status === 401 || way.status === 403))
      return { state: 'skipped', message: `It shows its models to none but accepted keys${status}.` };
    return {
      state: 'warn',
      message: `It does not list its models${status}.`,
      remedy: wanted.length > 0 ? null : 'Name the models of this backend in its configuration.',
      measured: { listed: null, configured: wanted.length },
    };
  }
  const measured = { listed: listed.length, configured: wanted.length };
  if (listed.length === 0)
    return {
      state: 'fail',
      message: 'It lists no models.',
      remedy: 'Load a model on that server.',
      measured,
    };
  const missing = wanted.filter((id) => !listed.includes(id));
  if (missing.length > 0) {
    const near = nearest(missing[0]!, [...listed]);
    return {
      state: 'fail',
      message: `It does not list ${missing
        .slice(0, 5)
        .map((id) => `'${id}'`)
        .join(
          ', ',
        )}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''} of the configuration.${near === null ? '' : ` It has '${near}'.`}`,
      remedy: 'Correct the names in the configuration of this backend, or load the models there.',
      measured: { ...measured, missing: missing.length },
    };
  }
  const configured = wanted.length === 0 ? '' : ', the configured ones among them';
  return {
    state: 'ok',
    message: `It lists ${listed.length === 1 ? '1 model' : `${listed.length} models`}${configured}.`,
    measured,
  };
}

/** Ids of a list of models as servers write it; null when it is none. */
function idsIn(body: unknown): string[] | null {
  const rows = Array.isArray(body)
    ? body
    : ((body as { data?: unknown; models?: unknown } | null)?.data ??
      (body as { models?: unknown } | null)?.models);
  if (!Array.isArray(rows)) return null;
  return rows.slice(0, 20_000).flatMap((row: { id?: unknown; name?: unknown } | null) => {
    const id = row?.id ?? row?.name;
    return typeof id === 'string' && id !== '' && id.length <= 200 ? [id] : [];
  });
}
