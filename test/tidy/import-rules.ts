/**
 * Who may import what: the folder name says it (docs/architecture.md). `core/` is pure, only `io/`
 * and `engine/` touch files, sockets, processes, timers and clocks, only `engine/` touches a FUSE
 * binding. Every exception is listed here with its reason.
 */
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import { isTypeScript } from './project-files.js';
import type { ProjectFile, Violation } from './project-files.js';

/** Modules directly in src/ that every folder may use. */
const COMMON = ['assert', 'limits', 'errors', 'version'];

interface FolderRule {
  /** Other folders it may import. */
  readonly folders: readonly string[];
  /** Which of COMMON; default all. */
  readonly common?: readonly string[];
  readonly packages?: readonly string[];
  /** May use the modules of INPUT_OUTPUT and the globals of CLOCKS. */
  readonly touchesTheWorld?: boolean;
}

/** From the inside out. A folder that is not here may not exist. */
const FOLDERS: Readonly<Record<string, FolderRule>> = {
  core: { folders: [], common: ['assert', 'limits'] },
  op: { folders: ['core'] },
  wire: { folders: ['core', 'op'], packages: ['protobufjs', 'xxhash-wasm'] },
  config: { folders: ['core'] },
  io: {
    folders: ['core', 'op', 'wire', 'config', 'control'],
    packages: ['pino'],
    touchesTheWorld: true,
  },
  // The portable engine applies changes with Node's own calls, so it is I/O like io/ itself.
  engine: {
    folders: ['core', 'op', 'io', 'config'],
    packages: ['fuse-native'],
    touchesTheWorld: true,
  },
  control: { folders: ['core', 'config', 'io', 'node'] },
  node: { folders: ['core', 'op', 'wire', 'config', 'io', 'engine', 'control'] },
  resync: {
    folders: ['core', 'op', 'wire', 'config', 'io', 'engine', 'control', 'node'],
    packages: ['xxhash-wasm'],
  },
  primary: {
    folders: ['core', 'op', 'wire', 'config', 'io', 'engine', 'control', 'node', 'resync'],
  },
  secondary: { folders: ['core', 'op', 'wire', 'config', 'io', 'control', 'node', 'resync'] },
  cli: {
    folders: [
      ...['core', 'op', 'wire', 'config', 'io', 'engine', 'control', 'node'],
      ...['resync', 'primary', 'secondary', 'demo'],
    ],
    packages: ['yargs'],
  },
  // A program of its own that drives two nodes through the command line.
  demo: { folders: ['core', 'config', 'io', 'control'], touchesTheWorld: true },
};

/** Modules of Node through which a program meets the world. */
const INPUT_OUTPUT = [
  ...['fs', 'fs/promises', 'net', 'tls', 'dgram', 'http', 'https', 'child_process', 'readline'],
  ...['timers', 'timers/promises', 'worker_threads', 'perf_hooks', 'cluster', 'repl', 'dns'],
];

/** Globals that read a clock, draw a number or start a timer. */
const CLOCKS =
  /^(setTimeout|setInterval|setImmediate|Date\.now|new Date|performance\.now|Math\.random)$/;

/** `file → what it may use all the same`, and why. */
export const EXCEPTIONS: Readonly<Record<string, { readonly uses: string; readonly why: string }>> =
  {
    'src/node/node.ts': {
      uses: 'primary/ secondary/ node:fs new Date',
      why: 'composes the roles; node:fs for its constants; the time of the start is for display',
    },
    'src/cli/status.ts': { uses: 'Date.now', why: 'shows how long a node has been up' },
    'src/node/hello.ts': { uses: 'Date.now', why: 'the clock in a Hello is for display only' },
    'src/resync/hash-pool.ts': { uses: 'node:worker_threads', why: 'starts the hash workers' },
    'src/resync/hash-worker.ts': {
      uses: 'node:worker_threads node:fs',
      why: 'the entry of a worker: it reads files where the event loop must not',
    },
  };

const folderOf = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? '';

export function importRules(file: ProjectFile): Violation[] {
  const { path } = file;
  if (!path.startsWith('src/') || !isTypeScript(path)) return [];
  const source = ts.createSourceFile(path, file.text, ts.ScriptTarget.ES2022, true);
  const folder = folderOf(path);
  const rule = FOLDERS[folder];
  if (folder === '') return topLevel(path, source);
  if (rule === undefined) {
    const what = `the folder ${folder}/ is not in FOLDERS of test/tidy/import-rules.ts`;
    return [{ path, line: 0, what }];
  }
  const problems = [
    ...specifiers(source).map(({ line, name }) => ({
      line,
      what: judgeImport(path, folder, rule, name),
    })),
    ...(rule.touchesTheWorld === true ? [] : clockUses(path, source)),
  ];
  return problems.flatMap(({ line, what }) => (what === null ? [] : [{ path, line, what }]));
}

/** Modules directly in src/ import each other only. */
function topLevel(path: string, source: ts.SourceFile): Violation[] {
  return specifiers(source)
    .filter(({ name }) => !/^\.\/[^/]+$/.test(name) && !['node:module', 'node:path'].includes(name))
    .map(({ line, name }) => ({ path, line, what: `a module directly in src/ imports ${name}` }));
}

function specifiers(source: ts.SourceFile): { line: number; name: string }[] {
  const found: { line: number; name: string }[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node === undefined || !ts.isStringLiteral(node)) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push({ line: line + 1, name: node.text });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal);
    if (ts.isCallExpression(node) && /^(import|require)$/.test(node.expression.getText(source))) {
      add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The words of an exception; "new Date" is one. */
export const usesOf = (exception: string): string[] => exception.match(/new \w+|\S+/g) ?? [];

const isExcepted = (path: string, use: string): boolean =>
  usesOf(EXCEPTIONS[path]?.uses ?? '').includes(use);

/** What is wrong with this import, or null. */
function judgeImport(path: string, folder: string, rule: FolderRule, name: string): string | null {
  if (isExcepted(path, name)) return null;
  if (name.startsWith('.')) return judgeOwn(path, folder, rule, name);
  if (name.startsWith('node:')) {
    if (folder === 'core') return `core/ is pure, yet it imports ${name}`;
    const isIo = INPUT_OUTPUT.includes(name.slice('node:'.length));
    return isIo && rule.touchesTheWorld !== true
      ? `${folder}/ may not touch the world: ${name} belongs in io/`
      : null;
  }
  const isAllowed = rule.packages?.some((entry) => name === entry || name.startsWith(`${entry}/`));
  return isAllowed === true ? null : `${folder}/ may not import the package ${name}`;
}

function judgeOwn(path: string, folder: string, rule: FolderRule, name: string): string | null {
  const target = join(dirname(path), name).replace(/\.js$/, '');
  if (!target.startsWith('src/')) return `src/ imports ${target} from outside src/`;
  const targetFolder = folderOf(`${target}.ts`);
  if (targetFolder === '') {
    const module = target.slice('src/'.length);
    return (rule.common ?? COMMON).includes(module) ? null : `${folder}/ may not import ${module}`;
  }
  const isAllowed =
    targetFolder === folder ||
    rule.folders.includes(targetFolder) ||
    isExcepted(path, `${targetFolder}/`);
  return isAllowed ? null : `${folder}/ may not import ${targetFolder}/`;
}

function clockUses(path: string, source: ts.SourceFile): { line: number; what: string }[] {
  const found: { line: number; what: string }[] = [];
  const visit = (node: ts.Node): void => {
    const use = ts.isNewExpression(node)
      ? `new ${node.expression.getText(source)}`
      : ts.isCallExpression(node)
        ? node.expression.getText(source).replace(/^globalThis\./, '')
        : '';
    if (CLOCKS.test(use) && !isExcepted(path, use)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push({ line: line + 1, what: `${use} outside io/: take it from io/ports.ts` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
