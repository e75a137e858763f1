/** A suggested permit, in the real engine: it permits whatever was used, and nothing that was granted and not used. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CredentialUsage } from '../../../src/audit/usage.js';
import { useOf } from '../../../src/cli/policy/use-of-workload.js';
import { covers } from '../../../src/domain/access.js';
import { SHIPPED_SCHEMA } from '../../../src/policy/cedar/schema.js';
import { PATHS_NAMED, suggestPermits } from '../../../src/policy/cedar/suggest.js';
import { engineOf, TICKETS, ticketsTarget, toAccess, workload } from '../../support/policy.js';

const AGENT = 'lab:agent-7';
const ACTIONS = ['read', 'write'];
const BORN = 1_800_000_000_000;

interface Granted {
  path: string;
  action: string;
  /** The paths that were used under it. */
  used: string[];
}

/** One credential for each pair, as the audit log would have it. */
const credentialOf = ({ path, action, used }: Granted, number: number): CredentialUsage => ({
  id: `crd_${number}`,
  target: TICKETS,
  grant: { access: [{ path, actions: [action] }], policies: ['wide'], issuedAt: BORN, expiresAt: BORN + 300_000 },
  uses: used.map((one) => ({ path: one, action, permitted: 1, denied: 0, lastAt: BORN + 61_000 })),
});

const suggested = (granted: readonly Granted[]): string =>
  suggestPermits(AGENT, useOf(granted.map(credentialOf)).accesses);

type Pair = Omit<Granted, 'used'>;

/** Returns how the engine decides under these policies. */
async function decider(text: string) {
  const engine = await engineOf(text);
  return async (pairs: readonly Pair[], by = AGENT): Promise<boolean[]> => {
    const verdicts = pairs.map(({ path, action }) => engine.decide(toAccess(path, action, { by: workload(by) })));
    return (await Promise.all(verdicts)).map(({ outcome }) => outcome === 'permit');
  };
}
const permitted = async (text: string, pairs: readonly Pair[]) => (await decider(text))(pairs);

const segment = fc.constantFrom('a', 'b', '*');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, isDeep]) => [...segments, ...(isDeep ? ['**'] : [])].join('/'));
/** Numbers in the place of wildcards; with `a` and `b` among them, so that a path can fall under several patterns. */
const filling = fc.constantFrom('a', 'b', ...Array.from({ length: 12 }, (_, i) => String(i)));
const pathUnder = (of: string) =>
  fc.array(filling, { minLength: 5, maxLength: 5 }).map((fillings) =>
    of
      .split('/')
      .map((part, index) =>
        part === '**' ? fillings.slice(index, 5).join('/') : part === '*' ? fillings[index] : part,
      )
      .join('/'),
  );
const grantedPair = fc
  .tuple(pattern, fc.constantFrom(...ACTIONS))
  .chain(([path, action]) =>
    fc
      .oneof(fc.constant<string[]>([]), fc.uniqueArray(pathUnder(path), { minLength: 1, maxLength: 3 * PATHS_NAMED }))
      .map((used): Granted => ({ path, action, used })),
  );

describe('a suggestion', () => {
  it('permits all that was used, and no pair that was granted and not used', async () => {
    let folders = 0;
    const property = fc.asyncProperty(fc.array(grantedPair, { minLength: 1, maxLength: 5 }), async (granted) => {
      const uses = granted.flatMap(({ action, used }) => used.map((path) => ({ path, action })));
      const unused = granted.filter(
        ({ path, action }) => !uses.some((use) => use.action === action && covers(path, use.path)),
      );
      const text = suggested(granted);
      if (text.includes('resource in')) folders += 1;
      const decide = await decider(text);
      expect(await decide(uses)).toEqual(uses.map(() => true));
      expect(await decide(unused)).toEqual(unused.map(() => false));
      expect(await decide(uses, 'lab:agent-8')).toEqual(uses.map(() => false));
    });
    await fc.assert(property, { numRuns: 50 });
    expect(folders).toBeGreaterThan(0);
  });

  it('names single paths up to a number, and then the folder that they have in common', async () => {
    const paths = Array.from({ length: PATHS_NAMED + 1 }, (_, i) => `incident/open/${i}`);
    const few = suggested([{ path: 'incident/**', action: 'read', used: paths.slice(1) }]);
    const many = suggested([{ path: 'incident/**', action: 'read', used: paths }]);
    const asked = [
      { path: 'incident/open/99', action: 'read' },
      { path: 'incident/closed/1', action: 'read' },
      { path: 'incident/open/1', action: 'write' },
    ];
    expect(await permitted(few, asked)).toEqual([false, false, false]);
    expect(await permitted(many, asked)).toEqual([true, false, false]);
  });

  it('takes no folder in which something was granted and not used', async () => {
    const used = Array.from({ length: PATHS_NAMED + 1 }, (_, i) => `incident/${i}`);
    const text = suggested([
      { path: 'incident/*', action: 'read', used },
      { path: 'incident/7/attachment/*', action: 'read', used: [] },
    ]);
    expect(text).not.toContain('resource in');
    expect(await permitted(text, [{ path: 'incident/7/attachment/1', action: 'read' }])).toEqual([false]);
  });

  it('permits an action, and none of those that a group of its name has', async () => {
    const more = `${SHIPPED_SCHEMA}
action peek in [read] appliesTo { principal: [Workload, Person], resource: [Resource], context: AccessContext };`;
    const text = suggested([{ path: 'incident/1', action: 'read', used: ['incident/1'] }]);
    const engine = await engineOf(text, [ticketsTarget()], { 'schema.cedarschema': more });
    expect(await engine.decide(toAccess('incident/1', 'read'))).toMatchObject({ outcome: 'permit' });
    expect(await engine.decide(toAccess('incident/1', 'peek'))).toMatchObject({ outcome: 'deny' });
  });

  it('lets a credential live for as long as it was used, in whole minutes, and no longer than it did', async () => {
    const engine = await engineOf(suggested([{ path: 'incident/1', action: 'read', used: ['incident/1'] }]));
    const verdict = await engine.decide(toAccess('incident/1', 'read', { context: { lifetimeSeconds: 300 } }));
    expect(verdict).toMatchObject({ outcome: 'permit', lifetimeSeconds: 120 });
  });

  it('is of nothing that an API let pass although it was not granted', () => {
    const one = credentialOf({ path: 'incident/1', action: 'read', used: ['incident/1', 'incident/2'] }, 1);
    const { accesses, beyondGrant } = useOf([one]);
    expect(suggestPermits(AGENT, accesses)).not.toContain('incident/2');
    expect(beyondGrant).toEqual([`${TICKETS} incident/2:read`]);
  });
});
