import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchStatusList } from './fetch.ts';
import { STATUS_CREDENTIAL_MAX_BYTES } from './list.ts';

const pem = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../test/security/certificates', name), 'utf8');

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
