/** `kith rag share ...`, and questions to several knowledge bases. @module cli/commands/rag-share */
import { open } from 'node:fs/promises';
import { formatCount, formatDuration, formatPlural, InputError, isErrno } from '../../base/index.ts';
import type {
  AcceptedGrant,
  FederatedQuery,
  FederatedView,
  GivenGrant,
  GrantOrder,
  GrantView,
} from '../../server/index.ts';
import { parseDuration } from '../duration.ts';
import { exitCode, UsageError } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { withRag } from '../rag-desk.ts';

/** Bytes of a file with a grant, at most. */
const GRANT_FILE = 16_384;
/** Characters of a hit that are shown. */
const SHOWN = 500;
/** Characters of a PeerId that name it in a table; its beginning is the same for all. */
const PEER_SHOWN = 8;

const argument = ({ args }: Invocation, at = 0): string => String(args[at]);
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const stateShown: Readonly<Record<GrantView['state'], string>> = {
  holds: 'holds',
  to_come: 'to come',
  expired: 'expired',
  revoked: 'revoked',
};
const partShown = ({ filter }: Pick<GrantView, 'filter'>): string =>
  filter === null
    ? 'all'
    : [...(filter.paths ?? []), ...(filter.tags ?? []).map((tag) => `#${tag}`)].join(', ');
const peerShown = (peer: string): string => `…${peer.slice(-PEER_SHOWN)}`;

function spanOf(options: Invocation['options'], name: string): number {
  const ms = parseDuration(String(options[name]));
  if (ms === null)
    throw new UsageError(
      `--${name} is a span of time such as 12h, 30d or 1y, not '${String(options[name])}'.`,
    );
  return ms;
}

/** For several knowledge bases, unless said. */
const DEADLINE_MS = 10_000;

function listOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : null;
}

function filterOf({ path, tag }: Invocation['options']): NonNullable<GrantOrder['filter']> | null {
  const [paths, tags] = [listOf(path), listOf(tag)];
  if (paths === null && tags === null) return null;
  return { ...(paths === null ? {} : { paths }), ...(tags === null ? {} : { tags }) };
}

export const give: Handler = async (invocation) => {
  const { options } = invocation;
  if (options.with === undefined)
    throw new UsageError(
      'Say with whom: kith rag share NAME --with PEER, the PeerId that kith p2p info shows there.',
    );
  const filter = filterOf(options);
  const order: GrantOrder = {
    with: String(options.with),
    rights: options.rights as GrantOrder['rights'],
    forMs: spanOf(options, 'expires'),
    ...(filter === null ? {} : { filter }),
  };
  const given = await withRag(options, ({ desk }) => desk.shares.give(argument(invocation), order));
  if (options.json) {
    printJson(given);
    return;
  }
  say(
    `${given.kb} (${plain(partShown(given))}) is shared with ${given.holder} until ${day(given.until)} UTC.`,
  );
  say(asTyped('Send this line to its owner, who says: kith rag share accept LINE'));
  print(given.text);
  say(asTyped(`It ends at once with: kith rag share revoke ${given.id}`));
};

export const list: Handler = async ({ options }) => {
  const told = await withRag(options, async ({ desk: { shares } }) => ({
    given: await shares.given(),
    accepted: await shares.accepted(),
  }));
  if (options.json) {
    printJson(told);
    return;
  }
  if (told.given.length === 0 && told.accepted.length === 0) {
    print(asTyped('Nothing is shared. Share a knowledge base with: kith rag share NAME --with PEER'));
    return;
  }
  if (told.given.length > 0) {
    const head = ['GRANT', 'SHARED', 'WITH', 'WHAT', 'UNTIL (UTC)', 'STATE', 'ANSWERED', 'REFUSED'];
    print(table([head, ...told.given.map(givenRow)], [6, 7]));
    for (const { id, refusedWhy, refusedAt } of told.given)
      if (refusedWhy !== null && refusedAt !== null)
        say(
          `${paint('yellow', `${id.slice(0, 8)}:`, process.stderr)} last refused ${day(refusedAt)} UTC, since ${plain(refusedWhy)}`,
        );
  }
  if (told.accepted.length > 0) print(acceptedTable(told.accepted));
};

const givenRow = (grant: GivenGrant): string[] => [
  grant.id,
  `${grant.kb} (${grant.rights.join(', ')})`,
  peerShown(grant.holder),
  plain(partShown(grant)),
  day(grant.until),
  stateShown[grant.state],
  formatCount(grant.used),
  formatCount(grant.refused),
];

const acceptedTable = (grants: readonly AcceptedGrant[]): string =>
  table([
    ['GRANT', 'ASK', 'WHAT', 'UNTIL (UTC)', 'STATE'],
    ...grants.map((grant) => [
      grant.id,
      `@${grant.issuer.slice(-PEER_SHOWN)}:${grant.kb}`,
      plain(partShown(grant)),
      day(grant.until),
      stateShown[grant.state],
    ]),
  ]);

/** `kith rag list --shared`. */
export const listShared: Handler = async ({ options }) => {
  const accepted = await withRag(options, ({ desk }) => desk.shares.accepted());
  if (options.json) printJson(accepted);
  else if (accepted.length === 0)
    print(
      asTyped(
        'No peer shares a knowledge base with this node. Accept a grant with: kith rag share accept LINE',
      ),
    );
  else print(acceptedTable(accepted));
};

export const revoke: Handler = async (invocation) => {
  const { options } = invocation;
  const revoked = await withRag(options, ({ desk }) => desk.shares.revoke(argument(invocation)));
  if (options.json) printJson(revoked);
  else print(`Revoked: ${revoked.holder} can no longer ask ${revoked.kb} by this grant.`);
};

export const accept: Handler = async (invocation) => {
  const { options } = invocation;
  const given = invocation.args[0] === undefined ? null : argument(invocation);
  if ((given === null) === (options.from === undefined))
    throw new UsageError(
      'Give the line, a file with it, or --from PEER to ask a peer for all that it shares with this node.',
    );
  const taken =
    given === null
      ? await withRag(options, ({ desk }) => desk.shares.acceptFrom(String(options.from)))
      : [await acceptOne(options, given)];
  if (options.json) {
    printJson(taken);
    return;
  }
  for (const grant of taken) {
    print(`${plain(grant.name)} (${plain(partShown(grant))}), until ${day(grant.until)} UTC`);
    print(asTyped(`Ask it: kith rag query @${grant.issuer.slice(-PEER_SHOWN)}:${grant.kb} "..."`));
  }
};

async function acceptOne(options: Invocation['options'], given: string): Promise<AcceptedGrant> {
  const text = given.startsWith('kith-grant:') ? given : await readSmall(given);
  return withRag(options, ({ desk }) => desk.shares.accept(text));
}

async function readSmall(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const bytes = Buffer.alloc(GRANT_FILE + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > GRANT_FILE)
      throw new InputError('grant_invalid', `${path} is larger than a grant can be (${GRANT_FILE} bytes).`);
    return bytes.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new InputError(
      'grant_invalid',
      `'${path.slice(0, 80)}' is no grant (kith-grant:...), and no file either.`,
    );
  }
}

export const forget: Handler = async (invocation) => {
  const { options } = invocation;
  const id = argument(invocation);
  await withRag(options, ({ desk }) => desk.shares.forget(id));
  if (options.json) printJson({ id });
  else print(`Forgot ${plain(id)}.`);
};

/** What the options of a question to peers say. */
function questionOf({ args, options }: Invocation): Omit<FederatedQuery, 'kbs'> {
  for (const name of ['type', 'glob', 'where', 'since', 'until'])
    if (options[name] !== undefined)
      throw new UsageError(
        `--${name} goes with one knowledge base of this node; --path and --tag with several.`,
      );
  const filter = filterOf(options);
  return {
    query: ((args[1] ?? []) as readonly string[]).join(' '),
    k: Math.min(50, Number(options.k ?? 5)),
    mode: options.mode as FederatedQuery['mode'],
    deadlineMs: (options.deadline as number | undefined) ?? DEADLINE_MS,
    privacy: options.privacy as FederatedQuery['privacy'],
    ...(filter === null ? {} : { filter }),
  };
}

/** `kith rag query @PEER:NAME ... --answer`: sentences of the peer's documents. */
export const answerByPeer: Handler = async (invocation) => {
  const { options } = invocation;
  if (options.writer !== undefined)
    throw new UsageError('Peers answer in sentences of their documents: leave --writer out.');
  const asked = { ...questionOf(invocation), kb: argument(invocation) };
  const { text, sources, ...told } = await withRag(options, ({ desk }) => desk.shares.answer(asked));
  const code = text === '' ? exitCode.failure : exitCode.ok;
  if (options.json) {
    printJson({ text, sources, ...told });
    return code;
  }
  if (text === '') say('The peer found nothing that answers.');
  else print(`${plain(text)}\n`);
  for (const [at, { path, title, place }] of sources.entries())
    print(paint('dim', `[${at + 1}] ${plain(path)}${whereOf(place)}: ${plain(title)}`));
  return code;
};

/** Behind a path: on which page or line. */
export const whereOf = ({ page, line }: { readonly page?: number; readonly line?: number }): string =>
  page === undefined ? (line === undefined ? '' : `, line ${line}`) : `, page ${page}`;

/** `kith rag query a,b,@PEER:NAME ...`. */
export const queryAll: Handler = async (invocation) => {
  const { options } = invocation;
  const asked: FederatedQuery = {
    ...questionOf(invocation),
    kbs: argument(invocation)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
  const found = await withRag(options, ({ desk }) => desk.shares.search(asked));
  const isWhole = found.sources.every(({ state }) => state === 'answered');
  const code = found.hits.length === 0 ? exitCode.failure : isWhole ? exitCode.ok : exitCode.degraded;
  if (options.json) printJson(found);
  else tell(found);
  return code;
};

function tell({ hits, sources, ms }: FederatedView): void {
  for (const [at, { title, text, place, places }] of hits.entries()) {
    const [first, ...others] = places.map(({ source, path }) => `${source} ${path}`);
    print(`${at + 1}. ${paint('bold', plain(first ?? ''))}${whereOf(place)}`);
    if (others.length > 0) print(paint('dim', `also ${plain(others.join(', '))}`));
    print(paint('dim', plain(title)));
    print(`${plain(text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text)}\n`);
  }
  if (hits.length === 0) say('Nothing was found.');
  for (const { source, state, hits: count, trouble, ms: took } of sources) {
    const what = state === 'answered' ? `${formatPlural(count, 'hit')} in ${formatDuration(took)}` : state;
    say(
      `${plain(source)}: ${what}${trouble === null ? '' : ` (${trouble.code}: ${plain(trouble.message)})`}`,
    );
  }
  say(`In ${formatDuration(ms)}`);
}
