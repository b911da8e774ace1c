/**
 * The commands of knowledge bases: make them, take files in, search them.
 *
 * @module cli/rag-commands
 */
import { type Command, Option } from 'commander';
import { examples, homeOption, jsonOption, whole } from './options.ts';
import type { Add, Load } from './program.ts';
import { addRagCache } from './rag-cache-commands.ts';
import { addDream } from './rag-dream-commands.ts';
import { addRagExchange } from './rag-exchange-commands.ts';
import { filterOptions } from './rag-filter.ts';
import { addGraph } from './rag-graph-commands.ts';
import { addRagServe } from './rag-serve-commands.ts';
import { addRagShare, federatedOptions } from './rag-share-commands.ts';
import { stepOptions } from './rag-steps.ts';
import { addUpkeep, chunkOptions, dryRunOption } from './rag-upkeep-commands.ts';
import { addConnectEve } from './vault-commands.ts';

const MODES = ['auto', 'both', 'words', 'vectors', 'graph'] as const;

const modeOption = () =>
  new Option(
    '--mode <way>',
    'by words, by meaning (vectors), by both, over what documents name (graph), or as the question asks for (auto)',
  )
    .choices(MODES)
    .default('auto');
const writerOption = () =>
  new Option(
    '--writer <model>',
    'who writes: a model, auto for what the gateway chooses, none for sentences of the documents (default: knowledge.writer)',
  );
const freshOption = () => new Option('--fresh', 'have answers made anew, even if they are kept');
const underOption = () =>
  new Option('--under <place>', 'folder in the knowledge base that it stands in, ending in /');

export function addRag(program: Command, add: Add): void {
  const rag = program.command('rag').description('keep and search your documents').exitOverride();
  const load =
    (name: Name): Load =>
    async () => ({ default: (await import('./commands/rag.ts'))[name] });
  examples(
    add(
      rag,
      'init <name>',
      'make a knowledge base',
      [
        homeOption(),
        new Option(
          '--folder <dir>',
          'where its file is kept, such as an external drive; a file of that name there is taken as it is (default: knowledge.folder)',
        ),
        new Option(
          '--keep-folders',
          'a file that is there goes on following the folders that it names: only for one that you made yourself',
        ),
        ...chunkOptions(),
        jsonOption(),
      ],
      load('init'),
    ),
    'kith rag init notes',
    'kith rag init archive --folder /media/drive',
    'kith rag init letters --chunk-strategy paragraphs --chunk-size 240',
  );
  add(
    rag,
    'list',
    'list the knowledge bases',
    [homeOption(), new Option('--shared', 'those that peers share with this node'), jsonOption()],
    load('list'),
  );
  addIntake(rag, add, load);
  addSearch(rag, add, load);
  addGraph(rag, add);
  addDream(rag, add);
  addRagShare(rag, add);
  addRagExchange(rag, add);
  addRagServe(rag, add);
  addRagCache(rag, add);
  addUpkeep(rag, add);
  addConnectEve(rag, add);
  examples(
    add(
      rag,
      'rebuild <name>',
      'cut documents anew that were cut by other settings, and make all vectors anew by the embedding model of the settings; exit code 3 when files of some are not where they were taken from',
      [
        homeOption(),
        new Option('--chunks', 'only cut anew: what stays as it was keeps its vectors'),
        jsonOption(),
      ],
      load('rebuild'),
    ),
    'kith rag rebuild notes',
    'kith rag rebuild notes --chunks',
  );
  examples(
    add(
      rag,
      'destroy <name>',
      'remove a knowledge base; the files that it was made of stay',
      [
        homeOption(),
        new Option('-y, --yes', 'say that you mean it'),
        new Option('--keep-file', 'only forget it, and leave its file'),
        jsonOption(),
      ],
      load('destroy'),
    ),
    'kith rag destroy notes --yes',
  );
}

type Name =
  | 'init'
  | 'list'
  | 'ingest'
  | 'sync'
  | 'jobs'
  | 'query'
  | 'docs'
  | 'deleteDoc'
  | 'rebuild'
  | 'destroy';

function addIntake(rag: Command, add: Add, load: (name: Name) => Load): void {
  examples(
    add(
      rag,
      'ingest <name> <paths...>',
      'take in files and folders as they are now; exit code 3 when some could not be read',
      [homeOption(), underOption(), jsonOption()],
      load('ingest'),
    ),
    'kith rag ingest notes ~/letters report.pdf',
  );
  examples(
    add(
      rag,
      'sync <name> [folder]',
      'follow a folder: take in what is new or changed, move what moved, remove what is gone; without a folder all that were named before; exit code 3 when some files could not be read',
      [
        homeOption(),
        underOption(),
        new Option('--allow-empty', 'the folder is there and has no files: remove all that came of it'),
        new Option('--forget <folder>', 'follow this folder no longer, and remove its documents'),
        new Option('--keep', 'with --forget: its documents stay'),
        dryRunOption(),
        jsonOption(),
      ],
      load('sync'),
    ),
    'kith rag sync notes ~/Notes',
    'kith rag sync notes',
    'kith rag sync notes --dry-run',
    'kith rag sync notes --forget ~/Notes --keep',
  );
  examples(
    add(
      rag,
      'jobs <name>',
      'list what is being taken in, and what was last',
      [
        homeOption(),
        new Option('--cancel <n>', 'end a job; what it took in stays').argParser(
          whole(1, Number.MAX_SAFE_INTEGER),
        ),
        jsonOption(),
      ],
      load('jobs'),
    ),
    'kith rag jobs notes',
  );
}

function addSearch(rag: Command, add: Add, load: (name: Name) => Load): void {
  examples(
    add(
      rag,
      'query <name> <question...>',
      'find what your documents say; several knowledge bases with commas, those of peers as @PEER:NAME; exit code 1 when nothing is found, 3 when not all answered',
      [
        homeOption(),
        new Option(
          '-k <n>',
          'how many passages (default: 5); with --answer, sources at most, up to 20',
        ).argParser(whole(1, 200)),
        modeOption(),
        ...filterOptions(),
        new Option('--answer', 'answer from what is found, with sources; exit code 1 when it is no answer'),
        writerOption(),
        freshOption(),
        ...stepOptions(),
        ...federatedOptions(),
        jsonOption(),
      ],
      load('query'),
    ),
    'kith rag query notes "when does the lease end?"',
    'kith rag query notes "when does the lease end?" --answer',
    'kith rag query notes lease --mode words --path Notes/contracts/',
    'kith rag query notes "when may I move out?" --hyde --rerank listwise --writer auto --budget 20s',
    'kith rag query notes "open questions" --where status!=done --where "due<2025-06" --glob "Notes/projects/**/*.md"',
    'kith rag query notes,letters,@mo7R3pn:notes "when does the lease end?"',
  );
  examples(
    add(
      rag,
      'chat <name>',
      'ask your documents, one question after the other, each answered with its sources; from a pipe each line is a question',
      [
        homeOption(),
        modeOption(),
        ...filterOptions(),
        writerOption(),
        freshOption(),
        ...stepOptions(),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-chat.ts')).chat }),
    ),
    'kith rag chat notes',
  );
  examples(
    add(
      rag,
      'docs <name>',
      'list the documents',
      [
        homeOption(),
        new Option('--failed', 'the files that could not be taken in, and why'),
        new Option('--after <path>', 'go on behind this one'),
        new Option('--limit <n>', 'how many').argParser(whole(1, 1000)).default(100),
        jsonOption(),
      ],
      load('docs'),
    ),
    'kith rag docs notes --failed',
  );
  add(
    rag,
    'delete-doc <name> <path>',
    'remove a document; one of a folder that is followed comes back with the next sync',
    [homeOption(), jsonOption()],
    load('deleteDoc'),
  );
  examples(
    add(
      rag,
      'eval <name> <set>',
      'measure search, or answers, and what they cost, with a judged set in the form of BEIR whose documents are in the knowledge base, named by their ids; or with a file of questions and what answers to them should have',
      [
        homeOption(),
        modeOption(),
        new Option('--answers', 'measure answers: citations, refusals, keywords, length, time'),
        new Option('--out-of-scope <set>', 'questions that the documents do not answer, to be refused'),
        new Option('--limit <n>', 'only so many questions of each set').argParser(whole(1, 1_000_000)),
        writerOption(),
        ...stepOptions(),
        new Option(
          '--write <file>',
          'write the run in TREC form; of answers, and for a file of questions, each as a line of JSON',
        ),
        new Option(
          '--against <file>',
          'compare with a run that was written before, question by question (paired bootstrap)',
        ),
        jsonOption(),
      ],
      async () => ({ default: (await import('./commands/rag-eval.ts')).evaluate }),
    ),
    'kith rag eval scifact ./scifact --write run.txt',
    'kith rag eval scifact ./scifact --limit 50 --rerank listwise --writer auto --against run.txt',
    'kith rag eval notes questions.json',
    'kith rag eval notes questions.json --answers --write before.jsonl',
    'kith rag eval notes questions.json --answers --writer auto --against before.jsonl',
  );
}
