import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../../src/config/load.js';
import { cedarDirectory } from '../../../src/config/policy-schema.js';
import { configSchema } from '../../../src/config/schema.js';
import { checkPolicies } from '../../../src/policy/cedar/check-policies.js';

const EXAMPLES = readdirSync('config/examples').map((name) => join('config/examples', name));

describe('shipped configurations', () => {
  it.each(['config/development.yaml', 'config/example.yaml', ...EXAMPLES])('are sound: %s', async (path) => {
    await expect(loadConfig({ env: {}, path, checkFiles: false })).resolves.toMatchObject({ config: {} });
  });

  it('for development come with policies that fit their targets', async () => {
    const { config } = await loadConfig({ env: {}, path: 'config/development.yaml', checkFiles: false });
    const { problems, summary } = await checkPolicies(cedarDirectory(config), config);
    expect(problems).toEqual([]);
    expect(summary.permits).toBeGreaterThan(0);
  });

  it('as an example show every section there is', () => {
    const shown = parse(readFileSync('config/example.yaml', 'utf8')) as Record<string, object>;
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(configSchema.shape).toSorted());
    for (const [name, section] of Object.entries(configSchema.shape)) {
      const schema = z.toJSONSchema(section, { io: 'input' });
      if (schema.properties)
        expect(Object.keys(shown[name] ?? {}).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
    }
  });
});

describe('compose.yaml', () => {
  interface Compose {
    services: Record<
      'broker' | 'redis',
      { volumes: string[]; command?: string[]; ports?: string[]; networks: string[] }
    >;
    networks: Record<string, { internal?: boolean }>;
    secrets: object;
  }
  const { services, networks } = parse(readFileSync('compose.yaml', 'utf8')) as Compose;

  it('keeps Redis durable, whole and to the broker', () => {
    const command = services.redis.command?.join(' ');
    expect(command).toContain('--appendonly yes --appendfsync always');
    expect(command).toContain('--maxmemory-policy noeviction');
    expect(services.redis.ports).toBeUndefined();
    expect(services.redis.networks.map((name) => networks[name]?.internal)).toEqual([true]);
  });

  it('mounts what is there, where the configuration looks for it', async () => {
    const mounts = services.broker.volumes.map((volume) => volume.split(':'));
    const { config } = await loadConfig({ env: {}, path: 'config/examples/compose.yaml', checkFiles: false });
    const places = mounts.map(([, place]) => place);
    expect(places).toContain(config.redis.seenDirectory);
    expect(places).toContain(cedarDirectory(config));
    for (const trust of config.trust) {
      if (trust.kind === 'oidc' && trust.jwks && 'file' in trust.jwks) expect(places).toContain(trust.jwks.file);
    }
    // The keys of the development issuer are made by the first `mayfly dev-token`. What is no path is a volume of Docker.
    const files = mounts.map(([file = '']) => file).filter((file) => file.startsWith('./'));
    const shipped = files.filter((file) => !file.startsWith('./data/'));
    for (const file of shipped) expect(existsSync(file)).toBe(true);
  });
});
