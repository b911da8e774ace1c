/**
 * The commands of knowledge bases on the disks of peers (`kith vpk`, `kith rag connect-eve`).
 *
 * @module cli/vault-commands
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add } from './program.ts';
import { placedFilterOptions } from './rag-filter.ts';
import { addEngine } from './vault-engine-commands.ts';
import { addGrant, grantOption } from './vault-grant-commands.ts';

const eveOption = (what: string) =>
  new Option(
    '--eve <peer...>',
    `${what}; Name=PeerId says who runs it, so that copies go to different people`,
  );
const replicasOption = () =>
  new Option('--replicas <n>', 'copies of everything (default: 2)').argParser(whole(1, 8));
const modeOption = () =>
  new Option(
    '--mode <mode>',
    'split: Eves of two operators can search in it without learning anything; awaits independent review. perturbed: weak, and off until vault.perturbed is switched on (default: sealed)',
  ).choices(['sealed', 'split', 'perturbed']);
const daysOption = () =>
  new Option(
    '--days <n>',
    'days that the space is asked for (default: 30, or fewer where an Eve gives fewer)',
  ).argParser(whole(1, 3660));
const quotaOption = () =>
  new Option('--quota <bytes>', 'space asked of each, such as 500MB (default: twice its size)');

const passphraseOptions = (what: string) => [
  new Option('--passphrase-file <file>', `file with ${what}, one line`).argParser((path) => resolve(path)),
  new Option('--passphrase', `ask in the terminal for ${what}`),
];
const NEW_PASSPHRASE = 'a passphrase that is to open it beside the key, wherever it is restored';
const ITS_PASSPHRASE = 'the passphrase with which it was placed';

export function addVpk(program: Command, add: Add): void {
  const vpk = program
    .command('vpk')
    .description('keep knowledge bases, sealed, on the disks of peers who cannot read them')
    .exitOverride();
  type Name = keyof typeof import('./commands/vpk.ts');
  const load = (name: Name) => async () => ({ default: (await import('./commands/vpk.ts'))[name] });
  const loadStorage = (name: 'enable' | 'disable' | 'status') => async () => ({
    default: (await import('./commands/storage.ts'))[name],
  });
  add(
    vpk,
    'enable',
    'lend space to peers from the next start on (as kith storage init)',
    [homeOption()],
    loadStorage('enable'),
  );
  add(
    vpk,
    'disable',
    'lend no space from the next start on; what is kept stays',
    [homeOption()],
    loadStorage('disable'),
  );
  add(
    vpk,
    'status',
    'what this node lends, and what others keep of its knowledge bases',
    [homeOption(), jsonOption()],
    load('status'),
  );
  examples(
    add(
      vpk,
      'discover [peer...]',
      'list who announces to lend space, and on which terms, and ask them; or ask those named',
      [homeOption(), new Option('--no-ask', 'only what is announced'), jsonOption()],
      async () => ({ default: (await import('./commands/vpk-discover.ts')).discover }),
    ),
    'kith vpk discover',
    'kith vpk discover --no-ask',
  );
  const tenant = vpk.command('tenant').description('what peers keep of a knowledge base').exitOverride();
  const place = [
    homeOption(),
    eveOption('peers that are to keep it'),
    modeOption(),
    replicasOption(),
    daysOption(),
    quotaOption(),
    ...passphraseOptions(NEW_PASSPHRASE),
    jsonOption(),
  ];
  examples(
    add(tenant, 'create <kb>', 'place a knowledge base on the disks of peers', place, load('place')),
    'kith vpk tenant create notes --eve 12D3KooWA... --eve Ben=12D3KooWB...',
    'kith vpk tenant create notes --mode split --eve Ada=12D3KooWA... --eve Ben=12D3KooWB...',
  );
  add(
    tenant,
    'list',
    'knowledge bases that are on the disks of peers',
    [homeOption(), jsonOption()],
    load('list'),
  );
  add(
    tenant,
    'info <kb>',
    'where a knowledge base lies, and what its Eves say',
    [homeOption(), jsonOption()],
    load('info'),
  );
  examples(
    add(
      tenant,
      'resize <kb> <bytes>',
      'ask all of its Eves for so much space; nothing moves',
      [homeOption(), jsonOption()],
      load('resize'),
    ),
    'kith vpk tenant resize notes 2GB',
  );
  add(
    tenant,
    'delete <kb>',
    'delete what peers keep of a knowledge base; the knowledge base itself stays',
    [homeOption(), new Option('--yes', 'do not ask'), jsonOption()],
    load('remove'),
  );
  add(
    vpk,
    'upload <kb>',
    'bring what peers keep up to date: what changed is sent, what is gone is erased',
    [homeOption(), jsonOption()],
    load('sync'),
  );
  add(vpk, 'sync <kb>', 'the same as upload', [homeOption(), jsonOption()], load('sync'));
  examples(
    add(
      vpk,
      'rebalance <kb>',
      'take other Eves, another mode, more space or another number of copies, and move what has to move',
      [
        homeOption(),
        new Option('--add <peer...>', 'peers that are to keep it, too; Name=PeerId says who runs one'),
        new Option('--drop <peer...>', 'peers that are to keep it no more'),
        new Option(
          '--mode <mode>',
          'the mode from now on; what is there is removed once the new one stands',
        ).choices(['sealed', 'split', 'perturbed']),
        new Option('--eve <Name=peer...>', 'who runs Eves that it has already; split has to know it of all'),
        new Option('--quota <bytes>', 'space asked of each from now on, such as 500MB'),
        replicasOption(),
        daysOption(),
        jsonOption(),
      ],
      load('rebalance'),
    ),
    'kith vpk rebalance notes --add 12D3KooWC... --drop 12D3KooWA...',
    'kith vpk rebalance notes --mode split --eve Ada=12D3KooWA... --eve Ben=12D3KooWB...',
  );
  add(vpk, 'repair <kb>', 'make copies again that were lost', [homeOption(), jsonOption()], load('repair'));
  examples(
    add(
      vpk,
      'search <kb> <question...>',
      'search a knowledge base where it lies, without fetching it: by meaning alone',
      [
        homeOption(),
        new Option('-k, --k <n>', 'how many passages').argParser(whole(1, 50)).default(10),
        ...placedFilterOptions(),
        new Option('--eve <peer...>', 'peers that know where it lies, when it was not placed from here'),
        grantOption(),
        ...passphraseOptions(ITS_PASSPHRASE),
        new Option('--verbose', 'show times, bytes, and who learned what'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/vpk-search.ts')).search }),
    ),
    'kith vpk search notes "Where is the blue notebook?"',
    'kith vpk search notes "Where is the blue notebook?" --eve 12D3KooWA... --verbose',
  );
  add(
    vpk,
    'check <kb>',
    'ask each Eve for pieces at random of what she took; exit code 3 when one cannot show them',
    [
      homeOption(),
      new Option('--questions <n>', 'pieces asked of each (default: 20)').argParser(whole(1, 1000)),
      jsonOption(),
    ],
    load('check'),
  );
  add(
    vpk,
    'resolve [peer...]',
    'find what peers keep for the key of this node, or what a grant opens',
    [homeOption(), grantOption(), jsonOption()],
    load('resolve'),
  );
  addGrant(vpk, add);
  examples(
    add(
      vpk,
      'restore <source>',
      'make a knowledge base of what peers keep, on any machine that has the key',
      [
        homeOption(),
        new Option('--eve <peer...>', 'peers to ask (default: those that announce that they lend space)'),
        new Option('--as <name>', 'how it is called here (default: as where it was placed)'),
        new Option('--folder <dir>', 'where its file is kept (default: knowledge.folder)'),
        grantOption(),
        ...passphraseOptions(ITS_PASSPHRASE),
        jsonOption(),
      ],
      load('restore'),
    ),
    'kith vpk restore notes --eve 12D3KooWA...',
    'kith vpk restore notes --grant notes.grant',
    'kith vpk restore notes --eve 12D3KooWA... --passphrase',
  );
  examples(
    add(
      vpk,
      'bench',
      'measure what keeping vectors plainly, sealed, split and perturbed costs on this machine; takes some minutes',
      [
        new Option('--vectors <n>', 'how many').argParser(whole(1000, 1_000_000)).default(50_000),
        new Option('--dimensions <n>', 'numbers of each').argParser(whole(192, 4096)).default(384),
        new Option('--queries <n>', 'questions').argParser(whole(1, 10_000)).default(200),
        new Option('--eves <list>', 'numbers of Eves (default: 1,2,5,11)'),
        new Option('--rtt <list>', 'waits before each answer, ms (default: 0,25,92)'),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/vpk-bench.ts')).bench }),
    ),
    'kith vpk bench --vectors 50000 --dimensions 384 --queries 200',
    'kith vpk bench --eves 2 --rtt 25',
  );
  addEngine(vpk, add);
}

/** `kith rag connect-eve`: the same as `kith vpk tenant create`. */
export function addConnectEve(rag: Command, add: Add): void {
  examples(
    add(
      rag,
      'connect-eve <name>',
      'keep it, sealed, on the disks of peers who cannot read it (as kith vpk tenant create)',
      [
        homeOption(),
        eveOption('peers that are to keep it'),
        modeOption(),
        replicasOption(),
        daysOption(),
        quotaOption(),
        ...passphraseOptions(NEW_PASSPHRASE),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/vpk.ts')).place }),
    ),
    'kith rag connect-eve notes --eve 12D3KooWA... --eve 12D3KooWB...',
  );
}
