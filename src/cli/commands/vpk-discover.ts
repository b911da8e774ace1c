/** `kith vpk discover`: who lends space, as it is announced and as it is answered. @module cli/commands/vpk-discover */
import { formatBytes, formatPlural } from '../../base/index.ts';
import type { EveView, HeardTerms } from '../../server/index.ts';
import { eveNames } from '../eve-names.ts';
import { scoreText } from '../eve-standing.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say, table } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';

const never = new AbortController().signal;

export const discover: Handler = async ({ args, options }) =>
  withRag(options, async ({ desk }) => {
    const typed = Array.isArray(args[0]) ? args[0].map(String) : [];
    const named = await eveNames(desk.vault, null).peers(typed);
    if (options.json) {
      printJson({ eves: await desk.vault.discover(named, options.ask !== false, never) });
      return exitCode.ok;
    }
    if (named.length === 0) {
      const heard = await desk.vault.discover([], false, never);
      if (heard.length === 0) {
        print(
          'No peer announces that it lends space. Name one that you know, or wait until its announcement came.',
        );
        return exitCode.ok;
      }
      print(heardTable(heard));
      if (options.ask === false) return exitCode.ok;
      say(`Asking ${formatPlural(heard.length, 'peer')} for what they would give this node:`);
    }
    const answered = await desk.vault.discover(named, true, never);
    print(answeredTable(answered));
    if (!answered.some(({ open }) => open))
      say(
        asTyped(
          'None of them lends space to this node. Ask an owner to name it a friend there (swarm.friends), by the PeerId that kith p2p info shows here.',
        ),
      );
    return exitCode.ok;
  });

/** What peers announce: sizes are at least these. */
function heardTable(eves: readonly EveView[]): string {
  return table(
    [
      ['HEARD OF', 'SCORE', 'LENDS TO', 'MODES', 'FREE', 'AT MOST', 'DAYS'],
      ...eves.map(({ peer, heard, standing }) => [
        ...[peer, scoreText(standing), heard === null ? paint('dim', 'does not say') : toText(heard)],
        ...[modesText(heard), aboutBytes(heard?.freeBytes), aboutBytes(heard?.largestBytes)],
        heard === null ? '' : String(heard.days),
      ]),
    ],
    [4, 5, 6],
  );
}

/** The weak mode is called so wherever it stands. */
const modesText = (heard: HeardTerms | null): string =>
  (heard?.modes ?? []).map((mode) => (mode === 'perturbed' ? 'perturbed (weak)' : mode)).join(' ');

const toText = ({ to }: HeardTerms): string => (to === 'friends' ? 'friends' : `friends, ${to} and above`);

const aboutBytes = (bytes: number | undefined): string =>
  bytes === undefined ? '' : bytes === 0 ? 'full' : `${formatBytes(bytes)}+`;

function answeredTable(eves: readonly EveView[]): string {
  return table(
    [
      ['ASKED', 'SCORE', 'LENDS TO THIS NODE', 'MODES', 'FREE', 'AT MOST', 'DAYS', 'MS'],
      ...eves.map(({ peer, heard, answered, open, freeBytes, largestBytes, days, ms, trouble, standing }) => [
        peer,
        scoreText(standing),
        answered
          ? open
            ? 'yes'
            : 'no'
          : paint(
              'yellow',
              `${heard === null ? '' : 'heard of, no answer: '}${plain(trouble ?? '').slice(0, 60)}`,
            ),
        modesText(heard),
        freeBytes === null || !open ? '' : formatBytes(freeBytes),
        largestBytes === null || !open ? '' : formatBytes(largestBytes),
        days === null ? '' : String(days),
        ms === null ? '' : ms.toFixed(0),
      ]),
    ],
    [4, 5, 6, 7],
  );
}
