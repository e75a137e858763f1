/**
 * What the broker's own rules decide in many cases, for verifiers in other languages: their tests read the file, and so their copies
 * of the rules cannot come to differ from these.
 */
import { format } from 'prettier';
import { covers, isPattern, pathProblem } from '../../src/domain/access.js';
import { FORGET_MARGIN_MS, HARD_LIMITS } from '../../src/domain/limits.js';
import { death } from '../../src/domain/liveness.js';
import { grown, type Deadly } from '../../src/domain/tombstone.js';
import { ACKNOWLEDGED_MOST, WAITED_MS_MOST } from '../../src/protocol/feed.js';

export const VECTORS = 'test/vectors/verifier.json';

/** Returns the text of the file as it should be. */
export const vectorsText = (): Promise<string> =>
  format(JSON.stringify({ bounds: BOUNDS, death: deaths(), grown: joins(), covers: coverings(), paths: paths() }), {
    parser: 'json',
    printWidth: 120,
  });

/** Numbers that both sides must have alike. */
const BOUNDS = {
  acknowledgedMost: ACKNOWLEDGED_MOST,
  waitedMsMost: WAITED_MS_MOST,
  forgetMarginMs: FORGET_MARGIN_MS,
  lifeSecondsMost: HARD_LIMITS.credentialLifetimeSeconds + HARD_LIMITS.clockSkewSeconds,
  tokenCharactersMost: HARD_LIMITS.subjectTokenBytes,
  pathCharactersMost: HARD_LIMITS.pathCharacters,
  pathSegmentsMost: HARD_LIMITS.pathSegments,
};

const EPOCH = { generation: '2_f00d', seq: 5 };

/** Numbers before the birth, of it, and after it; and none. */
function tombstones(): Deadly[] {
  const seqs = [undefined, 4, 5, 6];
  return seqs.flatMap((ended) =>
    seqs.flatMap((cut) =>
      seqs.map((lastHold) => ({
        ...(ended !== undefined && { ended: { seq: ended, as: 'revoked' as const } }),
        ...(cut !== undefined && { cut: { seq: cut } }),
        ...(lastHold !== undefined && { lastHold }),
        until: 1000,
      })),
    ),
  );
}

function deaths(): unknown[] {
  const [harmless, cut, ended] = [
    { cut: { seq: 5 } },
    { cut: { seq: 7 } },
    { ended: { seq: 3, as: 'failed' as const } },
  ];
  const together = [[], [harmless, cut, ended], [cut, undefined], [harmless, undefined, harmless]].map((all) =>
    all.map((one) => one && { ...one, until: 1000 }),
  );
  const ofSame = [...tombstones().map((one) => [one]), ...together].map((found) => ({ generation: '2_f00d', found }));
  const ofOthers = ['1_f00d', '3_f00d', '2_beef', ''].map((generation) => ({ generation, found: [] }));
  return [...ofSame, ...ofOthers].map(({ generation, found }) => ({
    epoch: EPOCH,
    generation,
    tombstones: found.map((one) => one ?? null),
    endedBy: death('credential', EPOCH, generation, found)?.seq ?? null,
  }));
}

function joins(): unknown[] {
  const some = tombstones().filter((_, index) => index % 7 === 0);
  const later = some.map((one, index) => ({ ...one, until: 1000 + (index % 3) }));
  return [undefined, ...some].flatMap((one) =>
    later.map((other) => ({ one: one ?? null, other, both: grown(one, other) })),
  );
}

const PATTERNS = [
  'a',
  'b',
  '*',
  '**',
  'a/b',
  'a/*',
  '*/b',
  'a/**',
  '*/**',
  '*/*',
  'a/b/c',
  'a/*/c',
  'a/b/**',
  '',
  'a/',
];

const coverings = (): unknown[] => PATTERNS.flatMap((a) => PATTERNS.map((b) => [a, b, covers(a, b)]));

const TOKEN = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.c2ln`;

function paths(): unknown[] {
  const segments = [
    '',
    '.',
    '..',
    '...',
    'a b',
    'a\n',
    'é',
    'a%2f',
    '*',
    '**',
    'a*',
    '***',
    '4711',
    'A.b_c~d@e+f=g,h:i-j',
    '\u{1F600}',
  ];
  const lengths = ['a/'.repeat(7) + 'a', 'a/'.repeat(8) + 'a', 'a'.repeat(256), 'a'.repeat(257)];
  const tokens = [TOKEN, `x${TOKEN}`, `a/${TOKEN}/b`, 'eyJ.x.y', 'eyJ', TOKEN.slice(0, -5), TOKEN.slice(1)];
  const all = [...segments, ...segments.flatMap((one) => [`a/${one}`, `${one}/a`]), ...lengths, ...tokens, '/', '//'];
  return all.map((path) => [path, pathProblem(path) === undefined, isPattern(path)]);
}
