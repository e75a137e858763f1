import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.js';
import { configSchema } from '../../src/config/schema.js';
import { checkPolicies } from '../../src/policy/check-policies.js';

const EXAMPLES = readdirSync('config/examples').map((name) => join('config/examples', name));

describe('shipped configurations', () => {
  it.each(['config/development.yaml', 'config/example.yaml', ...EXAMPLES])('are sound: %s', async (path) => {
    await expect(loadConfig({ env: {}, path, checkFiles: false })).resolves.toMatchObject({ config: {} });
  });

  it('for development come with policies that fit their targets', async () => {
    const { config } = await loadConfig({ env: {}, path: 'config/development.yaml', checkFiles: false });
    const { problems, summary } = await checkPolicies(config.policy.directory, config.targets);
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
