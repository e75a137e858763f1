/** `mayfly policy explain`: why an answer is as it is, of a question that somebody writes, and of a decision in an export of the audit log. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { loadConfig } from '../../../src/config/load.js';
import { loadPolicies } from '../../../src/policy/cedar/load-policies.js';
import { keptFacts } from '../../../src/policy/facts.js';
import { handClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import { toAccess, workload, writePolicies } from '../../support/policy.js';

const root = new URL('../../../', import.meta.url).pathname;
const config = `${root}config/development.yaml`;

const policies = writePolicies({
  'sre.cedar': `@id("sre-reads")
permit (principal in Owner::"sre", action == Action::"read", resource in Resource::"https://tickets.example#incident")
when { context.risk == "LOW" };

@id("a-minute-at-most") @lifetime("60")
forbid (principal, action, resource)
when { context has purpose && context.purpose == "haste" && context.lifetimeSeconds > 60 };

@id("exports-wait") @approval("sre-oncall")
forbid (principal, action == Action::"export", resource)
unless { context.approvals.contains("sre-oncall") };
`,
});

async function explain(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
  const code = await run(['policy', 'explain', ...args, '-c', config, '-p', policies], {
    ...terminal,
    clock: handClock(),
    env: {},
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

function file(name: string, text: string): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text);
  return path;
}

const asking = (more: string) =>
  explain('--request', file('q.yaml', `principal: { workload: 'lab:agent-7', owner: sre }\n${more}`));
const READ = 'action: read\nresource: https://tickets.example#incident/4711';

describe('of a question', () => {
  it('names what permits it, with each condition and the fact that it looked at', async () => {
    expect(await asking(READ)).toEqual({
      code: 0,
      err: '',
      out: `
May lab:agent-7 read https://tickets.example#incident/4711?
  permit, for 300 s

permit sre-reads (${policies}/sre.cedar:1) applies
    principal in Owner::"sre" is true: principal is Workload::"lab:agent-7", in Issuer::"lab", Owner::"sre"
    action == Action::"read" is true: action is Action::"read", in Action::"access"
    resource in Resource::"https://tickets.example#incident" is true: resource is Resource::"https://tickets.example#incident/4711"
    context.risk == "LOW" is true: context.risk is "LOW"

But for one thing, these would apply:
forbid a-minute-at-most (${policies}/sre.cedar:5)
    context.purpose == "haste" is false: context.purpose is "a task"

1 more policy does not apply.`,
    });
  });

  it('names what is but one condition away', async () => {
    const { out } = await asking(`${READ}\ncontext: { risk: MEDIUM }`);
    expect(out).toContain(
      'deny\n\nNo policy applies.\n\nBut for one thing, these would apply:\nforbid a-minute-at-most',
    );
    expect(out).toContain('    context.risk == "LOW" is false: context.risk is "MEDIUM"');
  });

  it('names the forbid whose way out was taken', async () => {
    const { out } = await asking(`${READ}\ncontext: { purpose: haste, lifetimeSeconds: 900 }`);
    expect(out).toContain('permit, for 60 s of 900 s');
    expect(out).toMatch(/forbid a-minute-at-most \(.*\) applies; its way out is @lifetime\("60"\)/);
    expect(out).toContain('context.lifetimeSeconds > 60 is true: context.lifetimeSeconds is 900');
  });

  it('is JSON for programs', async () => {
    const { out } = await explain('--json', '--request', file('q.yaml', `principal: { workload: 'lab:agent-7', owner: sre }\n${READ}`)); // prettier-ignore
    expect(JSON.parse(out)).toMatchObject({
      query: { action: 'read' },
      verdict: { outcome: 'permit', policies: ['sre-reads'] },
      policies: [
        { id: 'a-minute-at-most', outcome: 'does-not-apply', missing: 1 },
        { id: 'exports-wait', outcome: 'does-not-apply', missing: 1 },
        { id: 'sre-reads', outcome: 'applies', parts: expect.any(Array) },
      ],
    });
  });

  it.each([
    ['an action', READ.replace('read', 'raed'), ':2: action: is no action of the schema. Did you mean read?'],
    ['a target', READ.replace('tickets.example', 'ticket.example'), ':3: resource: names a target that is not configured; did you mean https://tickets.example?'], // prettier-ignore
    ['a party', `${READ}\ncontext: { onBehalfOf: ann }`, ':4: context.onBehalfOf: is none of "parties".'],
    ['a fact', `${READ}\ncontext: { riks: LOW }`, ':4: context.riks'],
    ['a key', `${READ}\nexpect: permit`, ':4: expect'],
  ])('that names %s that does not exist: says so with its line, and explains nothing', async (_, more, text) => {
    const { code, out, err } = await asking(more);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(text);
  });

  it.each([
    ['neither', [], 'Give --decision <id> or --request <file>.'],
    ['both', ['--decision', 'dec_1', '--request', 'q.yaml'], "cannot be used with option '--decision"],
    ['a file that is not there', ['--request', '/nowhere.yaml'], '/nowhere.yaml: is not a file that can be read'],
  ])('needs a question: %s', async (_, args, text) => {
    const { code, err } = await explain(...args);
    expect(code).not.toBe(0);
    expect(err).toContain(text);
  });
});

describe('of a decision', () => {
  const QUERY = toAccess('incident/4711', 'export', { by: workload('lab:agent-7') });
  const digest = async () => {
    const { config: configured } = await loadConfig({ path: config, checkFiles: false });
    return (await loadPolicies(policies, configured)).set?.digest ?? '';
  };
  const line = (decision: object) => {
    const entry = { seq: 1, type: 'credential.refused', at: Date.UTC(2030, 0, 1), target: 'https://tickets.example' };
    const access = [{ path: 'incident/4711', actions: ['export'] }];
    return `${JSON.stringify({ ...entry, access, decision: { id: 'dec_1', outcome: 'needs-approval', policies: ['exports-wait'], ...decision } })}\n`;
  };
  const of = (text: string, id = 'dec_1') => explain('--decision', id, '--audit', file('audit.ndjson', text));

  it('tells what was decided then, and why', async () => {
    const { code, out } = await of(line({ digest: await digest(), ...keptFacts(QUERY, { isRefused: true }) }));
    expect(code).toBe(0);
    expect(out).toContain(
      'dec_1, 2030-01-01T00:00:00.000Z, credential.refused: needs-approval, by exports-wait\n\nMay lab:agent-7 export',
    );
    expect(out).toMatch(/forbid exports-wait \(.*\) applies; its way out is @approval\("sre-oncall"\)/);
    expect(out).toContain('unless context.approvals.contains("sre-oncall") is true: context.approvals is empty');
    expect(out).not.toContain('CAREFUL');
  });

  it('of another policy set is explained by these, with a warning', async () => {
    const { out } = await of(line({ digest: 'another', ...keptFacts(QUERY) }));
    expect(out).toContain('CAREFUL: another policy set decided that');
  });

  it.each([
    ['is not there', 'dec_2', line({ digest: 'd', ...keptFacts(QUERY) }), 'The audit log has no decision dec_2.'],
    ['is from before facts were kept', 'dec_1', line({ digest: 'd' }), 'dec_1 was entered by an older broker, which kept no facts: it cannot be explained.'], // prettier-ignore
    ['has too many', 'dec_1', line({ digest: 'd', unkept: 'too-long' }), 'had more facts than the audit log keeps'],
    ['is from a newer broker', 'dec_1', line({ digest: 'd', later: 1 }), 'was entered by a newer broker'],
    ['is in no audit log', 'dec_1', 'hello\n', ':1: no line of an audit log'],
  ])('that %s is not explained', async (_, id, text, reason) => {
    const { code, out, err } = await of(text, id);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(reason);
  });
});
