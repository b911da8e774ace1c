import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityOf } from '../identity/testing/credentials.ts';
import type { EveView, PlacedView } from '../server/index.ts';
import { eveNames, eveShown, type NamedEve, peerAmong, peerShown } from './eve-names.ts';

const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => identityOf(name)) as [
  ReturnType<typeof identityOf>,
  ReturnType<typeof identityOf>,
  ReturnType<typeof identityOf>,
];
const EVES: readonly NamedEve[] = [
  { peer: ada.peerId, operator: 'Ada' },
  { peer: ben.peerId, operator: 'Ben' },
  { peer: cleo.peerId, operator: 'Ben' },
];
const among = (text: string, known = EVES) => peerAmong(text, known, 'the Eves of notes');

describe('an Eve', () => {
  test('is named by the ending that lists show, by who runs her, by did:key, or in full', () => {
    for (const text of [
      ...[ada.peerId, ada.did, peerShown(ada.peerId), ada.peerId.slice(-8), `...${ada.peerId.slice(-8)}`],
      ...['Ada', 'ada'],
    ])
      assert.equal(among(text), ada.peerId, text);
    assert.equal(eveShown(EVES[0]!), `Ada …${ada.peerId.slice(-8)}`);
    // In full she need not be known.
    assert.equal(among(ada.peerId, []), ada.peerId);
  });

  test('who may be several is told apart by an error that lists them', () => {
    assert.throws(() => among('Ben'), {
      message: new RegExp(`may be 2 of .*Ben ${peerShown(ben.peerId)}, Ben ${peerShown(cleo.peerId)}`),
    });
    const twins = [...EVES, { peer: `12D3KooWx${ada.peerId.slice(-9)}`, operator: null }];
    assert.throws(() => among(ada.peerId.slice(-8), twins), { message: /may be 2 of/ });
    // The same one twice, as two knowledge bases have her, is one.
    assert.equal(among('Ada', [...EVES, ...EVES]), ada.peerId);
  });

  test('who is nobody of those is refused with those there are', () => {
    assert.throws(() => among('zzzzzzzz'), {
      message: new RegExp(`none of the Eves of notes: Ada ${peerShown(ada.peerId)}`),
    });
    assert.throws(() => among(ada.peerId.slice(-3)), { message: /is no PeerId/ });
    assert.throws(() => among('did:key:zabc'), { message: /no did:key/ });
    assert.throws(() => among('Ada', []), { message: /there are none among the Eves of notes/ });
  });
});

test('names are looked up only where one is not named in full: of one knowledge base, or of all that is known', async () => {
  let asked = 0;
  const vault = {
    async placed() {
      asked += 1;
      return [{ kb: 'notes', eves: EVES.slice(0, 1) }] as unknown as readonly PlacedView[];
    },
    discover: async () => [{ peer: cleo.peerId }] as unknown as readonly EveView[],
  };
  assert.deepEqual(await eveNames(vault, null).places([ada.peerId, `Zoe=${ben.peerId}`]), [
    ada.peerId,
    `Zoe=${ben.peerId}`,
  ]);
  assert.equal(asked, 0);
  const heard = cleo.peerId.slice(-8);
  assert.deepEqual(await eveNames(vault, null).places([`Cleo=${heard}`, 'Ada']), [
    `Cleo=${cleo.peerId}`,
    ada.peerId,
  ]);
  await assert.rejects(eveNames(vault, 'notes').peers([heard]), { message: /none of the Eves of notes/ });
});
