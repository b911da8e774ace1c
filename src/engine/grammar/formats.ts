/**
 * The formats of JSON Schema that can be promised: each as an expression whose texts all have the format. Not every text
 * of a format is among them (an IPv6 address is written in full; names in mail addresses have no quotes).
 *
 * Forms from RFC 3339 (dates, times, durations), RFC 5321 (mail), RFC 1123 (host names), RFC 4122 (UUID), RFC 4291 (IPv6)
 * and RFC 3986 (URI).
 *
 * @module engine/grammar/formats
 */

const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const date =
  '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)' +
  `|02-(?:0[1-9]|1\\d|2[0-8]))|${leapYear}-02-29)`;
const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const time = `${clock}:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-]${clock})`;
const ofTime = 'T(?:\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S)';
const ofDate = '(?:\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}D)';
const label = '[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,2}';
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const group = '[0-9A-Fa-f]{1,4}';
const pathSign = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const path = `(?:/${pathSign}*)*`;
const tail = `(?:${pathSign}|[/?])*`;
const uri =
  `[A-Za-z][A-Za-z0-9+.-]{0,15}:(?://${label}(?:\\.${label}){0,6}(?::\\d{1,4})?${path}|${pathSign}+${path})` +
  `(?:\\?${tail})?(?:#${tail})?`;

const FORMATS: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}T${time}`,
  duration: `P(?:\\d{1,4}W|${ofDate}(?:${ofTime})?|${ofTime})`,
  email: `[A-Za-z0-9]{1,20}(?:[._+-][A-Za-z0-9]{1,20}){0,2}@(?:${label}\\.){1,3}[A-Za-z]{2,24}`,
  hostname: `${label}(?:\\.${label}){0,3}`,
  ipv4: `${octet}(?:\\.${octet}){3}`,
  ipv6: `${group}(?::${group}){7}`,
  uuid: '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}',
  uri,
};

/** Null for a format that is not promised. */
export function patternOfFormat(format: string): string | null {
  return Object.hasOwn(FORMATS, format) ? `^(?:${FORMATS[format]})$` : null;
}

/** Formats of numbers in OpenAPI, as bounds. Larger integers than JSON readers keep are not written anyway. */
export const NUMBER_FORMATS: Readonly<Record<string, { minimum?: number; maximum?: number }>> = {
  int8: { minimum: -128, maximum: 127 },
  int16: { minimum: -32_768, maximum: 32_767 },
  int32: { minimum: -2_147_483_648, maximum: 2_147_483_647 },
  int64: {},
  int: {},
  uint8: { minimum: 0, maximum: 255 },
  uint16: { minimum: 0, maximum: 65_535 },
  uint32: { minimum: 0, maximum: 4_294_967_295 },
  uint64: { minimum: 0 },
  uint: { minimum: 0 },
  float: {},
  double: {},
};
