import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchStatusList, isPublicAddress } from './fetch.ts';
import { STATUS_CREDENTIAL_MAX_BYTES } from './list.ts';

const pem = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../test/security/certificates', name), 'utf8');

test('only addresses of the public Internet are public', () => {
  for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '2a00:1450::1'])
    assert.equal(isPublicAddress(address), true, address);
  const not = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:1.1.1.1',
    '64:ff9b::a00:1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:a00:1::',
    'localhost',
    '',
  ];
  for (const address of not) assert.equal(isPublicAddress(address), false, address);
});

test('a list is read over https, within its size, and no redirect is followed', async () => {
  const asked: string[] = [];
  const server = createServer({ cert: pem('first.pem'), key: pem('first-key.pem') }, (request, response) => {
    asked.push(request.url!);
    if (request.url === '/list') response.end('{"a":1}');
    else if (request.url === '/moved') response.writeHead(302, { location: '/list' }).end();
    else if (request.url === '/large') response.end(Buffer.alloc(STATUS_CREDENTIAL_MAX_BYTES + 1));
    else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '10' }).write('{');
      response.destroy();
    } else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const base = `https://localhost:${(server.address() as AddressInfo).port}`;
    const options = { ca: pem('first.pem'), allowPrivate: true };
    assert.equal(Buffer.from(await fetchStatusList(`${base}/list`, options)).toString(), '{"a":1}');
    const refused = async (
      url: string,
      why: RegExp,
      given: Parameters<typeof fetchStatusList>[1] = options,
    ) => {
      await assert.rejects(fetchStatusList(url, given), { code: 'status_list_unreachable', message: why });
    };
    await refused(`${base}/moved`, /302, and redirects are not followed/);
    await refused(`${base}/large`, /more than/);
    await refused(`${base}/cut`, /not read/);
    await refused(`${base}/none`, /404/);
    await refused(`${base}/list`, /certificate/, { allowPrivate: true });
    await refused('http://issuer.example/list', /only https/);
    await refused('https://user:word@issuer.example/list', /only https/);
    const before = asked.length;
    await refused(`${base}/list`, /public Internet/, { ca: pem('first.pem') });
    await refused('https://127.0.0.1/list', /public Internet/, {});
    await refused('https://[::1]/list', /public Internet/, {});
    await refused('https://0x7f.1/list', /public Internet/, {});
    assert.equal(asked.length, before, 'nothing was asked');
    await refused(`${base}/list`, /not read/, { ...options, signal: AbortSignal.abort() });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
