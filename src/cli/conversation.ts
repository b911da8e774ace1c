/**
 * A conversation: its messages, its settings, and the commands that steer it.
 *
 * @module cli/conversation
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  formatCount,
  formatDuration,
  formatRate,
  InputError,
  readFileBounded,
  writeFileAtomic,
} from '../base/index.ts';
import { paint, print } from './output.ts';
import type { Talk, TalkMessage, TalkUsage } from './talk.ts';

const help: readonly (readonly [string, string])[] = [
  ['/help', 'this list'],
  ['/system [text]', 'set the system message; without text, remove it'],
  ['/model [id]', 'change the model; without id, show which there are'],
  ['/clear', 'forget the conversation, keep the system message'],
  ['/save <file>', 'write the conversation to a JSON file'],
  ['/load <file>', 'go on with a saved conversation'],
  ['/stats', 'figures of the last answer'],
  ['/exit', 'end (also Ctrl-D)'],
  ['"""', 'begin and end a message of several lines'],
];

/** Version 1: `{"schema":1,"model":string|null,"messages":[{"role","content"}]}`. */
const savedSchema = z.object({
  schema: z.literal(1),
  model: z.string().nullable(),
  messages: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .max(100_000),
});
const maxFileBytes = 16 * 1024 * 1024;

export interface ConversationOptions {
  readonly model: string | null;
  readonly defaultModel: string;
  readonly system?: string | undefined;
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
}

export class Conversation {
  readonly #talk: Talk;
  readonly #options: ConversationOptions;
  #model: string | null;
  #system: string | null;
  #messages: TalkMessage[] = [];
  #running: AbortController | null = null;
  #usage: TalkUsage | null = null;

  constructor(talk: Talk, options: ConversationOptions) {
    this.#talk = talk;
    this.#options = options;
    this.#model = options.model;
    this.#system = options.system ?? null;
  }

  get model(): string {
    return this.#model ?? this.#options.defaultModel;
  }

  get answering(): boolean {
    return this.#running !== null;
  }

  get messages(): readonly TalkMessage[] {
    const system: TalkMessage[] = this.#system === null ? [] : [{ role: 'system', content: this.#system }];
    return [...system, ...this.#messages];
  }

  /** Ends the answer in progress; what came of it stays in the conversation. */
  stop(): void {
    this.#running?.abort();
  }

  /** Asks and writes the answer as it comes. A stopped answer throws `aborted`; a failed one leaves no trace. */
  async ask(content: string, write: (text: string) => void): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    let answer = '';
    const before = this.#messages;
    this.#messages = [...before, { role: 'user', content }];
    try {
      const { maxTokens, temperature, seed } = this.#options;
      const request = { model: this.#model, messages: this.messages, maxTokens, temperature, seed };
      let cut = false;
      for await (const event of this.#talk.chat(request, running.signal)) {
        if (event.type === 'text') {
          const text = answer === '' ? event.text.trimStart() : event.text;
          answer += text;
          write(text);
        } else if (event.type === 'finish') cut = event.reason === 'length';
        else this.#usage = event;
      }
      if (cut) write(paint('dim', ' (cut off: the limit of tokens or time was reached)'));
      this.#messages = [...this.#messages, { role: 'assistant', content: answer }];
    } catch (error) {
      if (running.signal.aborted && answer !== '')
        this.#messages = [...this.#messages, { role: 'assistant', content: answer }];
      else this.#messages = before;
      throw error;
    } finally {
      this.#running = null;
    }
  }

  /** Runs a line that starts with `/`. */
  async command(line: string): Promise<'ok' | 'failed' | 'exit'> {
    const [name = '', ...words] = line.split(/\s+/);
    const rest = line.slice(name.length).trim();
    switch (name) {
      case '/help':
      case '/?':
        for (const [command, what] of help) print(`  ${command.padEnd(16)} ${what}`);
        return 'ok';
      case '/exit':
      case '/quit':
      case '/bye':
        return 'exit';
      case '/system':
        this.#system = rest === '' ? null : rest;
        print(paint('dim', this.#system === null ? 'No system message.' : 'System message set.'));
        return 'ok';
      case '/clear':
        this.#messages = [];
        print(paint('dim', 'Forgotten.'));
        return 'ok';
      case '/model':
        return this.#changeModel(words[0]);
      case '/save':
        await this.#save(rest);
        return 'ok';
      case '/load':
        await this.#load(rest);
        return 'ok';
      case '/stats':
        this.#stats();
        return 'ok';
      default:
        throw new InputError('unknown_command', `There is no command ${name}. /help lists them.`);
    }
  }

  async #changeModel(id: string | undefined): Promise<'ok'> {
    const known = await this.#talk.models();
    if (id === undefined) {
      for (const each of known) print(`  ${each === this.model ? '*' : ' '} ${each}`);
      return 'ok';
    }
    if (!known.includes(id))
      throw new InputError(
        'model_not_found',
        `There is no model '${id}' here. /model lists those there are.`,
      );
    this.#model = id;
    print(paint('dim', `Talking to ${id}.`));
    return 'ok';
  }

  async #save(file: string): Promise<void> {
    if (file === '') throw new InputError('no_file', 'Name a file: /save conversation.json');
    const path = resolve(file);
    const saved = { schema: 1, model: this.#model, messages: this.messages };
    await writeFileAtomic(path, `${JSON.stringify(saved, null, 2)}\n`);
    print(paint('dim', `Saved ${this.messages.length} messages to ${path}.`));
  }

  async #load(file: string): Promise<void> {
    if (file === '') throw new InputError('no_file', 'Name a file: /load conversation.json');
    const path = resolve(file);
    const text = new TextDecoder().decode(await readFileBounded(path, maxFileBytes));
    const parsed = savedSchema.safeParse(parseJson(text));
    if (!parsed.success) throw new InputError('not_a_conversation', `${path} is no saved conversation.`);
    const { messages, model } = parsed.data;
    this.#system = messages[0]?.role === 'system' ? messages[0].content : null;
    this.#messages = messages[0]?.role === 'system' ? messages.slice(1) : messages;
    if (model !== null) this.#model = model;
    print(paint('dim', `Loaded ${messages.length} messages; talking to ${this.model}.`));
  }

  #stats(): void {
    const usage = this.#usage;
    if (!usage) {
      print(paint('dim', 'No answer yet.'));
      return;
    }
    const perSecond =
      usage.decodeMs && usage.completionTokens !== null && usage.completionTokens > 1
        ? ((usage.completionTokens - 1) / usage.decodeMs) * 1000
        : null;
    print(`  model    ${usage.model}`);
    print(
      `  prompt   ${formatCount(usage.promptTokens)} tokens, ${formatCount(usage.cachedTokens)} of them cached`,
    );
    print(`  answer   ${formatCount(usage.completionTokens)} tokens, ${formatRate(perSecond, 'tok')}`);
    print(
      `  waited   ${formatDuration(usage.queueMs)} in the queue, ${formatDuration(usage.prefillMs)} to the first token`,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
