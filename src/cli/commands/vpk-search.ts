/** `kith vpk search`: a knowledge base, searched where it lies. @module cli/commands/vpk-search */
import { formatBytes, formatDuration } from '../../base/index.ts';
import type { PlacedSearchView } from '../../server/index.ts';
import { eveNames } from '../eve-names.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { withRag } from '../rag-desk.ts';
import { filterOf } from '../rag-filter.ts';
import { vaultPassphrase } from '../vault-passphrase.ts';
import { whereOf } from './rag-share.ts';
import { grantLineOf } from './vpk-grant.ts';

/** Characters of a passage that are shown. */
const SHOWN = 600;

export const search: Handler = async ({ args, options }) => {
  const [kb, question] = args as unknown as [string, readonly string[]];
  const filter = filterOf(options);
  const order = {
    ...{ query: question.join(' '), k: Number(options.k) },
    ...(filter === null ? {} : { filter }),
  };
  const named = Array.isArray(options.eve) ? options.eve.map(String) : [];
  const grant = await grantLineOf(options);
  const passphrase = await vaultPassphrase(options, 'known');
  const { signal } = new AbortController();
  const found = await withRag(options, async ({ desk: { vault, vaultGrants } }) => {
    if (grant !== null) return vaultGrants.search(kb, { ...order, grant }, signal);
    const eves = await eveNames(vault, null).peers(named);
    return vault.search(kb, { ...order, ...passphrase, eves }, signal);
  });
  if (options.json) printJson(found);
  else {
    for (const [at, { score, path, title, place, text }] of found.hits.entries()) {
      const where = [place.sheet, place.part].filter((part) => part !== undefined).join(', ');
      print(
        `${at + 1}. ${paint('bold', plain(path))}${whereOf(place)}${where === '' ? '' : `, ${plain(where)}`} ${paint('dim', score.toFixed(3))}`,
      );
      print(paint('dim', plain(title)));
      print(`${plain(text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text)}\n`);
    }
    if (found.hits.length === 0) say('Nothing was found.');
    if (options.verbose === true) tell(found);
    if (found.warning !== null)
      say(`${paint('yellow', 'warning:', process.stderr)} ${asTyped(plain(found.warning))}`);
  }
  return found.hits.length === 0 ? exitCode.failure : exitCode.ok;
};

function tell({ mode, label, times, bytesUp, bytesDown, learned, number }: PlacedSearchView): void {
  const { open, embed, own, scores, rows, texts } = times;
  const waited = [
    ...(mode === 'sealed' ? [] : [`scores ${formatDuration(scores)}`]),
    ...[`rows ${formatDuration(rows)}`, `texts ${formatDuration(texts)}`],
  ];
  say(
    `State ${number}, ${mode}${label === null ? '' : ` (${plain(label)})`}, by meaning alone. Index ${formatDuration(open)}, question's vector ${formatDuration(embed)}, work here ${formatDuration(own)}; waited for ${waited.join(', ')}`,
  );
  say(`${formatBytes(bytesUp)} sent, ${formatBytes(bytesDown)} received, all Eves together`);
  for (const sentence of learned) say(sentence);
}
