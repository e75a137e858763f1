/**
 * Unmodified OAuth libraries of other languages: each reads the metadata, gets a credential with `client_credentials`, and prints
 * it (test/interop). Go and Java run with `npm run test:interop`, which builds them.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import { findPython, hasPackages, PACKAGES } from '../../scripts/python.mjs';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';

interface StockClient {
  /** Absent: it does not run here. */
  command: string[] | undefined;
  /** How to have it. */
  needs: string;
  proves: string;
}

const { TEST_GO_CLIENT: go, TEST_JARS: jars } = process.env;
const python = hasPackages() ? findPython() : undefined;
const CLIENTS: Record<string, StockClient> = {
  authlib: {
    command: python === undefined ? undefined : [python, resolve('test/interop/python/authlib_client.py')],
    needs: 'Python 3.11 to 3.13, and a network when `npm test` runs first',
    proves: 'hosts:stock-client',
  },
  'golang.org/x/oauth2 and coreos/go-oidc': {
    command: go === undefined ? undefined : [go],
    needs: '`npm run test:interop`, where Go is on PATH',
    proves: 'lab:agent-7',
  },
  'nimbus oauth2-oidc-sdk': {
    command:
      jars === undefined ? undefined : ['java', '-cp', `${jars}/*`, resolve('test/interop/java/StockClient.java')],
    needs: '`npm run test:interop`, where Java and Maven are on PATH',
    proves: 'hosts:stock-client',
  },
};
for (const [name, { command, needs }] of Object.entries(CLIENTS))
  if (command === undefined) console.warn(`Left out: ${name}. It needs ${needs}.`);

const CLIENT = 'stock-client';
const directory = temporaryDirectory();
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

let broker: TestBroker;
let keyFile: string;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  keyFile = file('key.json', JSON.stringify(await exportJWK(privateKey)));
  const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'one' };
  const jwks = { file: file('jwks.json', JSON.stringify({ keys: [jwk] })) };
  broker = await startBroker({
    clock: handClock(Date.now()),
    trust: [{ name: 'hosts', kind: 'oidc', issuer: CLIENT, jwks }],
    policies: `@id("hosts") permit (principal, action in [Action::"execute", Action::"openTask"], resource);`,
    config: {
      targets: [
        {
          resource: TICKETS,
          minter: 'jwt',
          scopes: { 'tools.call': ['tool/**:execute'] },
          defaultAccess: ['tool/**:execute'],
          defaultPurpose: 'tool-use',
        },
      ],
    },
  });
});
// The clients sign by the real time.
beforeEach(() => broker.advance(Date.now() - broker.clock.now()));

async function run([program = '', ...args]: string[]): Promise<string> {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    PYTHONPATH: PACKAGES,
    PYTHONDONTWRITEBYTECODE: '1',
    AUTHLIB_INSECURE_TRANSPORT: '1',
    ISSUER: broker.url,
    TARGET: TICKETS,
    CLIENT_ID: CLIENT,
    KEY_FILE: keyFile,
    TOKEN_FILE: file('identity.jwt', await broker.identity('agent-7')),
  };
  return (await promisify(execFile)(program, args, { env })).stdout.trim();
}

const installed = Object.entries(CLIENTS).flatMap(([name, { command, proves }]) =>
  command === undefined ? [] : [{ name, command, proves }],
);

(installed.length === 0 ? describe.skip : describe)('an unmodified OAuth library', () => {
  it.each(installed)('finds the broker, and gets a credential: $name', async ({ command, proves }) => {
    const token = await run(command);
    const { body } = await broker.introspect(token, await broker.identity('tickets-api'));
    expect(body).toMatchObject({ active: true, client_id: proves, scope: expect.stringContaining('tools.call') });
  });
});
