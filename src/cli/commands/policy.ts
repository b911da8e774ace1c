/** `kith policy issuer add|remove|list`. Works on the file of the home, whether its node runs or not. @module cli/commands/policy */
import {
  addIssuer,
  type IssuerChange,
  openPolicy,
  type PolicyContents,
  removeIssuer,
} from '../../trust/index.ts';
import { asTyped, print, printJson, say, table } from '../output.ts';
import type { Handler, Invocation } from '../program.ts';
import { settingsOf } from '../settings.ts';
import { typeOf } from '../wallet.ts';

const homeOf = ({ options }: Invocation): string => settingsOf(options).config.home;
const typesOf = ({ options }: Invocation) =>
  ((options.type as readonly string[] | undefined) ?? []).map((word) => typeOf(word.trim()));

export const add: Handler = async (invocation) => {
  const { args, options } = invocation;
  const change: IssuerChange = {
    issuer: String(args[0]),
    types: typesOf(invocation),
    ...(options.notBefore === undefined ? {} : { notBefore: String(options.notBefore) }),
    ...(options.notAfter === undefined ? {} : { notAfter: String(options.notAfter) }),
  };
  const policy = await addIssuer(homeOf(invocation), change);
  if (options.json) printJson(policyJson(policy));
  else print(`Credentials of ${change.issuer} count now: ${change.types.join(', ')}.`);
};

export const remove: Handler = async (invocation) => {
  const { args, options } = invocation;
  const types = typesOf(invocation);
  const policy = await removeIssuer(homeOf(invocation), String(args[0]), types);
  if (options.json) printJson(policyJson(policy));
  else
    print(`Credentials of ${args[0]} no longer count${types.length === 0 ? '' : `: ${types.join(', ')}`}.`);
};

export const list: Handler = async (invocation) => {
  const policy = openPolicy(homeOf(invocation));
  if (invocation.options.json) {
    printJson({ path: policy.path, epoch: policy.epoch, ...policyJson(policy) });
    return;
  }
  if (policy.issuers.length === 0) {
    say(asTyped('Nobody may vouch for peers. Name who may: kith policy issuer add DID --type VerifiedNode'));
  } else {
    const rows = policy.issuers.map(({ issuerDid, types, notBefore, notAfter }) => [
      issuerDid,
      dayText(notBefore),
      dayText(notAfter),
      types.join(', '),
    ]);
    print(table([['ISSUER', 'FROM', 'UNTIL', 'TYPES'], ...rows]));
  }
  if (policy.roots.length > 0)
    print(`\n${table([['ROOT', 'GROUP'], ...policy.roots.map(({ did, group }) => [did, String(group)])])}`);
  say(`profile ${policy.profile}, ${policy.strict ? 'strict' : 'not strict'}, ${policy.path}`);
};

function policyJson({ profile, strict, statusGraceDays, issuers, roots }: PolicyContents) {
  return {
    profile,
    strict,
    status_grace_days: statusGraceDays,
    issuers: issuers.map(({ issuerDid, types, notBefore, notAfter }) => ({
      issuer: issuerDid,
      types,
      not_before: notBefore,
      not_after: notAfter,
    })),
    roots: roots.map(({ did, peerId, group }) => ({ did, peer_id: peerId, group })),
  };
}

function dayText(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z');
}
