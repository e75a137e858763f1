/** Every refusal is documented, and nothing is documented that cannot happen. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BROKER_ERROR_CODES, BrokerError } from '../../src/domain/errors.js';
import { RETRIES } from '../../src/domain/retry.js';
import { wireErrors } from '../../src/http/wire/wire-errors.js';

const page = readFileSync('docs/errors.md', 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => {
      const [code = '', ...text] = section.split('\n');
      return [code, text.join(' ')];
    }),
);
const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/domain.errors\.ts|http.wire.wire-errors\.ts/.test(name))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n');

describe('docs/errors.md', () => {
  it('has a section for every code, and no other', () => {
    expect([...sections.keys()].sort()).toEqual([...BROKER_ERROR_CODES].sort());
  });

  it.each(BROKER_ERROR_CODES)('says the status of %s and explains it', (code) => {
    const section = sections.get(code) ?? '';
    expect(section).toContain(String(wireErrors[code].status));
    expect(section.length).toBeGreaterThan(80);
  });

  it.each(BROKER_ERROR_CODES)('%s is not a dead code: something in src/ makes a refusal with it', (code) => {
    expect(source).toMatch(new RegExp(`new BrokerError\\(\\s*'${code}'`));
  });

  it('explains every value of retry', () => {
    for (const retry of RETRIES) {
      expect(page).toMatch(new RegExp(`^\\| \`${retry}\` +\\|`, 'm'));
    }
  });

  it('says for each code what helps by default: time, where the broker is busy or broken, and else another request', () => {
    const later = BROKER_ERROR_CODES.filter((code) => new BrokerError(code, 'Refused.').details.retry === 'later');
    expect(later).toEqual(['slow_down', 'quota_exceeded', 'temporarily_unavailable', 'server_error']);
    const others = BROKER_ERROR_CODES.filter((code) => !later.includes(code));
    expect(new Set(others.map((code) => new BrokerError(code, 'Refused.').details.retry))).toEqual(new Set(['never']));
  });

  it('lets the place that refuses know better than the default', () => {
    expect(new BrokerError('access_denied', 'Refused.', { retry: 'after-lift' }).details.retry).toBe('after-lift');
  });
});
