/**
 * What this command line and its environment say of how requests are answered, for a node that runs already: it has read
 * its own configuration, so a wish reaches it with the request or not at all.
 *
 * @module cli/wishes
 */
import { type ConfigKey, flagName, type ResolvedConfig } from '../base/index.ts';
import { paint, say } from './output.ts';

const HEADERS: ReadonlyMap<ConfigKey, string> = new Map([
  ['gateway.privacy', 'x-kith-privacy'],
  ['gateway.route', 'x-kith-route'],
  ['gateway.cache', 'x-kith-cache'],
  ['gateway.degrade', 'x-kith-degrade'],
  ['gateway.redundancy', 'x-kith-redundancy'],
  ['gateway.decide', 'x-kith-decide'],
  ['gateway.regions', 'x-kith-regions'],
]);

export interface Wishes {
  readonly headers: Readonly<Record<string, string>>;
  /** Flags of the gateway that no request can carry. */
  readonly ignored: readonly string[];
}

/** What the file says is not among them: the node has it from there. */
export function wishesOf({ origins }: Pick<ResolvedConfig, 'origins'>): Wishes {
  const headers: Record<string, string> = {};
  const ignored: string[] = [];
  for (const [key, { value, origin }] of origins) {
    const byFlag = origin.startsWith('flag:');
    if (!key.startsWith('gateway.') || !(byFlag || origin.startsWith('env:'))) continue;
    const header = HEADERS.get(key);
    // No regions is every region: a request can only narrow what the node is set to.
    const text = String(value);
    if (header !== undefined && text !== '') headers[header] = text;
    else if (byFlag) ignored.push(flagName(key));
  }
  return { headers, ignored };
}

/** The headers, with a word about the flags that have none. */
export function headersFor(resolved: Pick<ResolvedConfig, 'origins'>): Readonly<Record<string, string>> {
  const { headers, ignored } = wishesOf(resolved);
  if (ignored.length > 0)
    say(
      `${paint('yellow', 'warning', process.stderr)}: a node is running, and its own settings hold: ${ignored.join(', ')} ${ignored.length === 1 ? 'counts' : 'count'} for nothing here. Stop it first (kith stop), or start it with ${ignored.length === 1 ? 'it' : 'them'}.`,
    );
  return headers;
}
