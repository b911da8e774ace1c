/**
 * A button that shows an icon and says its name.
 *
 * @module web/base/icon-button
 */
import { type JSX, splitProps } from 'solid-js';

type Props = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label'> & { readonly label: string };

export function IconButton(props: Props) {
  const [own, rest] = splitProps(props, ['label', 'class', 'children']);
  return (
    <button
      type="button"
      {...rest}
      class={`icon-button ${own.class ?? ''}`}
      aria-label={own.label}
      title={own.label}
    >
      {own.children}
    </button>
  );
}
