/** The dearest requests known: of strangers, who prove nothing, and of agents that prove who they are. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { AUDIENCE, LAB, TARGET } from '../broker.js';
import type { Signer } from '../issuer.js';

export interface Request {
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface Kind {
  name: string;
  who: 'stranger' | 'agent';
  /** Has seven labels that cut patterns into many parts. */
  labelled?: boolean;
  /** Returns the request with this number. Those of an agent differ, so that nothing is remembered. */
  request(index: number): Request;
}

/** What fits into a body of 64 KiB, with some room for the other parameters. */
const ROOM = 62_000;
const filled = (one: string, between = ','): string =>
  Array.from({ length: Math.floor(ROOM / (one.length + between.length)) }, () => one).join(between);

const KEY_IDS = Array.from({ length: 3_000 }, (_, index) => `ASIA${String(index).padStart(16, 'A')}`);
/** As many as fit into a token, which has at most 16 KiB. */
const FEWER_KEY_IDS = KEY_IDS.slice(0, 770).join(' ');
const DEEP = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`;

/** Forms are written by hand where URLSearchParams would make three characters of each quotation mark. */
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'Content-Type': 'application/json' };
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const exchange = (token: string, rest: string): Request => ({
  path: '/token',
  headers: FORM,
  body: `grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt&subject_token=${token}&resource=${TARGET}&${rest}`,
});

const detail = (identifier: string, actions: readonly string[] = ['read']) => ({
  type: 'task_access',
  locations: [TARGET],
  identifier,
  actions,
});

/** Members of `authorization_details` and `scope` that mean nothing, as many as fit. */
const MEANINGLESS: Record<string, string> = {
  'empty details': `authorization_details=[${filled('{}')}]`,
  'details that are numbers': `authorization_details=[${filled('1')}]`,
  'wrong actions in one detail': `authorization_details=${JSON.stringify([detail('incident/1', [])]).replace('[]', `[${filled('1')}]`)}`,
  'actions of one letter in one detail': `authorization_details=${JSON.stringify([detail('incident/1', [])]).replace('[]', `[${filled('"a"')}]`)}`,
  'scope tokens': `scope=${filled('a:b', '+')}`,
};

/** A trust domain whose bundle has a key of the kind that costs most to verify with, of those accepted by default. */
export const TRUST_DOMAIN = { name: 'svids', trustDomain: 'bench.example', algorithm: 'ES384' } as const;

export async function kindsOf(lab: Signer): Promise<Kind[]> {
  const [agent = '', soc = ''] = await lab.tokens(2, (index) => ({
    ...{ iss: LAB, aud: AUDIENCE, team: 'sre', sub: index === 0 ? 'agent-7' : 'soc' },
  }));
  // The claims are right and the signature is another token's: whoever verifies it does all of the work.
  const forged = [...agent.split('.').slice(0, 2), soc.split('.')[2]].join('.');
  return [...strangers(forged, await forgedSvid()), ...agents(agent)];
}

/** Returns the bundle of the trust domain. */
export async function bundleText(): Promise<string> {
  const { publicKey } = await generateKeyPair(TRUST_DOMAIN.algorithm);
  return JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'key', use: 'jwt-svid' }] });
}

/** Returns a JWT-SVID without a `kid`, signed with a key that is not in the bundle: the one key there that fits is tried. */
async function forgedSvid(): Promise<string> {
  const { algorithm: alg, trustDomain } = TRUST_DOMAIN;
  const { privateKey } = await generateKeyPair(alg);
  const iat = Math.floor(Date.now() / 1000);
  const claims = { sub: `spiffe://${trustDomain}/agent`, aud: AUDIENCE, iat, exp: iat + 3_600 };
  return new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(privateKey);
}

const strangers = (forged: string, svid: string): Kind[] => [
  kind('stranger', 'a forged JWT-SVID of ES384, without a kid', () =>
    exchange(svid, MEANINGLESS['scope tokens'] ?? ''),
  ),
  kind('stranger', 'nothing but a forged token', (index) => exchange(forged, `scope=incident/${index}:read&purpose=p`)),
  ...Object.entries(MEANINGLESS).map(([name, rest]) =>
    kind('stranger', `64 KB of ${name}`, () => exchange('worthless', `${rest}&purpose=p`)),
  ),
  kind('stranger', '64 KB of empty details and a forged token', () =>
    exchange(forged, `${MEANINGLESS['empty details'] ?? ''}&purpose=p`),
  ),
  kind('stranger', '64 KB of parameters', () => exchange('worthless', filled('a=1', '&'))),
  kind('stranger', 'POST /tasks, 64 KB of access', () => task('worthless', 0)),
  kind('stranger', 'POST /revoke, 64 KB of key ids', () => giveBack('worthless')),
  kind('stranger', 'POST /signals/json, nested 9,000 deep', () => signal('worthless', 0)),
  kind('stranger', 'POST /signals, a token nested 9,000 deep', () => ({
    path: '/signals',
    headers: { 'Content-Type': 'application/secevent+jwt' },
    body: [`{"alg":"ES256","typ":"secevent+jwt"}`, DEEP.slice(0, 45_000), 'x'].map(base64url).join('.').slice(0, ROOM),
  })),
];

const agents = (agent: string): Kind[] => [
  kind('agent', 'an honest exchange', (index) => exchange(agent, `scope=incident/${index}:read&purpose=p${index}`)),
  ...Object.entries(MEANINGLESS).map(([name, rest]) =>
    kind('agent', `64 KB of ${name}`, () => exchange(agent, `${rest}&purpose=p`)),
  ),
  kind('agent', 'POST /tasks, 64 KB of access', (index) => task(agent, index)),
  kind('agent', 'POST /revoke, 64 KB of key ids', () => giveBack(agent)),
  kind('agent', 'POST /revocations, 16 KB of leaked key ids', (index) => ({
    path: '/revocations',
    headers: { ...JSON_BODY, ...bearer(agent) },
    body: JSON.stringify({ leaked: FEWER_KEY_IDS, reason: `r${index}` }),
  })),
  kind('agent', 'POST /signals/json, nested 9,000 deep', (index) => signal(agent, index)),
  kind('agent', '32 deep patterns', (index) => patterns(agent, index, DEEP_PATTERNS)),
  { ...kind('agent', '32 deep patterns, seven labels', (n) => patterns(agent, n, WIDE_PATTERNS)), labelled: true },
  {
    ...kind('agent', 'patterns of as many evaluations as are allowed, seven labels', (n) =>
      patterns(agent, n, DEAREST_PATTERNS),
    ),
    labelled: true,
  },
];

const kind = (who: Kind['who'], name: string, request: Kind['request']): Kind => ({ who, name, request });

const task = (token: string, index: number): Request => ({
  path: '/tasks',
  headers: { ...JSON_BODY, ...bearer(token) },
  body: `{"workload":"lab:agent-7","purpose":"p${index}","access":[${filled('{}')}]}`,
});

const giveBack = (token: string): Request => ({
  path: '/revoke',
  headers: { ...FORM, ...bearer(token) },
  body: `token=${KEY_IDS.join('+').slice(0, ROOM)}`,
});

const signal = (token: string, index: number): Request => ({
  path: '/signals/json',
  headers: { ...JSON_BODY, ...bearer(token) },
  body: `{"event":"risk-level-change","level":"HIGH","reason":"r${index}","subject":${DEEP}}`,
});

const patterns = (token: string, index: number, identifiers: readonly string[]): Request => {
  const details = JSON.stringify(identifiers.map((one) => detail(one)));
  // No policy mentions the purpose, but one the lifetime.
  return exchange(token, `authorization_details=${details}&purpose=p&lifetime=${61 + (index % 3_500)}`);
};

const DEEP_PATTERNS = Array.from({ length: 32 }, (_, index) => `incident/*/attachment/x${index}/**`);

/** Each fixes one of seven segments, so that a pattern of asterisks is cut into each combination of them. */
export const SEVEN_LABELS = Array.from({ length: 7 }, (_, index) => ({
  match: wide((segment) => (segment === index ? 'a' : '*')),
  sensitivity: index === 6 ? 'restricted' : `s${index}`,
}));

/** One segment is fixed, in 32 ways, and six are free: each is cut into 64 parts. */
const WIDE_PATTERNS = Array.from({ length: 32 }, (_, index) =>
  wide((segment) => (segment === index % 7 ? `b${index}` : '*')),
);

/** With the development policies, 32 and 16 parts in two rounds: all the evaluations that a request may need. */
const DEAREST_PATTERNS = [
  [0, 1],
  [2, 3, 4],
].map((fixed) => wide((segment) => (fixed.includes(segment) ? 'b' : '*')));

function wide(segmentAt: (index: number) => string): string {
  return ['incident', ...Array.from({ length: 7 }, (_, index) => segmentAt(index))].join('/');
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
