/**
 * The recipes that are configuration. For gateways, that of the gateway and that of the broker fit together: the gateways themselves
 * do not run here, so what they send is made from their configuration, in the shape that test/http/gateways has from their sources.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { findPython, packagesOf } from '../../scripts/python.mjs';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';

const read = (name: string) => readFileSync(`examples/gateways/${name}`, 'utf8');
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const PERSON = 'urn:ietf:params:oauth:token-type:access_token';
/** The broker of the recipes. */
const MAYFLY = 'https://mayfly.example';

interface Exchange {
  host: string;
  path: string;
  resources: string[];
  scopes: string[];
  clientAuth: { method: string; clientId: string; assertionAudience: string; alg: string };
  cache: { maxEntries: number };
}
interface AgentGateway {
  binds: {
    listeners: { routes: { backends: { policies: { backendAuth: { oauthTokenExchange: Exchange } } }[] }[] }[];
  }[];
}
const agentgateway = parse(read('agentgateway.yaml')) as AgentGateway;
const exchange = agentgateway.binds[0]!.listeners[0]!.routes[0]!.backends[0]!.policies.backendAuth.oauthTokenExchange;

interface Trust {
  name: string;
  issuer: string;
  algorithms?: string[];
  audiences?: string[];
}
const { trust, targets, lifetimes } = parse(read('broker.yaml')) as {
  trust: Trust[];
  targets: object[];
  lifetimes: { credential: number };
};

let broker: TestBroker;
const issuers = new Map<string, TestIssuer>();
const issuer = (name: string) => issuers.get(name)!;

beforeAll(async () => {
  const clock = handClock();
  const directory = temporaryDirectory();
  const trusted = trust.map(async (entry) => {
    const made = await createIssuer({ clock, url: entry.issuer, algorithms: entry.algorithms ?? ['ES256'] });
    issuers.set(entry.name, made);
    const file = join(directory, entry.name);
    writeFileSync(file, JSON.stringify(made.jwks()));
    return { ...entry, name: `${entry.name}-of-recipe`, jwks: { file } };
  });
  broker = await startBroker({
    clock,
    trust: await Promise.all(trusted),
    config: { targets, lifetimes },
    policies: `@id("all") permit (principal, action in [Action::"read", Action::"openTask"], resource);`,
  });
});

/** As the person shows it to the gateway: for the gateway, and not for the broker. */
const person = () => issuer('staff').token({ sub: 'ada', aud: trust[0]!.audiences![0]!, header: { typ: 'at+jwt' } });
const asked = { resource: exchange.resources[0]!, scope: exchange.scopes.join(' ') };

async function exchanged(assertion: string, clientId?: string) {
  const client = { client_assertion_type: ASSERTION, client_assertion: assertion };
  const form = { grant_type: EXCHANGE, subject_token: await person(), subject_token_type: PERSON, ...asked, ...client };
  const { status, body } = await broker.form('/token', {
    ...form,
    ...(clientId !== undefined && { client_id: clientId }),
  });
  const { access_token: token, expires_in: seconds } = body as { access_token: string; expires_in: number };
  const { body: told } = await broker.introspect(token, await broker.identity('tickets-api'));
  return { status, seconds, told };
}

describe('agentgateway', () => {
  it('gets a credential for the person who called it, by what its configuration and that of the broker say', async () => {
    const { host, path, clientAuth, cache } = exchange;
    expect(`https://${host}${path}`).toBe(`${MAYFLY}:443/token`);
    expect(clientAuth).toMatchObject({
      method: 'privateKeyJwt',
      assertionAudience: MAYFLY,
      alg: trust[1]!.algorithms![0]!,
    });
    const { clientId } = clientAuth;
    const assertion = await issuer('gateways').token({ iss: clientId, sub: clientId, aud: broker.url, jti: '1' });
    expect(await exchanged(assertion, clientId)).toMatchObject({
      status: 200,
      seconds: lifetimes.credential,
      told: { active: true, sub: 'staff-of-recipe:ada', act: { sub: `gateways-of-recipe:${clientId}` } },
    });
    expect(cache.maxEntries).toBe(0);
  });
});

describe('AgentCore', () => {
  const request = JSON.parse(read('agentcore.json')) as {
    oauth2ProviderConfigInput: { customOauth2ProviderConfig: { oauthDiscovery: { discoveryUrl: string } } };
  };

  it('gets a credential for the person by the role that AWS signs for', async () => {
    const { discoveryUrl } = request.oauth2ProviderConfigInput.customOauth2ProviderConfig.oauthDiscovery;
    const { body: metadata } = await broker.get(discoveryUrl.replace(MAYFLY, ''));
    expect(metadata).toMatchObject({ token_endpoint: `${broker.url}/token` });
    const role = 'arn:aws:iam::111122223333:role/Agent';
    expect(await exchanged(await issuer('aws').token({ sub: role, aud: broker.url, jti: '1' }))).toMatchObject({
      status: 200,
      told: { active: true, sub: 'staff-of-recipe:ada', act: { sub: `aws-of-recipe:${role}` } },
    });
  });

  const python = findPython();
  const hasModel = python !== undefined && existsSync(packagesOf('examples'));
  if (!hasModel)
    console.warn('Left out, because boto3 was not fetched (examples/README.md): the model of the AWS API.');
  (hasModel ? it : it.skip)('is configured by a request that the model of the AWS API takes', () => {
    const check = (value: object) =>
      execFileSync(python ?? '', [resolve('test/examples/agentcore_check.py'), JSON.stringify(value)], {
        env: { PATH: process.env['PATH'], PYTHONPATH: packagesOf('examples') },
        encoding: 'utf8',
      }).trim();
    expect(check(request)).toBe('');
    expect(check({ ...request, credentialProviderVendor: 'Mayfly' })).toMatch(/credentialProviderVendor is not one of/);
    expect(check({ ...request, secret: 'x' })).toMatch(/Unknown parameter in input: "secret"/);
  });
});

describe('the workflow of GitHub Actions', () => {
  interface Job {
    permissions: Record<string, string>;
    steps: { uses?: string; with?: Record<string, unknown>; run?: string }[];
  }
  const workflow = parse(readFileSync('examples/github-actions/triage.yml', 'utf8')) as { jobs: { triage: Job } };
  const action = parse(readFileSync('action.yml', 'utf8')) as { inputs: Record<string, { required?: boolean }> };

  it('gives the action what it takes, and the job an identity', () => {
    const { permissions, steps } = workflow.jobs.triage;
    const given = Object.keys(steps.find(({ uses }) => uses?.startsWith('acme/mayfly@'))?.with ?? {});
    const required = Object.entries(action.inputs).filter(([, input]) => input.required);
    expect(given.filter((name) => !(name in action.inputs))).toEqual([]);
    expect(given).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    expect(permissions).toEqual({ 'id-token': 'write' });
    expect(steps.at(-1)?.run).toContain('$(cat "$MAYFLY_TOKEN_FILE")');
  });
});
