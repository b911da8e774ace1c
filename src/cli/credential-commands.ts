/**
 * The commands about credentials, all below `kith identity`.
 *
 * @module cli/credential-commands
 */
import { type Command, Option } from 'commander';
import { homeOption, jsonOption } from './options.ts';
import { passphraseOptions } from './passphrase.ts';
import type { Add, Load } from './program.ts';

const collect = (text: string, before: readonly string[] = []) => [...before, text];
const outOption = () => new Option('-o, --out <file>', 'file to write to (default: stdout)');
const claimOption = () =>
  new Option('--claim <name=value>', 'a claim of the type; as often as there are claims').argParser(collect);
const policyOptions = () => [
  new Option('--any-issuer', 'whether or not the policy accepts its issuer'),
  new Option('--status-list <file>', "its issuer's status list, when it came as a file"),
  new Option('--offline', 'use only status lists that are known, and fetch none'),
];

export function addCredentials(program: Command, add: Add): void {
  const identity =
    program.commands.find((command) => command.name() === 'identity') ??
    program.command('identity').description('the key of this node, and credentials').exitOverride();
  const fromIssue =
    (name: 'issue' | 'request' | 'revoke' | 'publishStatus'): Load =>
    async () => ({ default: (await import('./commands/credentials-issue.ts'))[name] });
  const fromUse =
    (name: 'verify' | 'challenge' | 'present'): Load =>
    async () => ({ default: (await import('./commands/credentials-use.ts'))[name] });
  const fromWallet =
    (name: 'importVc' | 'exportVc' | 'removeVc' | 'publishVc' | 'hideVc' | 'listVcs'): Load =>
    async () => ({ default: (await import('./commands/credentials-wallet.ts'))[name] });

  add(
    identity,
    'issue [type]',
    'sign a credential about somebody, with the key of this node',
    [
      homeOption(),
      new Option('--to <peer>', 'who it is about: a PeerId or did:key'),
      claimOption(),
      new Option('--request <file>', 'answer this request: type and subject come from it'),
      new Option('--as-requested', 'take over the claims that the request asks for'),
      new Option(
        '--valid-for <time>',
        "how long it counts, such as 30d (default: its type's longest lifetime)",
      ),
      new Option(
        '--status-url <url>',
        "https URL under which you will publish the status list, or 'none' (default: a list handed on as a file)",
      ),
      new Option('--format <format>', 'how it is signed')
        .choices(['data-integrity', 'vc+jwt'])
        .default('data-integrity'),
      outOption(),
      ...passphraseOptions(),
      jsonOption(),
    ],
    fromIssue('issue'),
  );
  add(
    identity,
    'request <type>',
    'write a signed request that an issuer can answer',
    [
      homeOption(),
      claimOption(),
      new Option('--issuer <peer>', 'who is asked: a PeerId or did:key (default: anyone)'),
      outOption(),
      ...passphraseOptions(),
      jsonOption(),
    ],
    fromIssue('request'),
  );
  add(
    identity,
    'revoke <digest>',
    'revoke a credential that this node issued, and publish the status list',
    [
      homeOption(),
      new Option('--reason <text>', 'why; kept here alone'),
      new Option(
        '--for-cause',
        'its subject misbehaved: everybody who trusts this issuer for its type counts it as misconduct',
      ),
      outOption(),
      ...passphraseOptions(),
      jsonOption(),
    ],
    fromIssue('revoke'),
  );
  add(
    identity,
    'publish-status',
    'sign the status lists that changed or end soon; a running node does so each night',
    [homeOption(), new Option('--all', 'every list, due or not'), ...passphraseOptions(), jsonOption()],
    fromIssue('publishStatus'),
  );
  add(
    identity,
    'verify <file>',
    'verify a credential or a presentation; - reads stdin',
    [
      homeOption(),
      new Option('--subject <peer>', 'who it has to be about'),
      ...policyOptions(),
      jsonOption(),
    ],
    fromUse('verify'),
  );
  add(
    identity,
    'challenge',
    'give out a challenge that a presentation to this node answers within 5 minutes, once',
    [homeOption(), jsonOption()],
    fromUse('challenge'),
  );
  add(
    identity,
    'present <digest...>',
    'show credentials of the wallet to one verifier',
    [
      homeOption(),
      new Option('--to <peer>', 'the verifier: a PeerId or did:key').makeOptionMandatory(),
      new Option('--challenge <text>', 'the challenge it gave out').makeOptionMandatory(),
      outOption(),
      ...passphraseOptions(),
      jsonOption(),
    ],
    fromUse('present'),
  );
  add(
    identity,
    'import-vc [file...]',
    'verify credentials and put them into the wallet; those that fail wait in quarantine',
    [
      homeOption(),
      new Option('--subject <peer>', 'who they have to be about'),
      new Option('--again', 'verify what is in quarantine once more'),
      new Option('--publish', 'show them to peers that connect'),
      ...policyOptions().slice(1),
      jsonOption(),
    ],
    fromWallet('importVc'),
  );
  add(
    identity,
    'export-vc <digest>',
    'write a credential that the wallet holds or this node issued, byte by byte as it was signed',
    [homeOption(), outOption()],
    fromWallet('exportVc'),
  );
  add(
    identity,
    'remove-vc <digest>',
    'remove a credential from the wallet',
    [homeOption(), jsonOption()],
    fromWallet('removeVc'),
  );
  add(
    identity,
    'publish-vc <digest...>',
    'show credentials about this node to peers that connect; they are shown nothing else of the wallet',
    [homeOption(), jsonOption()],
    fromWallet('publishVc'),
  );
  add(
    identity,
    'hide-vc <digest...>',
    'show credentials to peers no longer',
    [homeOption(), jsonOption()],
    fromWallet('hideVc'),
  );
  add(
    identity,
    'list-vcs',
    'list the credentials of the wallet, and whether they count now',
    [
      homeOption(),
      new Option('--issued', 'those that this node issued'),
      new Option('--quarantine', 'those that did not verify, and why'),
      new Option('--requests', 'requests made and answered'),
      jsonOption(),
    ],
    fromWallet('listVcs'),
  );
}
