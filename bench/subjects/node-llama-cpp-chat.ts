/** The rival for first tokens: node-llama-cpp's chat session on the same file. @module bench/subjects/node-llama-cpp-chat */
import {
  type ChatWrapper,
  getLlama,
  LlamaChatSession,
  type LlamaContext,
  LlamaLogLevel,
  resolveChatWrapper,
} from 'node-llama-cpp';
import { serveSubject } from '../lib/subject.ts';

const [path, threadText, activeText] = process.argv.slice(2);
const threads = Number(threadText);
let context: LlamaContext | undefined;
let chatWrapper: ChatWrapper | undefined;

async function run(user: string, count: number): Promise<number> {
  const began = performance.now();
  const sequence = context!.getSequence();
  const session = new LlamaChatSession({
    contextSequence: sequence,
    systemPrompt: '',
    chatWrapper: chatWrapper!,
  });
  let ttftMs = Number.NaN;
  await session.prompt(user, {
    maxTokens: count,
    temperature: 0,
    onToken() {
      if (Number.isNaN(ttftMs)) ttftMs = performance.now() - began;
    },
  });
  session.dispose();
  await sequence.clearHistory();
  sequence.dispose();
  return ttftMs;
}

serveSubject({
  async open() {
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    const model = await llama.loadModel({ modelPath: path! });
    // Finding the wrapper for a template takes a second; it is done once, in the rival's favour.
    chatWrapper = resolveChatWrapper(model);
    const sequences = Number(activeText);
    context = await model.createContext({ contextSize: 512, sequences, threads, batchSize: 512 });
    return process.pid;
  },
  together: ({ users, count }: { users: string[]; count: number }) =>
    Promise.all(users.map((user) => run(user, count))),
});
