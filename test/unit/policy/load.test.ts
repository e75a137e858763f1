/** A policy directory is used whole or not at all, and every mistake in it is named with its place. */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { trustSchema } from '../../../src/config/trust-schema.js';
import { checkPolicies } from '../../../src/policy/cedar/check-policies.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import { SHIPPED_SCHEMA } from '../../../src/policy/cedar/schema.js';
import { temporaryDirectory } from '../../support/directory.js';
import { configuredWith, engineOf, ticketsTarget, toAccess, writePolicies } from '../../support/policy.js';

const READ = '@id("read") permit (principal, action == Action::"read", resource);\n';

/** `a.cedar:2: reason` for each problem. */
async function problemsIn(files: Record<string, string>, targets = [ticketsTarget()]): Promise<string[]> {
  const directory = writePolicies(files);
  const { problems } = await checkPolicies(directory, configuredWith(targets));
  return problems.map(({ file, line, reason }) => `${file.replace(`${directory}/`, '')}:${line}: ${reason}`);
}

const problemsOf = (text: string) => problemsIn({ 'a.cedar': text });

describe('a mistake in a policy is named with file, line and reason', () => {
  it.each([
    ['no @id', `// é\n\npermit (principal, action, resource);`, ['a.cedar:3: has no @id']],
    ['an empty @id', `@id("") permit (principal, action, resource);`, ['a.cedar:1: has no @id']],
    [
      'an unknown annotation',
      `${READ}@id("b")\n@lifetimes("60")\npermit (principal, action, resource);`,
      ['a.cedar:2: unknown annotation @lifetimes; @id, @lifetime, @approval, @approvers, @reuse and @reveal exist'],
    ],
    [
      'who must approve, where nobody is asked, and other numbers and other ends than there are',
      [
        '@id("a") @approvers("2")',
        '@id("b") @reuse("task")',
        '@id("c") @approval("x") @approvers("3")',
        '@id("d") @approval("x") @approvers',
        '@id("e") @approval("x") @reuse',
        '@id("f") @approval("x") @reuse("ever")',
      ]
        .map((notes) => `${notes} forbid (principal, action, resource) unless { context.approvals.contains("x") };`)
        .join('\n'),
      [
        'a.cedar:1: @approvers and @reuse belong beside @approval',
        'a.cedar:2: @approvers and @reuse belong beside @approval',
        'a.cedar:3: @approvers must be @approvers("1") or @approvers("2")',
        'a.cedar:4: @approvers must be @approvers("1") or @approvers("2")',
        'a.cedar:5: @reuse must be @reuse("task")',
        'a.cedar:6: @reuse must be @reuse("task")',
      ],
    ],
    [
      'a lifetime that is no whole number of seconds',
      ['"1m"', '"0"', '"-1"', '"60.5"', '" 60"', '"1e3"', '""']
        .map((v, i) => `@id("${i}") @lifetime(${v}) permit (principal, action, resource);`)
        .join('\n'),
      Array.from(
        { length: 7 },
        (_, i) => `a.cedar:${i + 1}: @lifetime must be a whole number of seconds, such as @lifetime("60")`,
      ),
    ],
    [
      'a lifetime without a value',
      `@id("a") @lifetime permit (principal, action, resource);`,
      [expect.stringMatching(/^a\.cedar:1: @lifetime must be/)],
    ],
    [
      'an id that callers and terminals could not be told',
      `@id("a\\u{202e}b") permit (principal, action, resource);`,
      ['a.cedar:1: has an @id that has a character other than the letters, digits and signs of ASCII'],
    ],
    [
      'another value than no for what callers may know of',
      `@id("a") @reveal("yes") permit (principal, action, resource);\n@id("b") @reveal permit (principal, action, resource);`,
      ['a.cedar:1: @reveal must be @reveal("no")', 'a.cedar:2: @reveal must be @reveal("no")'],
    ],
    [
      'an approval of nobody',
      `@id("a") @approval forbid (principal, action, resource);`,
      ['a.cedar:1: @approval must name a group'],
    ],
    [
      'an approval on a permit',
      `@id("a") @approval("x") permit (principal, action, resource);`,
      ['a.cedar:1: @approval belongs on a forbid'],
    ],
    [
      'two ways out',
      `@id("a") @approval("x") @lifetime("60") forbid (principal, action, resource);`,
      ['a.cedar:1: @lifetime and @approval exclude each other'],
    ],
    [
      'a template',
      `${READ}\n@id("t") permit (principal == ?principal, action, resource);`,
      ['a.cedar:3: templates are not supported'],
    ],
    [
      'an annotation given twice',
      `@id("a")\n@id("b") permit (principal, action, resource);`,
      ['a.cedar:2: duplicate annotation: @id'],
    ],
    [
      'what Cedar cannot parse',
      `// 😀\n${READ}permit (principal, action);`,
      [expect.stringMatching(/^a\.cedar:3: .*`resource`/)],
    ],
    [
      'a misspelt action',
      `@id("a") permit (\n  principal,\n  action == Action::"raed",\n  resource\n);`,
      [expect.stringMatching(/^a\.cedar:3: .*unrecognized action `Action::"raed"`; did you mean/)],
    ],
    [
      'a name the context does not have',
      `${READ}// reads\n@id("a") permit (principal, action == Action::"read", resource)\n\n  when { context.lifetime < 60 };`,
      [expect.stringMatching(/^a\.cedar:5: .*attribute `lifetime` in context/)],
    ],
    [
      'a tag read without asking whether it is there',
      `@id("a") permit (principal, action == Action::"read", resource) when { principal.getTag("ref") == "x" };`,
      [expect.stringContaining('unable to guarantee safety'), expect.stringContaining('unable to guarantee safety')],
    ],
    [
      'a policy that can never apply',
      `@id("a") forbid (principal, action == Action::"read", resource == Broker::"self");`,
      [expect.stringContaining('unable to find an applicable action')],
    ],
    [
      'letters that look like others',
      `@id("a") permit (principal, action == Action::"read", resource) when { context.purpose == "раypal" };`,
      [expect.stringContaining('mixed scripts')],
    ],
    ...[
      ['Workload', 'lab:agent  7', 'has a space at its beginning or end, or two in a row'],
      ['Owner', 'sre ', 'has a space at its beginning or end, or two in a row'],
      ['Group', 'Domänen-Admins', 'has a character other than the letters, digits and signs of ASCII'],
    ].map(([type = '', name = '', problem = '']): [string, string, string[]] => [
      `a ${type} that no token can name, for which a forbid would wait in vain`,
      `@id("a") forbid (principal in ${type}::"${name}", action == Action::"read", resource);`,
      [`a.cedar:1: ${type}::"${name}" ${problem}: no token can name it`],
    ]),
    [
      'a target that is not configured',
      `@id("a") forbid (principal, action, resource in Resource::"https://ticket.example#incident");`,
      [
        `a.cedar:1: Resource::"https://ticket.example#incident" names a target that is not configured; did you mean https://tickets.example?`,
      ],
    ],
    [
      'the same for a Target, also inside a condition',
      `@id("a") forbid (principal, action == Action::"read", resource) when { resource in [Target::"https://x.example"] };`,
      ['a.cedar:1: Target::"https://x.example" names a target that is not configured'],
    ],
    [
      'a pattern where a path belongs: it would forbid nothing',
      `@id("a") forbid (principal, action, resource == Resource::"https://tickets.example#incident/*");`,
      [expect.stringContaining('is a pattern; name the path above it')],
    ],
    [
      'a path that cannot be',
      `@id("a") forbid (principal, action, resource == Resource::"https://tickets.example#incident/../payroll");`,
      [expect.stringContaining('has a path that has a "." or ".." segment')],
    ],
    [
      'a resource without its target',
      `@id("a") forbid (principal, action, resource == Resource::"incident/4711");`,
      [`a.cedar:1: Resource::"incident/4711" is not "<target>#<path>"`],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await problemsOf(text)).toEqual(expected);
  });

  it('all of them, in all files, at once', async () => {
    const files = {
      'a.cedar': `${READ}permit (principal, action, resource);`,
      'b.cedar': `\n${READ}`,
      'c.cedar': 'permit',
    };
    const problems = await problemsIn(files);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toBe('a.cedar:2: has no @id');
    expect(problems[1]).toMatch(/^b\.cedar:2: @id\("read"\) is also at .*a\.cedar:1$/);
    expect(problems[2]).toMatch(/^c\.cedar:1: /);
  });

  it('at its own line, not at that of a copy in a comment', async () => {
    const bad = 'permit (principal, action, resource);';
    expect(await problemsOf(`// ${bad}\n${READ}${bad}`)).toEqual(['a.cedar:3: has no @id']);
  });

  it('a file that would not be read because of its case, and none that no person wrote', async () => {
    const files = { 'a.cedar': READ, '._a.cedar': '\0\u0005\u0016\u0007', '.#b.cedar': 'someone@host.1' };
    expect(await problemsIn({ ...files, 'a.cedar~': 'permit', 'a.cedar.bak': 'permit' })).toEqual([]);
    expect(await problemsIn({ ...files, 'Guards.Cedar': READ })).toEqual(['Guards.Cedar:1: must end in .cedar']);
  });

  it('a directory that is missing or holds no policy', async () => {
    expect((await checkPolicies('/nowhere', configuredWith([]))).problems).toHaveLength(1);
    expect(await problemsIn({ 'notes.txt': 'permit' })).toEqual([expect.stringContaining('holds no *.cedar file')]);
  });
});

describe('what is nowhere in the configuration is a mistake, at the line that names it', () => {
  const configured = configuredWith(
    [ticketsTarget({ tags: { environment: 'production' }, labels: [{ match: 'vip', sensitivity: ['restricted'] }] })],
    {
      trust: [
        { name: 'lab', owner: { value: 'sre' }, claims: ['ref', 'roles'] },
        { name: 'staff', represents: 'person', claims: ['department'] },
      ].map((entry) => trustSchema.parse({ kind: 'oidc', issuer: `https://${entry.name}.example`, ...entry })),
      purposes: { triage: { description: 'x' }, 'triage of alerts': { description: 'x' } },
    },
  );
  const misfits = async (scope: string, condition = 'true') => {
    const text = `@id("a")\nforbid (${scope}) when {\n${condition} };`;
    const { problems } = await checkPolicies(writePolicies({ 'a.cedar': text }), configured);
    return problems.map(({ line, reason }) => `${line}: ${reason}`);
  };
  const ACCESS = 'principal, action in Action::"access", resource';
  const REVOKE = 'principal, action == Action::"revoke", resource';
  const INTROSPECT = 'principal, action == Action::"introspect", resource';
  const OPEN = 'principal, action == Action::"openTask", resource';

  it.each([
    ['context.risk == "high"', ACCESS, 'context.risk is never "high"; there is LOW, MEDIUM, HIGH; did you mean HIGH?'],
    ['["LOW", "MEDUIM"].contains(context.risk)', ACCESS, /context.risk is never "MEDUIM".*did you mean MEDIUM/],
    ['!(context.risk != "none")', ACCESS, /context.risk is never "none"/],
    ['context.purposeFrom == "agents"', ACCESS, /context.purposeFrom is never "agents".*did you mean agent\?/],
    ['context.kind == "workloads"', REVOKE, /context.kind is never "workloads".*did you mean workload\?/],
    ['context.effect == "kill"', REVOKE, 'context.effect is never "kill"; there is end, cutoff, hold, lift'],
    ['context.purpose == "triaging"', ACCESS, /context.purpose is never "triaging"; there is triage, triage of alerts/],
    ['context.purpose like "repair *"', ACCESS, /context.purpose is never "repair \*"/],
    ['resource.purpose == "repair"', OPEN, /resource.purpose is never "repair"/],
    [
      'resource.sensitivity.contains("restrcted")',
      ACCESS,
      /sensitivity is never "restrcted".*did you mean restricted\?/,
    ],
    ['resource.sensitivity.containsAny(["restricted", "x"])', ACCESS, /resource.sensitivity is never "x"/],
    [
      'principal.unread.contains("group")',
      ACCESS,
      'principal.unread is never "group"; there is ref, roles, department',
    ],
    [
      'principal.hasTag("branch") && principal.getTag("branch") == "main"',
      ACCESS,
      /the tag "branch" is nowhere; trust\[\].claims/,
    ],
    ['principal.lists.hasTag("role")', ACCESS, /the tag "role" is nowhere.*did you mean roles\?/],
    ['context has onBehalfOf && context.onBehalfOf.hasTag("team")', ACCESS, /the tag "team" is nowhere/],
    ['resource.target.hasTag("env")', ACCESS, 'the tag "env" is nowhere; targets[].tags has environment'],
    ['resource.hasTag("ref")', INTROSPECT, /the tag "ref" is nowhere; targets/],
    ['principal in Owner::"platform"', ACCESS, /Owner::"platform" is the team of nobody; the configuration gives sre/],
    [
      'principal in Issuer::"labs"',
      ACCESS,
      /Issuer::"labs" names no entry of trust\[\]; there are lab, staff; did you mean lab\?/,
    ],
    ['principal == Workload::"agent-7"', ACCESS, /Workload::"agent-7" is nobody: .*did you mean lab:agent-7\?/],
    ['principal == Workload::"staff:ada"', ACCESS, /Workload::"staff:ada" is nobody/],
    ['principal == Person::"lab:ada"', ACCESS, /Person::"lab:ada" is nobody/],
    ['principal in Group::"admins"', ACCESS, 'Group::"admins" is the group of nobody: no trust[] entry has groups'],
    ['resource in Target::"https://tickets.exmaple"', ACCESS, /did you mean https:\/\/tickets.example\?/],
  ])('%s', async (condition, scope, reason) => {
    const found = (await misfits(scope, condition)).map((one) => one.replace(/^3: /, ''));
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) expect(one).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
  });

  it.each([
    ['context.risk != "LOW" && context.purposeFrom == "opener"', ACCESS],
    ['["task", "all"].contains(context.kind) && context.effect == "lift"', REVOKE],
    ['context.purpose like "*alerts" || context.purpose == "triage"', ACCESS],
    ['resource.sensitivity.contains("restricted") && resource.target.hasTag("environment")', ACCESS],
    ['principal.hasTag("ref") && principal.getTag("ref") == "anything"', ACCESS],
    ['principal.lists.hasTag("roles") && principal.lists.getTag("roles").contains("x")', ACCESS],
    ['context has onBehalfOf && context.onBehalfOf.hasTag("department")', ACCESS],
    ['principal.unread.contains("roles") && principal in Owner::"sre"', ACCESS],
    ['principal == Workload::"lab:agent-7" || principal == Person::"staff:ada"', OPEN],
    ['resource.hasTag("environment")', INTROSPECT],
  ])('and what is there is none: %s', async (condition, scope) => {
    expect(await misfits(scope, condition)).toEqual([]);
  });

  it.each([
    ['resource.sensitivity.contains("restricted")', 'resource.sensitivity is never "restricted"; there is none'],
    ['resource.target.hasTag("environment")', 'the tag "environment" is nowhere; targets[].tags has none'],
  ])('a guard waits for the first label or tag of a target, and a note says so: %s', async (condition, reason) => {
    const text = `@id("a") forbid (${ACCESS}) when { ${condition} };`;
    const { problems, notes } = await checkPolicies(writePolicies({ 'a.cedar': text }), configuredWith());
    expect(problems).toEqual([]);
    expect(notes).toEqual([expect.objectContaining({ line: 1, reason })]);
  });

  it('also in the head of a policy', async () => {
    expect(await misfits('principal == Workload::"agent-7", action, resource')).toEqual([
      expect.stringMatching(/^2: Workload::"agent-7" is nobody/),
    ]);
  });

  it.each(['@lifetime("60")', '@approval("x")'])('a way out that leads nowhere: %s', async (annotation) => {
    const attribute = annotation.startsWith('@lifetime') ? 'lifetimeSeconds' : 'approvals';
    expect(await problemsOf(`@id("a") ${annotation} forbid (principal, action in Action::"read", resource);`)).toEqual([
      `a.cedar:1: ${annotation.replace(/\(.*/, '')} leads nowhere: no condition of the forbid is about context.${attribute}`,
    ]);
  });
});

describe('a schema beside the policies', () => {
  const action = `action "s3:GetObject" in [read] appliesTo { principal: [Workload], resource: [Resource], context: AccessContext };`;

  it('adds actions; a policy about the group covers them', async () => {
    const text = READ.replace('action ==', 'action in');
    const engine = await engineOf(text, [ticketsTarget()], { 'schema.cedarschema': `${SHIPPED_SCHEMA}\n${action}` });
    expect(engine.isGrantable('s3:GetObject')).toBe(true);
    expect(await engine.decide(toAccess('bucket/key', 's3:GetObject'))).toMatchObject({ outcome: 'permit' });
    expect((await engineOf(text)).isGrantable('s3:GetObject')).toBe(false);
  });

  it.each([
    ['an entity', 'sensitivity: Set<String>,', 'sensitivity: Set<String>, secret: Bool,', 'entity Resource'],
    ['the context', 'risk: String,', 'risk: Long,', 'type AccessContext'],
    ['an action', 'action approve in [operate]', 'action approve in [access]', 'action approve'],
  ])('may not change %s of the contract', async (_, from, to, what) => {
    const schema = SHIPPED_SCHEMA.replace(from, to);
    expect(schema).not.toBe(SHIPPED_SCHEMA);
    expect(await problemsIn({ 'a.cedar': READ, 'schema.cedarschema': schema })).toContain(
      `schema.cedarschema:1: ${what} is not as in the shipped schema; only further actions may be added`,
    );
  });

  it('that does not parse is named with its line', async () => {
    const problems = await problemsIn({ 'a.cedar': READ, 'schema.cedarschema': `${SHIPPED_SCHEMA}entity X in [;` });
    const line = SHIPPED_SCHEMA.split('\n').length;
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^schema\\.cedarschema:${line}: .*unexpected token`))]);
  });
});

describe('start and reload', () => {
  it('with a problem there is no engine, and the message says all of them', async () => {
    await expect(
      engineOf('permit (principal, action, resource);\n@id("x") @y permit (principal, action, resource);'),
    ).rejects.toThrow(/a\.cedar:1: has no @id\n.*a\.cedar:2: unknown annotation @y/);
  });

  it('a sound directory takes over at once, remembered verdicts and all', async () => {
    const directory = writePolicies({ 'a.cedar': READ });
    const engine = await createCedarEngine({ directory, configured: configuredWith(), maxCachedVerdicts: 10 });
    const before = await engine.decide(toAccess('x'));
    writePolicies({ 'b.cedar': '@id("no") forbid (principal, action, resource);' }, directory);
    expect(await engine.decide(toAccess('x'))).toEqual(before);
    const { digest, problems } = await engine.reload();
    expect({ problems, changed: digest !== before.digest }).toEqual({ problems: [], changed: true });
    expect(await engine.decide(toAccess('x'))).toEqual({
      outcome: 'deny',
      policies: ['no'],
      because: { why: 'forbidden', policies: ['no'] },
      digest,
    });
  });

  it('a directory with a problem changes nothing', async () => {
    const directory = writePolicies({ 'a.cedar': READ });
    const engine = await createCedarEngine({ directory, configured: configuredWith(), maxCachedVerdicts: 10 });
    const before = await engine.decide(toAccess('x'));
    writePolicies({ 'b.cedar': '@id("no") forbid (principal, action, resource);\nforbid' }, directory);
    const { digest, problems } = await engine.reload();
    expect(problems).toEqual([expect.objectContaining({ file: join(directory, 'b.cedar'), line: 2 })]);
    expect(digest).toBe(before.digest);
    expect(await engine.decide(toAccess('y'))).toMatchObject({ outcome: 'permit', digest });
  });

  it('two reloads at once end with what is in the directory', async () => {
    const directory = writePolicies({ 'a.cedar': READ });
    const engine = await createCedarEngine({ directory, configured: configuredWith(), maxCachedVerdicts: 10 });
    const first = engine.reload();
    writePolicies({ 'a.cedar': READ.replace('permit', 'forbid') }, directory);
    await Promise.all([first, engine.reload()]);
    expect(await engine.decide(toAccess('x'))).toMatchObject({ outcome: 'deny', policies: ['read'] });
  });
});

describe('the digest', () => {
  const digestOf = async (text: string, targets = [ticketsTarget()], more = {}) =>
    (await engineOf(text, targets, more)).digest;

  it('is the same wherever a policy stands', async () => {
    const other = '@id("other") permit (principal, action == Action::"write", resource);\n';
    expect(await digestOf(READ + other)).toBe(
      await digestOf(`// moved\n${other}`, [ticketsTarget()], { 'z.cedar': READ }),
    );
  });

  it('differs with everything that can change an answer', async () => {
    const label = { match: 'incident/**', sensitivity: ['restricted'] };
    const digests = await Promise.all([
      digestOf(READ),
      digestOf(READ.replace('permit', 'forbid')),
      digestOf(READ.replace('"read")', '"read") @lifetime("60")')),
      digestOf(READ, [ticketsTarget({ labels: [label] })]),
      digestOf(READ, [ticketsTarget({ tags: { environment: 'production' } })]),
      digestOf(READ, [ticketsTarget()], { 'schema.cedarschema': `${SHIPPED_SCHEMA}action browse in [access];` }),
    ]);
    expect(new Set(digests).size).toBe(digests.length);
  });
});

it('the summary counts what could be read', async () => {
  const forbid = '@id("no") forbid (principal, action, resource);';
  const { summary, problems } = await checkPolicies(writePolicies({ 'a.cedar': READ + forbid }), configuredWith());
  expect(problems).toEqual([]);
  expect(summary).toEqual({
    permits: 1,
    forbids: 1,
    ids: ['no', 'read'],
    digest: expect.stringMatching(/^[\w-]{43}$/) as unknown,
  });
});

it('an empty directory is not a policy', async () => {
  await expect(
    createCedarEngine({ directory: temporaryDirectory(), configured: configuredWith(), maxCachedVerdicts: 1 }),
  ).rejects.toThrow();
});
