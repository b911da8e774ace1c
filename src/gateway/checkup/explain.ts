/**
 * What a failure means and what to do about it, one sentence each.
 *
 * @module gateway/checkup/explain
 */
import { isKithError, messageOf } from '../../base/index.ts';
import { failureOf } from '../upstream/index.ts';
import type { Asked } from './ask.ts';
import type { Unreached } from './reach.ts';
import type { Finding } from './visit.ts';

interface Advice {
  readonly message: string;
  readonly remedy: string;
  readonly code: string | null;
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** Why there is no way to `url`; `limitMs`: the time that was given. */
export function explainWay({ stage, code }: Unreached, url: string, limitMs: number): Advice {
  const { host, hostname, protocol } = new URL(url);
  const advice = (message: string, remedy: string): Advice => ({ message, remedy, code });
  const address = 'correct its `url`';
  if (code === 'TIMEOUT') {
    const what = {
      name: `The name ${hostname} was not resolved within ${seconds(limitMs)}.`,
      connect: `${host} could not be connected to within ${seconds(limitMs)}: nothing answers there, or a firewall drops it.`,
      tls: `${host} accepts connections but did not finish the TLS handshake within ${seconds(limitMs)}.`,
      answer: `${host} accepts connections but did not answer within ${seconds(limitMs)}.`,
    }[stage];
    const remedy = {
      name: "Look at this machine's DNS.",
      connect: `Check that the machine is up and reachable from here, or ${address}.`,
      tls: `Check that the port is the one for HTTPS, or ${address}.`,
      answer: 'Look at the log of that server: it hangs, or is still loading.',
    }[stage];
    return advice(what, remedy);
  }
  if (stage === 'name' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return advice(
      `The name ${hostname} cannot be resolved (${code}).`,
      `Check its spelling and this machine's DNS, or ${address}.`,
    );
  if (code === 'ECONNREFUSED')
    return advice(`Nothing listens at ${host} (${code}).`, `Start the server there, or ${address}.`);
  if (stage === 'connect')
    return advice(
      `${host} cannot be connected to (${code}).`,
      `Check the network between here and there, or ${address}.`,
    );
  if (stage === 'tls') return explainTls(host, hostname, code, advice);
  if (code.startsWith('HPE_'))
    return advice(
      `What answers at ${host} does not speak HTTP (${code}).`,
      protocol === 'http:'
        ? `Write https:// if it is a TLS port, or correct the port in its \`url\`.`
        : `Correct the port in its \`url\`.`,
    );
  return advice(
    `${host} closes connections without an answer (${code}).`,
    protocol === 'http:'
      ? 'Look at the log of that server, or write https:// if it is a TLS port.'
      : 'Look at the log of that server.',
  );
}

function explainTls(
  host: string,
  hostname: string,
  code: string,
  advice: (message: string, remedy: string) => Advice,
): Advice {
  if (code === 'CERT_HAS_EXPIRED')
    return advice(
      `The certificate of ${host} has expired.`,
      "Renew it there; check this machine's clock if it looks right.",
    );
  if (code === 'CERT_NOT_YET_VALID')
    return advice(
      `The certificate of ${host} is not valid yet by this machine's clock.`,
      "Check this machine's clock (`kith doctor` shows it), then the clock of whoever made the certificate.",
    );
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return advice(
      `The certificate of ${host} is for another name than ${hostname}.`,
      'Use the name that the certificate is for in its `url`.',
    );
  if (/SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED/.test(code))
    return advice(
      `The certificate of ${host} is signed by nobody whom this machine trusts (${code}).`,
      'Name the file of its authority as `tls.ca` of this backend, or give the server a certificate of a known one.',
    );
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNSUPPORTED_PROTOCOL/.test(code))
    return advice(
      `What answers at ${host} does not speak TLS (${code}).`,
      'Write http:// if it is a server on your own network, or correct the port.',
    );
  return advice(`The TLS handshake with ${host} failed (${code}).`, 'Look at the log of that server.');
}

/** How an ask failed; null when it ended by itself with an answer. */
export function explainAsk(asked: Asked, limitMs: number): Finding | null {
  const fail = (message: string, remedy: string, code: string | null = null): Finding => ({
    state: 'fail',
    message,
    remedy,
    code,
    measured: { pieces: asked.pieces.length, ms: Math.round(asked.ms) },
  });
  if (asked.late)
    return asked.pieces.length === 0
      ? fail(
          `It did not begin to answer within ${seconds(limitMs)}.`,
          'Look at the log of that server: it hangs, is overloaded, or is still loading the model.',
        )
      : fail(
          `Its answer stopped in the middle: after ${asked.pieces.length} pieces nothing ended it within ${seconds(limitMs)}.`,
          'Look at the log of that server, and at proxies before it that hold streams back.',
        );
  if (asked.overrun)
    return fail(
      'Its answer went on far beyond the number of tokens that was asked for.',
      'Configure the kind of server that it is, so that the limit of tokens has the name it knows; else update that server.',
    );
  return asked.error === null
    ? null
    : {
        state: 'fail',
        ...explainError(asked.error),
        measured: { pieces: asked.pieces.length, ms: Math.round(asked.ms) },
      };
}

/** What an error of a backend means. */
export function explainError(error: unknown): Advice {
  const message = messageOf(error);
  const code = isKithError(error) ? error.code : null;
  return { message, code, remedy: remedyFor(error, code) };
}

function remedyFor(error: unknown, code: string | null): string {
  const log = 'Look at the log of that server.';
  if (code === 'model_not_found')
    return 'Correct the name of the model in the configuration, or load it on that server.';
  if (code === 'upstream_not_found') return 'Check the path of its `url`: it usually ends in /v1.';
  if (code === 'upstream_quota') return 'Look at the account: its credit or quota is used up.';
  if (code === 'upstream_redirect')
    return 'Write the address that it sends on to as its `url`, if you trust it.';
  if (code === 'upstream_content_type')
    return 'Check that its `url` is that of the API and not of a web page, and that no proxy or login page stands before it.';
  switch (failureOf(error)) {
    case 'auth':
      return 'Correct the API key of this backend, and check what the key may do there.';
    case 'connect_failed':
    case 'timeout_connect':
      return 'Check that the server runs and that its address is right.';
    case 'rate_limited':
      return 'Wait, or raise the limit of the account there.';
    case 'timeout_headers':
    case 'timeout_first_token':
    case 'timeout_inter_token':
    case 'timeout_total':
      return 'Look at the log of that server: it hangs, is overloaded, or is still loading the model.';
    case 'cut':
      return 'Look at the log of that server, and at proxies before it that end connections early.';
    case 'bad_response':
      return 'Check that the backend is configured as the kind of server that it is, and that no proxy changes its answers.';
    case 'server_error':
      return log;
    case 'bad_request':
    case 'context_length':
      return 'Configure the kind of server that it is, so that it is asked only what it knows.';
    case 'content_filter':
      return 'Choose another model or provider: this one refuses a harmless question.';
    case 'not_supported':
      return 'Leave it to another backend, or configure the kind of server that it is.';
    default:
      return code === 'engine_unavailable' ? 'Look at `kith logs`.' : log;
  }
}
