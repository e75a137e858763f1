/**
 * config/providers: for each provider of identities a configuration and policies that work together. A token of the provider's
 * shape opens a task, gets a credential, and completes its task. One whom the entry does not let in, and one whom the policies
 * do not permit, get nothing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { cedarDirectory } from '../../src/config/policy-schema.js';
import { checkPolicies } from '../../src/policy/cedar/check-policies.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { newSigningKey, signToken, type SigningKey } from '../support/issuers/issuer.js';

type Claims = Record<string, unknown> & { iat: number };

/** `example.json`: a token of the provider's shape, and the claims with which it is let in no more, or permitted no more. */
interface Example {
  token: { header: { alg: string }; claims: Claims };
  id: string;
  refusedWith: Record<string, unknown>;
  deniedWith: Record<string, unknown>;
  /** The claims of the next run, where the entry says which claim names a run. */
  nextRun?: Record<string, unknown>;
}

const ROOT = 'config/providers';
const read = (name: string, file: string) => readFileSync(join(ROOT, name, file), 'utf8');
const providers = readdirSync(ROOT).map((name) => ({
  name,
  config: parse(read(name, 'mayfly.yaml')) as {
    issuer: string;
    trust: [{ kind: string; run?: unknown }];
    targets: [{ resource: string }];
  },
  example: JSON.parse(read(name, 'example.json')) as Example,
}));
type Provider = (typeof providers)[number];

/** By algorithm. */
const keys = new Map<string, SigningKey>();
let broker: TestBroker;

/** One broker trusts all of them, with all their policies: what one pair permits is nothing to the others. */
beforeAll(async () => {
  const directory = temporaryDirectory();
  for (const { name, example } of providers) {
    const { alg } = example.token.header;
    const key = keys.get(alg) ?? (await newSigningKey(alg, alg));
    keys.set(alg, key);
    writeFileSync(join(directory, `${name}.cedar`), read(name, 'policies.cedar'));
    const published = [key.publicJwk, { ...key.publicJwk, use: 'jwt-svid' }];
    writeFileSync(join(directory, `${name}.json`), JSON.stringify({ keys: published }));
  }
  const trust = providers.map(
    ({
      name,
      config: {
        trust: [entry],
      },
    }) => {
      const file = join(directory, `${name}.json`);
      return { ...entry, ...(entry.kind === 'spiffe' ? { bundle: { file } } : { jwks: { file } }) };
    },
  );
  const targets = providers[0]?.config.targets;
  const config = { trust, targets, policy: { engine: 'cedar', directory } };
  broker = await startBroker({ config, clock: handClock() });
});

/** Returns a token of the provider's shape, issued now for this broker. */
function tokenOf({ config, example }: Provider, changed: Record<string, unknown> = {}): Promise<string> {
  const { header, claims } = example.token;
  const key = keys.get(header.alg);
  if (!key) throw new Error('every provider has a key');
  const shift = broker.clock.now() / 1000 - claims.iat;
  const here = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(config.issuer, broker.url)) as unknown;
  const moved = Object.entries({ ...claims, ...changed }).map(([claim, value]): [string, unknown] => {
    if (['iat', 'nbf', 'exp'].includes(claim)) return [claim, Number(value) + shift];
    return [claim, claim === 'aud' ? here(value) : value];
  });
  return signToken(key, Object.fromEntries(moved), { typ: undefined, ...header, kid: key.kid });
}

const ask = async (token: string, scope = 'shop/web:read') =>
  broker.exchange(token, { resource: 'https://deploy.example', scope, purpose: 'deploy' });

describe.each(providers)('$name', (provider) => {
  const { name, example } = provider;

  it('has its row in docs/providers.md', () => {
    expect(readFileSync('docs/providers.md', 'utf8')).toContain(`](../config/providers/${name})`);
  });

  it('is sound, without a warning, and its policies fit', async () => {
    const path = resolve(ROOT, name, 'mayfly.yaml');
    const { config, warnings } = await loadConfig({ env: {}, path, checkFiles: false });
    expect(warnings).toEqual([]);
    const { problems, summary } = await checkPolicies(cedarDirectory(config), config);
    expect({ problems, permits: summary.permits }).toEqual({ problems: [], permits: 2 });
  });

  it('opens a task, gets a credential, and completes its task', async () => {
    const token = await tokenOf(provider);
    const { status, body } = await ask(token);
    expect([status, body]).toMatchObject([200, { task_id: expect.any(String) }]);
    const { task_id: task } = body as { task_id: string };
    const shown = (await broker.get(`/tasks/${task}`, token)).body;
    expect(shown).toMatchObject({ workload: example.id });
    const done = await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, token);
    expect([done.status, done.body]).toMatchObject([200, { task: { state: 'completed' } }]);
  });

  it('shares one task between the requests of a run, where its tokens name one, and has another for the next run', async () => {
    const { trust } = provider.config;
    expect(example.nextRun !== undefined).toBe(trust[0].run !== undefined);
    const taskOf = async (changed = {}) =>
      ((await ask(await tokenOf(provider, changed))).body as { task_id: string }).task_id;
    const [first, second, next] = [
      await taskOf({ jti: '1' }),
      await taskOf({ jti: '2' }),
      await taskOf(example.nextRun),
    ];
    expect([second === first, next === first]).toEqual([trust[0].run !== undefined, false]);
  });

  it('lets in nobody whom its entry does not name', async () => {
    expect((await ask(await tokenOf(provider, example.refusedWith))).body).toMatchObject({ error: 'invalid_request' });
  });

  it('permits nothing to others, and nothing else to anybody', async () => {
    const refused = { error: 'access_denied', error_description: expect.stringContaining('No policy permits') };
    expect((await ask(await tokenOf(provider, example.deniedWith))).body).toMatchObject(refused);
    for (const scope of ['payroll:read', 'shop/web:write'])
      expect((await ask(await tokenOf(provider), scope)).body).toMatchObject(refused);
  });
});
