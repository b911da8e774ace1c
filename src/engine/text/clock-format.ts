/**
 * `strftime` for templates that write the date, in English and local time as Python does by default.
 *
 * @module engine/text/clock-format
 */

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Unknown directives stay as they are written. */
export function strftime(format: string, date: Date): string {
  const hours = date.getHours();
  const dayOfYear = (): number => {
    const start = Date.UTC(date.getFullYear(), 0, 1);
    return (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - start) / 86_400_000 + 1;
  };
  return format.replace(/%([a-zA-Z%])/g, (written, directive: string) => {
    switch (directive) {
      case 'Y':
        return String(date.getFullYear());
      case 'y':
        return pad(date.getFullYear() % 100);
      case 'm':
        return pad(date.getMonth() + 1);
      case 'B':
        return MONTHS[date.getMonth()]!;
      case 'b':
        return MONTHS[date.getMonth()]!.slice(0, 3);
      case 'd':
        return pad(date.getDate());
      case 'j':
        return pad(dayOfYear(), 3);
      case 'A':
        return DAYS[date.getDay()]!;
      case 'a':
        return DAYS[date.getDay()]!.slice(0, 3);
      case 'H':
        return pad(hours);
      case 'I':
        return pad(hours % 12 === 0 ? 12 : hours % 12);
      case 'p':
        return hours < 12 ? 'AM' : 'PM';
      case 'M':
        return pad(date.getMinutes());
      case 'S':
        return pad(date.getSeconds());
      case '%':
        return '%';
      default:
        return written;
    }
  });
}
