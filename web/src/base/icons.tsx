/**
 * The page's mark and the glyphs that say where an answer was made. Everything else is lucide's, one by one.
 *
 * @module web/base/icons
 */

/** Stem and opening arc form a K; the ember dot is what is alive in it. */
export function Mark(props: { readonly size: number }) {
  return (
    <svg
      class="mark"
      width={props.size}
      height={props.size}
      viewBox="0 0 24 24"
      stroke-width="2.6"
      aria-hidden="true"
    >
      <path d="M5 3.500v17" />
      <path d="M17.5 3.800c0 4.3-3.5 7.7-7.9 8.2 4.4.5 7.9 3.9 7.9 8.2" />
      <circle cx="16.3" cy="12" r="3" />
    </svg>
  );
}

/** Ring and dot: on this machine. */
export function HereGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" stroke="currentcolor" stroke-width="2" />
      <circle cx="8" cy="8" r="2.4" fill="currentcolor" />
    </svg>
  );
}

/** Two linked rings: on machines of the reader, or of people. */
export function LinkedGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <circle cx="5.4" cy="8" r="4" stroke="currentcolor" stroke-width="2" />
      <circle cx="10.6" cy="8" r="4" stroke="currentcolor" stroke-width="2" />
    </svg>
  );
}

/** Open ring and an arrow out of it: somebody else's machine. */
export function OutsideGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke-width="2" aria-hidden="true">
      <path d="M13.300 8.900A5.600 5.600 0 1 1 7.100 2.700" stroke="currentcolor" stroke-linecap="round" />
      <path
        d="M10 1.800h4.200V6M13.800 2.200 8.200 7.800"
        stroke="currentcolor"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** A clock: made earlier. */
export function KeptGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke-width="2" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" stroke="currentcolor" />
      <path d="M8 4.600V8l2.300 1.700" stroke="currentcolor" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

/** A sheet with lines: written or found, by no model. */
export function SheetGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke-width="2" aria-hidden="true">
      <path
        d="M3 1.800h10v12.400H3zM6 6h4M6 9.500h4"
        stroke="currentcolor"
        stroke-linejoin="round"
        stroke-linecap="round"
      />
    </svg>
  );
}

/** Dashed ring: not known. */
export function UnknownGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" stroke="currentcolor" stroke-width="2" stroke-dasharray="2.6 2.270" />
    </svg>
  );
}
