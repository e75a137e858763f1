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
import { isClaims } from '../../src/verifier/claims.js';

export const VECTORS = 'test/vectors/verifier.json';

/** Returns the text of the file as it should be. */
export const vectorsText = (): Promise<string> =>
  format(
    JSON.stringify({
      bounds: BOUNDS,
      claims: { made: CLAIMS, otherwise: otherClaims() },
      death: deaths(),
      grown: joins(),
      covers: coverings(),
      paths: paths(),
    }),
    { parser: 'json', printWidth: 120 },
  );

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

/** Claims as the broker makes them, with all that may be left out. */
const CLAIMS = {
  ...{ iss: 'https://mayfly.example', aud: 'https://tickets.example', sub: 'staff:ada', client_id: 'lab:agent-7' },
  ...{ jti: 'crd_1', txn: 'tsk_1', iat: 1, exp: 2.5, scope: 'a:read', epoch: '1_a.5', causes: ['c'] },
  authorization_details: [{ type: 'task_access', locations: ['l'], identifier: 'a', actions: ['read'] }],
  task: { id: 'tsk_1', lineage: ['tsk_1'], purpose: 'p' },
  origin: { workload: 'lab:agent-7', issuer: 'lab', owner: 'sre', principal: 'staff:ada' },
  act: { sub: 'lab:agent-7' },
};

/** Whether these are claims of a credential still, when one member is another one or, where no value is named, is not there. */
function otherClaims(): unknown[] {
  const values = [[], [null], ['x'], [''], [7], [true], [[]], [['x']], [[7]], [{}]];
  return pathsIn(CLAIMS).flatMap((path) =>
    values.map((value) => [path, value, isClaims(changed(CLAIMS, path, value))] as const),
  );
}

/** The way to each member: names in objects, places in lists, which have one member each. */
const pathsIn = (json: object): string[][] =>
  Object.entries(json).flatMap(([name, value]: [string, unknown]) => [
    [name],
    ...(typeof value === 'object' && value !== null ? pathsIn(value).map((path) => [name, ...path]) : []),
  ]);

function changed(json: object, [name = '', ...rest]: readonly string[], [value]: readonly unknown[]): unknown {
  const members = json as Readonly<Record<string, object>>;
  const next = rest.length > 0 ? changed(members[name] ?? {}, rest, [value]) : value;
  if (Array.isArray(json)) return next === undefined ? [] : [next];
  const others = Object.entries(members).filter(([other]) => other !== name);
  return Object.fromEntries(next === undefined ? others : [...others, [name, next]]);
}

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
