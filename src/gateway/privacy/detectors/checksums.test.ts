import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isAadhaar,
  isBsn,
  isCodiceFiscale,
  isCpf,
  isDni,
  isIbanChecksum,
  isLuhn,
  isNino,
  isNir,
  isSsn,
  isSteuerId,
} from './checksums.ts';

/** Examples that issuers and standards print. */
const EXAMPLES: readonly [
  check: (text: string) => boolean,
  right: readonly string[],
  wrong: readonly string[],
][] = [
  [
    isLuhn,
    ['4111111111111111', '378282246310005', '5555555555554444'],
    ['4111111111111112', '4111111111111'],
  ],
  [
    isIbanChecksum,
    ['DE89370400440532013000', 'GB82WEST12345698765432', 'ES9121000418450200051332'],
    ['DE88370400440532013000', 'GB82-WEST'],
  ],
  [isSteuerId, ['86095742719', '47036892816', '65929970489'], ['86095742718', '12345678901', '06095742719']],
  [isBsn, ['111222333', '123456782'], ['111222334', '000000000', '1112223']],
  [isDni, ['12345678Z', 'X1234567L', '00000000T'], ['12345678A', 'X1234567A', '1234567Z']],
  [isCpf, ['11144477735', '52998224725'], ['11144477736', '11111111111']],
  [isNir, ['255081416802538'], ['255081416802539', '955081416802538']],
  [
    isSsn,
    ['219099999', '078051120', '900700000'.replace('0000', '1234')],
    ['000121234', '666121234', '219009999', '219090000', '900201234'],
  ],
  [isNino, ['AA123456A', 'JG103759A'], ['BG123456A', 'DA123456A', 'AA123456E', 'AO123456A']],
  [isAadhaar, ['234123412346', '999941057058'], ['234123412347', '123412341234']],
  [isCodiceFiscale, ['RSSMRA85T10A562S'], ['RSSMRA85T10A562T', 'RSSMRA85Z10A562S']],
];

test('numbers that issuers print as examples pass their check, and their neighbours do not', () => {
  for (const [check, right, wrong] of EXAMPLES) {
    for (const text of right) assert.equal(check(text), true, `${check.name} ${text}`);
    for (const text of wrong) assert.equal(check(text), false, `${check.name} ${text}`);
  }
});

test('one wrong digit is always noticed by the checks made for it', () => {
  for (const [check, text] of [
    [isLuhn, '4111111111111111'],
    [isSteuerId, '86095742719'],
    [isBsn, '111222333'],
    [isCpf, '52998224725'],
    [isAadhaar, '234123412346'],
  ] as const) {
    for (let i = 0; i < text.length; i++) {
      const other = (Number(text[i]) + 1) % 10;
      assert.equal(check(text.slice(0, i) + other + text.slice(i + 1)), false, `${check.name} digit ${i}`);
    }
  }
});
