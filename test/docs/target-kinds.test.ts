/** Only a kind of target knows what it is. Everything else asks `targets/kinds.ts`, and serves the next kind without a change. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** Where a kind is at home; a folder ends in a slash. */
const HOMES = ['src/targets/', 'src/minters/jwt.ts', 'src/minters/aws/', 'src/http/aws/', 'src/cli/aws/'];

/** Every other file that names a kind, and why it must. */
const EXCEPTIONS: Record<string, string> = {
  'src/client/identity/aws.ts': 'proves an AWS role of the agent, which is no target',
  'src/client/adapters.ts': 'gives AWS SDKs the shape that they take',
  'src/client/index.ts': 'exports both',
  'src/cli/exec.ts': 'has the option --aws, which src/cli/aws/ does',
  'src/cli/hand-over.ts': 'picks it',
  'src/cli/run.ts': 'registers the commands of src/cli/aws/',
  'src/compose/minters.ts': 'picks the minter of each kind, and loads its SDK',
  'src/compose/parts.ts': 'knows at which endpoint a credential is proof of its workload: /aws/credentials',
  'src/config/target-schema.ts': 'what operators write for each kind',
  'src/domain/timing.ts': 'times of AWS stand beside the times that must fit them',
  'src/http/receipt.ts': 'says since when a role of AWS denies',
  'src/http/server.ts': 'the route of src/http/aws/',
  'src/protocol/aws-credentials.ts': "the forms that AWS's own tools read",
  'src/telemetry/scrub.ts': 'masks every secret that has a form of its own, of whatever kind',
  'src/verifier/index.ts': 'exports a source of identity that proves an AWS role, which is no target',
};

/** What a kind, its vendor or its credentials are called. */
const NAMES_OF_A_KIND =
  /(?<![A-Za-z])aws|Aws|AWS|\barn:|Arn\b|\bARN\b|\bIAM\b|\bSTS\b|-sts\b|\bASIA|accessKeyId|access key id|:role\b|'jwt'|DEFAULT_KIND|\bKINDS\.\w/;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name.replaceAll('\\', '/')}`);

const withoutComments = (text: string): string =>
  text.replaceAll(/^\s*\/\*\*?.*?\*\//gms, '').replaceAll(/(^|\s)\/\/ .*$/gm, '');

const namesAKind = (text: string): boolean => NAMES_OF_A_KIND.test(withoutComments(text));

describe('a kind of target', () => {
  it.each([
    ["if (target.minter === 'aws-sts') {", true],
    ["import { parseRole } from '../targets/aws.js';", true],
    ["kind === 'jwt'", true],
    ['isRoleArn(target)', true],
    ['accessKeyId: credential.handle,', true],
    ['const name = DEFAULT_KIND.name;', true],
    ["throw invalid('Revoke each by its access key id.');", true],
    ["target.startsWith('arn:')", true],
    ["target.includes(':role/')", true],
    ["target.minter.endsWith('-sts')", true],
    ["text.startsWith('ASIA')", true],
    ['kind === KINDS.jwt', true],
    ['Object.values(KINDS)', false],
    ['await draws(laws); // An AWS session is denied.', false],
    ['  /** The access key id, such as of an AWS session. */\n  handle?: string;', false],
    ['kindOf(target.minter).enforced', false],
  ])('is named in %j: %s', (text, expected) => expect(namesAKind(text)).toBe(expected));

  it('is named where it is at home, and in the listed files only', () => {
    const naming = files.filter(
      (file) => !HOMES.some((home) => file.startsWith(home)) && namesAKind(readFileSync(file, 'utf8')),
    );
    expect(naming.toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted());
  });

  it('has its patterns of AWS names in one file: no two of them can differ', () => {
    const withPattern = files.filter((file) => /\^arn:|\^\[a-z\]\{2/.test(readFileSync(file, 'utf8')));
    expect(withPattern).toEqual(['src/targets/aws-names.ts']);
  });

  it.each(HOMES)('is at home in %s, which exists', (home) => {
    expect(files.some((file) => file.startsWith(home))).toBe(true);
  });
});
