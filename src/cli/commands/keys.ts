/** `kith keys create|list|revoke|rotate`. Works on the file of the home, whether its node runs or not. @module cli/commands/keys */
import { formatCount, InputError, systemClock, systemRandom } from '../../base/index.ts';
import { checkKbNames } from '../../node/index.ts';
import {
  type ApiKey,
  isUsable,
  type KeyScope,
  type KeyStore,
  keyScopes,
  openKeyStore,
  usualScopes,
} from '../../server/index.ts';
import { parseDuration } from '../duration.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { settingsOf } from '../settings.ts';

function withKeys<T>({ options }: Invocation, work: (keys: KeyStore) => T): T {
  const { home } = settingsOf(options).config;
  using keys = openKeyStore(home, { clock: systemClock, random: systemRandom });
  return work(keys);
}

/** One key as `--json` prints it. */
function keyJson(key: ApiKey, text?: string) {
  return {
    id: key.id,
    name: key.name,
    state: stateOf(key),
    scopes: key.scopes,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
    requests_per_minute: key.requestsPerMinute,
    tokens_per_minute: key.tokensPerMinute,
    knowledge_bases: key.kbs,
    ...(text === undefined ? {} : { key: text }),
  };
}

function mayText({ scopes, kbs }: ApiKey): string {
  const text = scopes.length === keyScopes.length ? 'all' : scopes.join(',');
  return kbs === null ? text : `${text} in ${kbs.join(',')}`;
}

function stateOf(key: ApiKey): 'usable' | 'revoked' | 'expired' {
  if (key.revokedAt !== null) return 'revoked';
  return isUsable(key, systemClock.now()) ? 'usable' : 'expired';
}

export const create: Handler = async (invocation) => {
  const { args, options } = invocation;
  const kbs = (options.kb as readonly string[] | undefined) ?? null;
  if (kbs !== null) await checkKbNames(settingsOf(options).config, kbs);
  const made = withKeys(invocation, (keys) =>
    keys.create({
      name: String(args[0] ?? 'key'),
      scopes: scopesOf((options.scope as readonly string[] | undefined) ?? usualScopes),
      expiresAt:
        options.expires === undefined ? null : systemClock.now() + duration(options.expires, '--expires'),
      requestsPerMinute: (options.requestsPerMinute as number | undefined) ?? null,
      tokensPerMinute: (options.tokensPerMinute as number | undefined) ?? null,
      kbs,
    }),
  );
  show(invocation, made, `Key ${made.key.id} (${made.key.name}) may ${mayText(made.key)}.`);
};

export const rotate: Handler = async (invocation) => {
  const { args, options } = invocation;
  const graceMs = options.grace === undefined ? 0 : duration(options.grace, '--grace');
  const made = withKeys(invocation, (keys) => keys.rotate(idOf(args[0]), graceMs));
  const old = graceMs === 0 ? 'no longer works' : `works until ${timeText(systemClock.now() + graceMs)}`;
  show(invocation, made, `Key ${made.key.id} (${made.key.name}) has a new secret; the old one ${old}.`);
};

/** The key alone goes to stdout, so that a script can take it. */
function show({ options }: Invocation, { key, text }: { key: ApiKey; text: string }, what: string): void {
  if (options.json) {
    printJson(keyJson(key, text));
    return;
  }
  say(`${what} Keep it: it is shown this once.`);
  print(text);
}

export const list: Handler = async (invocation) => {
  const keys = withKeys(invocation, (store) => store.list());
  if (invocation.options.json) {
    printJson(keys.map((key) => keyJson(key)));
    return;
  }
  if (keys.length === 0) {
    say(asTyped('There are no keys. Make one with: kith keys create'));
    return;
  }
  const colours = { usable: 'green', revoked: 'dim', expired: 'yellow' } as const;
  const rows = keys.map((key) => [
    key.id,
    plain(key.name),
    mayText(key),
    rateText(key),
    timeText(key.createdAt),
    key.expiresAt === null ? 'never' : timeText(key.expiresAt),
    key.lastUsedAt === null ? 'never' : timeText(key.lastUsedAt),
    paint(colours[stateOf(key)], stateOf(key)),
  ]);
  print(table([['ID', 'NAME', 'MAY', 'PER MINUTE', 'CREATED', 'EXPIRES', 'LAST USED', 'STATE'], ...rows]));
};

export const revoke: Handler = async (invocation) => {
  const key = withKeys(invocation, (keys) => keys.revoke(idOf(invocation.args[0])));
  if (invocation.options.json) printJson(keyJson(key));
  else print(`Key ${key.id} (${key.name}) no longer works.`);
};

/** Whoever pastes the whole key means its id. */
function idOf(arg: unknown): string {
  const text = String(arg);
  return /^kith_([0-9a-z]+)(?:_|$)/.exec(text)?.[1] ?? text;
}

function scopesOf(words: readonly string[]): readonly KeyScope[] {
  const given = words.map((word) => word.trim());
  const unknown = given.find((word) => !(keyScopes as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new InputError(
      'config_invalid',
      `There is no scope '${unknown.slice(0, 80)}'; choose from ${keyScopes.join(', ')}.`,
    );
  }
  return given as KeyScope[];
}

function duration(value: unknown, option: string): number {
  const ms = parseDuration(String(value));
  if (ms === null) {
    throw new InputError(
      'config_invalid',
      `${option} takes a number and a unit, such as 30m, 12h, 30d, 8w or 1y, not '${String(value).slice(0, 80)}'.`,
    );
  }
  return ms;
}

function rateText({ requestsPerMinute, tokensPerMinute }: ApiKey): string {
  const parts = [
    ...(requestsPerMinute === null ? [] : [`${formatCount(requestsPerMinute)} requests`]),
    ...(tokensPerMinute === null ? [] : [`${formatCount(tokensPerMinute)} tokens`]),
  ];
  return parts.join(', ') || 'any';
}

const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
