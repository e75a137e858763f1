/**
 * Every shell block of every page runs as it is printed: in order, a shell for each page, against one broker on the
 * configuration that `npm start` takes. A block that cannot run here says why, in a comment above it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import { pages } from '../support/pages.js';
import { until } from '../support/until.js';

const withBlocks = pages.filter((page) => blocksOf(page).length > 0);

interface Block {
  text: string;
  /** Why it cannot run here. */
  notRun?: string;
}

function blocksOf(page: string): Block[] {
  const found = readFileSync(page, 'utf8').matchAll(
    /(?:<!-- not run: ([^>]+) -->\n\n)?```(?:sh|bash|shell|console)\n(.*?)```/gs,
  );
  return [...found].map(([, notRun, text = '']) => ({ text, ...(notRun !== undefined && { notRun }) }));
}

const directory = temporaryDirectory();
const config = join(directory, 'config/development.yaml');
const [port, operationsPort] = [await freePort(), await freePort()];
const broker = `http://127.0.0.1:${port}`;

/** The addresses of this test in place of those that are printed. */
const addressed = (text: string): string =>
  text
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:9090', `127.0.0.1:${operationsPort}`)
    .replaceAll('https://mayfly.example', broker);

function run(script: string): { status: number | null; said: string } {
  // An answer that is a refusal fails the block.
  const prelude = 'set -eo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n';
  const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH']}`, HOME: directory, MAYFLY_CONFIG: config };
  const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}` };
}

const IDENTITIES =
  'IDENTITY=$(mayfly dev-token --sub soc) MY_IDENTITY=$(mayfly dev-token --sub tickets-api) TOKEN=none\n';

let child: ChildProcess | undefined;
afterAll(async () => {
  child?.kill();
  if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
});

beforeAll(async () => {
  cpSync('config', join(directory, 'config'), { recursive: true });
  writeFileSync(config, addressed(readFileSync(config, 'utf8')));
  mkdirSync(join(directory, 'bin'));
  const cli = resolve('dist/src/cli/main.js');
  // dev-token looks for the configuration of the checkout, unless told otherwise. A token is made once: it costs a second.
  const mayfly = `#!/bin/sh
[ "$1" = dev-token ] || exec ${process.execPath} ${cli} "$@"
kept=${directory}/bin/kept.$(echo "$*" | tr -c 'a-z0-9\\n' _)
[ -f $kept ] || ${process.execPath} ${cli} "$@" -c ${config} > $kept
cat $kept
`;
  for (const [name, text] of [
    ['mayfly', mayfly],
    ['npx', '#!/bin/sh\nexec "$@"\n'],
  ] as const) {
    writeFileSync(join(directory, 'bin', name), text);
    chmodSync(join(directory, 'bin', name), 0o755);
  }
  expect(run('mayfly dev-token --sub first')).toMatchObject({ status: 0 });
  child = spawn(process.execPath, [resolve('dist/src/main.js')], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], MAYFLY_CONFIG: config },
  });
  const isReady = () => fetch(`http://127.0.0.1:${operationsPort}/health/ready`).then(({ ok }) => ok);
  await until(() => isReady().catch(() => false), 'the broker is not ready');
});

/** What introspection answers on these pages, in order. */
const ACTIVE: Record<string, string[]> = {
  'README.md': ['true', 'false'],
  'docs/README.md': ['true', 'false'],
  'docs/api.md': ['true'],
  'docs/delegation.md': ['true', 'false'],
};

/** What else the commands of these pages say, in order: a refusal is an answer too, and ends none of them. */
const SAID: Record<string, RegExp> = {
  'docs/approvals.md':
    /"approval_id"[^]* is pending[^]*, for 60 seconds\.\nincident\/4711:export\n[^]*, for 300 seconds\.\nincident\/4712:export\n/,
  'docs/on-call.md': /It is approved, for 60 seconds[^]*It is denied\.[^]*\nincident\/4711:export\n/,
};

describe('the shell blocks of a page', () => {
  it.each(withBlocks)('of %s run as they are printed, or say why they cannot', (page) => {
    const blocks = blocksOf(page).filter(({ notRun }) => notRun === undefined);
    const script = addressed(blocks.map(({ text }) => text).join('\n'));
    const { status, said } = run((/\$(MY_)?IDENTITY/.test(script) ? IDENTITIES : '') + script);
    expect({ status, said }).toMatchObject({ status: 0 });
    const active = ACTIVE[page];
    expect(said).toMatch(SAID[page] ?? '');
    if (active) expect([...said.matchAll(/"active":(true|false)/g)].map(([, answer]) => answer)).toEqual(active);
  });
});

const LITERAL = /'[^']*'/g;
const QUOTED = /'[^']*'|"[^"]*"/g;

/**
 * What bash takes, and zsh, which people on macOS paste it into, reads otherwise: `$a:t` is the tail of a path there, also between
 * double quotes, and at its prompt `#` begins no comment. Each with what is not looked at.
 */
const OTHERWISE_IN_ZSH: [what: string, form: RegExp, but: RegExp][] = [
  ['a variable before a colon: write ${name}:', /\$\w+:[a-z]/, LITERAL],
  ['an argument with * or ? that is not quoted, which must be the name of a file', /=\S*[*?]/, QUOTED],
  ['an apostrophe in a comment, which opens a quotation there', /(^|\s)#.*'/, QUOTED],
  ['a comment behind a command, whose argument it is there', /\S\s+#(\s|$)/, QUOTED],
];

/** What `<<'EOF'` begins is no shell. */
const withoutDocuments = (text: string): string => text.replaceAll(/<<'?(\w+)'?\n[^]*?\n\1\n/g, '<<$1\n');

it('no block of shell has what zsh reads otherwise', () => {
  const problems = pages.flatMap((page) =>
    blocksOf(page).flatMap(({ text }) =>
      withoutDocuments(text)
        .split('\n')
        .flatMap((line) => {
          const found = OTHERWISE_IN_ZSH.filter(([, form, but]) => form.test(line.replaceAll(but, '')));
          return found.map(([what]) => `${page}: ${what}: ${line}`);
        }),
    ),
  );
  expect(problems).toEqual([]);
});

it('every block of YAML on a page is YAML, as far as it goes: some show alternatives, which have the same key', () => {
  const problems = pages.flatMap((page) => {
    const blocks = [...readFileSync(page, 'utf8').matchAll(/```ya?ml\n(.*?)```/gs)].map(([, text = '']) => text);
    const documents = blocks.flatMap((text) => parseAllDocuments(text, { uniqueKeys: false }));
    return documents.flatMap(({ errors }) => errors.map(({ message }) => `${page}: ${message}`));
  });
  expect(problems).toEqual([]);
});
