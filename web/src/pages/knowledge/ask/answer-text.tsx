/**
 * The text of an answer: paragraphs and lists, with its sources as chips behind what they support.
 *
 * @module web/pages/knowledge/ask/answer-text
 */
import { createMemo, Index, Match, Show, Switch } from 'solid-js';
import { k } from '../words/index.ts';
import { type Answer, type Citation, type Inline, type Line, linesOf, type Source } from './answer-state.ts';

type Open = (source: Source, citation: Citation | null) => void;

interface Group {
  readonly kind: Line['kind'];
  readonly lines: readonly Line[];
}

/** Items that follow each other are one list. */
function groupsOf(lines: readonly Line[]): Group[] {
  const groups: { kind: Line['kind']; lines: Line[] }[] = [];
  for (const line of lines) {
    const last = groups.at(-1);
    if (last?.kind === line.kind && (line.kind === 'item' || line.kind === 'numbered')) last.lines.push(line);
    else groups.push({ kind: line.kind, lines: [line] });
  }
  return groups;
}

export function AnswerText(props: { readonly answer: Answer; readonly open: Open }) {
  const groups = createMemo(() => groupsOf(linesOf(props.answer)));
  const inline = (line: Line) => <Pieces line={line} answer={props.answer} open={props.open} />;
  return (
    <div class="prose" dir="auto">
      <Index each={groups()}>
        {(group) => (
          <Switch fallback={<p>{inline(group().lines[0]!)}</p>}>
            <Match when={group().kind === 'item'}>
              <ul>
                <Index each={group().lines}>{(line) => <li>{inline(line())}</li>}</Index>
              </ul>
            </Match>
            <Match when={group().kind === 'numbered'}>
              <ol>
                <Index each={group().lines}>{(line) => <li>{inline(line())}</li>}</Index>
              </ol>
            </Match>
            <Match when={group().kind === 'head'}>
              <h3>{inline(group().lines[0]!)}</h3>
            </Match>
          </Switch>
        )}
      </Index>
    </div>
  );
}

const whyOf = ({ unit }: Inline): string =>
  [k('ask.unsupported'), ...unit.missing.map(({ kind, what }) => k(`ask.missing.${kind}`, { what }))].join(
    ': ',
  );

function Pieces(props: { readonly line: Line; readonly answer: Answer; readonly open: Open }) {
  const isLast = (at: number) => props.line.inline[at + 1]?.unit !== props.line.inline[at]?.unit;
  return (
    <Index each={props.line.inline}>
      {(piece, at) => (
        <>
          <Switch>
            <Match when={asCite(piece())}>
              {(cite) => <Cite cite={cite()} answer={props.answer} open={props.open} />}
            </Match>
            <Match when={asText(piece())}>{(text) => <Words piece={text()} />}</Match>
          </Switch>
          <Show when={piece().unit.status === 'unsupported' && isLast(at)}>
            <span class="doubt" title={whyOf(piece())}>
              {k('ask.unsupported')}
            </span>
          </Show>
        </>
      )}
    </Index>
  );
}

type Text = Extract<Inline, { readonly kind: 'text' }>;
type Cited = Extract<Inline, { readonly kind: 'cite' }>;
const asText = (piece: Inline): Text | null => (piece.kind === 'text' ? piece : null);
const asCite = (piece: Inline): Cited | null => (piece.kind === 'cite' ? piece : null);

function Words(props: { readonly piece: Text }) {
  const isDoubted = () => props.piece.unit.status === 'unsupported';
  return (
    <Show when={props.piece.strong || isDoubted()} fallback={props.piece.text}>
      <span classList={{ strong: props.piece.strong, doubted: isDoubted() }}>{props.piece.text}</span>
    </Show>
  );
}

function Cite(props: { readonly cite: Cited; readonly answer: Answer; readonly open: Open }) {
  const source = () => props.answer.sources.find(({ n }) => n === props.cite.n)!;
  const label = () => k('ask.cite', { n: props.cite.n, title: source().title });
  return (
    <button
      type="button"
      class="cite figures"
      classList={{ doubtful: props.cite.citation?.verified === false }}
      aria-label={label()}
      title={label()}
      onClick={() => props.open(source(), props.cite.citation)}
    >
      {props.cite.n}
    </button>
  );
}
