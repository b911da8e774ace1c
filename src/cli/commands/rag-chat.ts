/** `kith rag chat`: questions to a knowledge base, one after the other. @module cli/commands/rag-chat */
import { join } from 'node:path';
import { isKithError, messageOf } from '../../base/index.ts';
import type { AnswerQuery, AnswerView } from '../../server/index.ts';
import { exitCode } from '../failure.ts';
import { asTyped, paint, plain, print, printJson, say } from '../output.ts';
import type { Handler } from '../program.ts';
import { type RagDesk, withRag } from '../rag-desk.ts';
import { settingsOf } from '../settings.ts';
import { converse, type Outcome } from '../typed.ts';
import { ask, sourceLine, tellBeside, wishesOf } from './rag-answer.ts';

type Turn = AnswerQuery['history'][number];

/** As the route takes them. */
const MOST_TURNS = 20;
const MOST_ANSWER = 4500;
const MOST_QUESTION = 400;
const MOST_CITED = 50;

const HELP: readonly (readonly [string, string])[] = [
  ['/sources', 'the sources of the last answer, with what they say'],
  ['/clear', 'forget what was asked'],
  ['/help', 'this list'],
  ['/exit', 'end (also Ctrl-D)'],
];

export const chat: Handler = async (invocation) => {
  const { options, args } = invocation;
  const name = String(args[0]);
  const went = await withRag(options, async (rag) => {
    const { documents } = (await rag.desk.show(name)).contents ?? { documents: null };
    const talk = new Asking(rag, name, wishesOf(invocation), options.json === true);
    return converse(
      {
        historyFile: join(settingsOf(options).config.home, 'cli', 'rag-history'),
        answering: talk,
        greeting: paint(
          'dim',
          `Asking ${name}${documents === null ? '' : ` (${documents} documents)`}. /help shows the commands; Ctrl-C ends an answer, and then this.`,
        ),
      },
      (message) => take(talk, message),
    );
  });
  return went ? exitCode.ok : exitCode.failure;
};

async function take(talk: Asking, message: string): Promise<Outcome> {
  try {
    if (message.startsWith('/')) return command(talk, message);
    await talk.ask(message);
    return 'ok';
  } catch (error) {
    if (isKithError(error) && error.code === 'aborted') {
      print(paint('dim', '(stopped)'));
      return 'ok';
    }
    say(`${paint('red', 'error:', process.stderr)} ${asTyped(plain(messageOf(error)))}`);
    return 'failed';
  }
}

function command(talk: Asking, line: string): Outcome {
  switch (line.trim()) {
    case '/exit':
    case '/quit':
      return 'exit';
    case '/clear':
      talk.clear();
      return 'ok';
    case '/sources':
      talk.tellSources();
      return 'ok';
    default:
      for (const [name, what] of HELP) print(`${name.padEnd(10)}${what}`);
      return 'ok';
  }
}

/** What was asked and answered, and the answer that is under way. */
class Asking {
  readonly #rag: RagDesk;
  readonly #kb: string;
  readonly #wishes: Omit<AnswerQuery, 'question' | 'history'>;
  readonly #json: boolean;
  #turns: Turn[] = [];
  #last: AnswerView | null = null;
  #running: AbortController | null = null;

  constructor(rag: RagDesk, kb: string, wishes: Omit<AnswerQuery, 'question' | 'history'>, json: boolean) {
    this.#rag = rag;
    this.#kb = kb;
    this.#wishes = wishes;
    this.#json = json;
  }

  get answering(): boolean {
    return this.#running !== null;
  }

  stop(): void {
    this.#running?.abort();
  }

  clear(): void {
    this.#turns = [];
    this.#last = null;
  }

  async ask(question: string): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    try {
      const query = { ...this.#wishes, question, history: this.#turns };
      const told = await ask(this.#rag, this.#kb, query, running.signal, this.#json);
      this.#last = told;
      this.#turns = [...this.#turns, turnOf(question, told)].slice(-MOST_TURNS);
      if (this.#json) printJson(told);
      else {
        tellBeside(told);
        print();
      }
    } finally {
      this.#running = null;
    }
  }

  tellSources(): void {
    if (this.#last === null || this.#last.sources.length === 0) print('There is no answer with sources yet.');
    for (const source of this.#last?.sources ?? []) {
      print(sourceLine(source, this.#last!));
      print(`${plain(source.text)}\n`);
    }
  }
}

/** What a later question may lean on. Of a refusal only that it was one: the titles in it are nobody's answer. */
function turnOf(question: string, { outcome, text, citations }: AnswerView): Turn {
  const cited = [...new Set(citations.map(({ chunk }) => chunk))].slice(0, MOST_CITED);
  return {
    question: question.slice(0, MOST_QUESTION).toWellFormed(),
    answer:
      outcome === 'refused' ? 'The documents do not answer this.' : text.slice(0, MOST_ANSWER).toWellFormed(),
    ...(cited.length === 0 ? {} : { cited }),
  };
}
