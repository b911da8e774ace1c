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

/** Dashed ring: not known. */
export function UnknownGlyph() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <circle cx="8" cy="8" r="6.2" stroke="currentcolor" stroke-width="2" stroke-dasharray="2.6 2.270" />
    </svg>
  );
}
