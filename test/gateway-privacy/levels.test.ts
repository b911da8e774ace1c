import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRIVACY_LEVELS, type PrivacyLevel } from '../../src/gateway/index.ts';
import { openCapture } from './capture.ts';
import { MODEL, openKith, post } from './kith.ts';
import { Haystack } from './leaks.ts';

const value = 'level.anna@example.org';
const LEVELS: readonly (PrivacyLevel | null)[] = [null, ...PRIVACY_LEVELS];

test('the strictest of the owner’s, the agent’s and the request’s level holds, in every combination', async () => {
  for (const owner of PRIVACY_LEVELS) {
    await using capture = await openCapture();
    const agents = Object.fromEntries(
      LEVELS.map((level) => [`agent-${level}`, level === null ? {} : { privacy: level }]),
    );
    await using kith = await openKith([{ name: 'a', base: capture.base }], {
      policy: { privacy: owner },
      agents,
    });
    for (const agent of LEVELS)
      for (const request of LEVELS) {
        capture.forget();
        const { connections } = capture;
        const reply = await post(
          `${kith.url}/v1/chat/completions`,
          { model: MODEL, messages: [{ role: 'user', content: `I am ${value}` }], kith: { receipt: true } },
          { 'x-kith-agent': `agent-${agent}`, ...(request === null ? {} : { 'x-kith-privacy': request }) },
        );
        const said = `owner ${owner}, agent ${agent}, request ${request}`;
        const wanted = Math.max(
          ...[owner, agent, request].map((level) => PRIVACY_LEVELS.indexOf(level ?? 'minimum')),
        );
        const level = PRIVACY_LEVELS[wanted]!;
        const left = new Haystack(capture.bytes()).has(value);
        if (level === 'maximum') {
          assert.equal(reply.status, 403, said);
          assert.equal(capture.bytes().length + capture.connections - connections, 0, said);
          continue;
        }
        assert.equal(reply.status, 200, said);
        assert.equal(left, level === 'minimum', said);
        assert.equal(reply.parts[0].choices[0].message.content, `I am ${value}`, said);
        const { privacy } = reply.parts[0].kith.route;
        const replaced = level === 'minimum' ? null : [{ class: 'email', count: 1, distinct: 1 }];
        assert.deepEqual(privacy, { level, where: 'provider', link: 'encrypted', replaced }, said);
      }
  }
});

test('a level that is none is refused, and nothing is sent', async () => {
  await using capture = await openCapture();
  await using kith = await openKith([{ name: 'a', base: capture.base }]);
  for (const level of ['none', '', 'medium, maximum', 'MAXIMUM!']) {
    const reply = await post(
      `${kith.url}/v1/chat/completions`,
      { model: MODEL, messages: [{ role: 'user', content: value }] },
      { 'x-kith-privacy': level },
    );
    assert.equal(`${reply.status} ${reply.parts[0].error.code}`, '400 invalid_header', level);
  }
  assert.equal(capture.connections, 0);
});
