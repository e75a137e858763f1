/** The commands for people, against a real broker: what they show, what they ask, and what they never do. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli/run.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let env: Record<string, string>;
let credential: { token: string; id: string; task: string };

beforeAll(async () => {
  const owners = { sre: { contact: '#sre-oncall', runbook: 'https://wiki.example/agents' } };
  broker = await startBroker({ config: { owners } });
  env = { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: await broker.identity('soc') };
});

interface Typed {
  /** What the person types or pastes; a pipe where there is no keyboard. */
  typed?: string;
  isTTY?: boolean;
  env?: Record<string, string>;
}

async function mayfly(argv: string[], { typed, isTTY = true, env: other = env }: Typed = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const input = typed === undefined ? undefined : Object.assign(new PassThrough(), { isTTY });
  input?.end(typed);
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    clock: broker.clock,
    env: other,
    ...(input && { input }),
  };
  const code = await run(argv, terminal);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

async function granted(sub = 'agent-7', claims = {}) {
  const { body } = await broker.exchange(await broker.identity(sub, claims));
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  const [, payload = ''] = token.split('.');
  const { jti: id } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string };
  return { token, id, task };
}

/** A question to people that `lab:asker` has asked. */
async function asked() {
  const wish = { scope: `incident/${(incidents += 1)}:export`, completion_mode: 'deferred' };
  const { body } = await broker.exchange(await broker.identity('asker'), wish);
  const { deferral_code: code, approval_id: id } = body as { deferral_code: string; approval_id: string };
  return { code, id };
}
let incidents = 0;

const isActive = async (token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

const PASTED = '\r\u0004';

describe('mayfly whatis', () => {
  beforeAll(async () => {
    credential = await granted();
  });

  it('finds a pasted credential, wrapped as it is, says how to end it, and shows nothing of what was pasted', async () => {
    const text = `curl -H "Authorization: Bearer ${credential.token}"`;
    const { code, out, err } = await mayfly(['whatis'], { typed: `${text}\rsecond line${PASTED}` });
    expect([code, err]).toEqual([0, expect.stringMatching(/^Paste it.*not shown\.$/)]);
    expect(out).toContain('A credential (jwt): live.');
    expect(out).toMatch(new RegExp(`end it +mayfly revoke --reason '…' credential ${credential.id}`));
    expect(out).toMatch(/dies with +workload lab:agent-7/);
    expect(out + err).not.toContain(credential.token.split('.')[2]);
    expect(broker.logged()).not.toContain(credential.token);
  });

  it('finds a deferral code, says of what question it is, and how to take that back', async () => {
    const { code: secret, id } = await asked();
    const { code, out, err } = await mayfly(['whatis'], { typed: `see ${secret}${PASTED}` });
    expect(code).toBe(0);
    expect(out).toContain('The text contains a deferral code, of a question to people that is pending.');
    expect(out).toMatch(new RegExp(`approval +${id}\n +asked by +lab:asker\n[^]*take it back +mayfly revoke --leaked`));
    expect(out + err).not.toContain(secret);
    expect(JSON.parse((await mayfly(['whatis', secret, '--json'])).out)).toMatchObject({
      is: 'token',
      answer: { approval: { id, state: 'pending' } },
    });
  });

  it('warns of a secret on the command line, and takes it from a pipe', async () => {
    expect((await mayfly(['whatis', credential.token])).err).toMatch(/history of your shell/);
    expect(await mayfly(['whatis'], { typed: credential.token, isTTY: false })).toMatchObject({ code: 0, err: '' });
  });

  it('shows a task, and everything that a line of a log names', async () => {
    const { out } = await mayfly(['whatis', `{"task":"${credential.task}","credential":"${credential.id}"}`]);
    expect(out).toMatch(/A task: open\.[^]*purpose +summarise[^]*A credential \(jwt\): live\./);
  });

  it.each([
    ['a name', 'lab:agent-7', /A name: workload lab:agent-7\.\n[^]* +alive under it +1 credentials of 1 tasks/],
    [
      'whose it is',
      'lab:agent-7',
      / +team +sre, #sre-oncall\n +runbook +https:\/\/wiki\.example\/agents\n +risk +LOW\n/,
    ],
    ['a target', TICKETS, /A name: target https:\/\/tickets\.example\./],
    ['a link to a refusal', 'https://mayfly.example/errors#access_denied', /A refusal of the broker, access_denied/],
    ['an e-mail address', 'ann@example.com', /email:<trust name>\/<address>/],
  ])('knows %s', async (_what, text, said) => {
    expect(await mayfly(['whatis', text])).toMatchObject({ code: 0, out: expect.stringMatching(said) });
  });

  it('finds a decision and a request by what a refusal says', async () => {
    const refused = await broker.exchange(await broker.identity('agent-7'), { scope: 'customer/1:read' });
    const { decision_id: decision } = refused.body as { decision_id: string };
    expect((await mayfly(['whatis', decision])).out).toMatch(
      /A decision of policy\.[^]*outcome +deny[^]*mayfly policy explain --decision dec_\w+ -c /,
    );
    const request = refused.headers.get('x-request-id') ?? '';
    expect((await mayfly(['whatis', request])).out).toMatch(/A request\. What happened in it:[^]*credential\.refused/);
  });

  it('says what an identity token says of itself, and that nobody verified it', async () => {
    const { code, out } = await mayfly(['whatis'], { typed: `${await broker.identity('agent-7')}${PASTED}` });
    expect(code).toBe(0);
    expect(out).toMatch(/no valid token of this broker[^]*nobody has verified it[^]*subject +"agent-7"/);
  });

  it.each([
    ['a password', 'correct horse battery staple'],
    ['a secret key of AWS', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['an opaque token', 'ghp_0123456789abcdefABCDEF0123456789abcd'],
  ])('sends %s nowhere, and does not repeat it', async (_what, secret) => {
    const lines = broker.logged().length;
    const { code, out, err } = await mayfly(['whatis'], { typed: `${secret}${PASTED}` });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/nothing of it was sent anywhere/);
    expect(err).not.toContain(secret);
    expect(broker.logged().length).toBe(lines);
  });

  it('ends with 1 where nothing is known', async () => {
    expect(await mayfly(['whatis', 'crd_aaaaaaaaaaaaaaaa'])).toMatchObject({ code: 1, out: '' });
    expect(await mayfly(['whatis', 'lba:agent-7'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Did you mean lab:agent-7/),
    });
  });
});

describe('mayfly tasks', () => {
  it('lists what is open, a line or a JSON object each', async () => {
    const { task } = await granted('agent-8');
    const { out } = await mayfly(['tasks', '--workload', 'lab:agent-8']);
    expect(out).toMatch(new RegExp(`^${task} +open +lab:agent-8 +until \\S+Z +summarise .*\nEnd one by its id: `));
    const lines = (await mayfly(['tasks', '--json', '--state', 'open'])).out.split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toContain(task);
  });

  it('says so where there is none that the caller may see', async () => {
    const none = 'No task is open or suspended that fits and that you may read.';
    expect((await mayfly(['tasks', '--purpose', 'none of it'])).out).toBe(none);
    expect((await mayfly(['tasks', '--workload', 'lab:nobody'])).out).toBe(none);
    for (const option of ['--workload', '--principal'])
      expect((await mayfly(['tasks', option, 'agent-7'])).out).toMatch(
        /^No task [^\n]*\nNames begin with a trust name, such as lab:agent-7\./,
      );
  });

  it('lists what a run has opened, by the name by which it is revoked', async () => {
    const { task } = await granted('agent-9', { run: 'a:1' });
    expect((await mayfly(['tasks', '--run', 'lab:a:1'])).out).toMatch(new RegExp(`^${task} [^\n]*\nEnd one`));
    expect((await mayfly(['tasks', '--run', 'lab:a'])).out).toMatch(/^No task/);
    expect(await mayfly(['tasks', '--run', '4711'])).toMatchObject({ code: 1, err: expect.stringMatching(/ci:4711/) });
  });
});

describe('mayfly workloads', () => {
  const listed = async (...more: string[]) => mayfly(['workloads', '--owner', 'fleet', ...more]);
  const inFleet = async (...more: string[]) =>
    (await listed('--json', ...more)).out
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { workload: string }).workload)
      .toSorted();

  it('lists who called, a line or a JSON object each, and can count what is alive', async () => {
    for (const sub of ['fleet-1', 'fleet-2']) await broker.get('/tasks', await broker.identity(sub, { team: 'fleet' }));
    const orchestrator = await broker.identity('orchestrator');
    await broker.post('/tasks', { workload: 'lab:fleet-1', purpose: 'summarise' }, orchestrator);
    await until(async () => (await inFleet()).length === 2, 'they are not in the list');
    expect((await listed()).out.split('\n').toSorted()).toEqual([
      expect.stringMatching(/^lab:fleet-1 +fleet +- +seen \S+Z +- +risk LOW$/),
      expect.stringMatching(/^lab:fleet-2 +fleet +- +seen \S+Z +- +risk LOW$/),
    ]);
    expect((await listed('--live')).out).toMatch(/lab:fleet-1 .* risk LOW +0 credentials of 1 tasks/);
    expect(await inFleet('--limit', '1')).toHaveLength(1);
    expect(await inFleet('--held')).toEqual([]);
    await mayfly(['revoke', 'workload', 'lab:fleet-2', '--reason', 'odd', '--yes']);
    expect(await inFleet('--held')).toEqual(['lab:fleet-2']);
    expect((await listed('--held')).out).toMatch(/ +held +risk LOW$/);
    const [hold = ''] = (await mayfly(['holds'])).out.split(' ');
    expect(await mayfly(['lift', hold])).toMatchObject({ code: 0 });
  });

  it('says so where there is none, and what it does not take', async () => {
    expect((await mayfly(['workloads', '--owner', 'nobody'])).out).toMatch(/^No workload fits/);
    expect(await mayfly(['workloads', '--limit', 'x'])).toMatchObject({ code: 1 });
  });
});

describe('mayfly tree', () => {
  it('draws what is below what, marks the one that was asked for, and has what has ended', async () => {
    const { task: root } = await granted('agent-8');
    const orchestrator = await broker.identity('orchestrator');
    const open = async (parent: string) => {
      await broker.advance(1);
      const wish = { workload: 'lab:agent-9', purpose: 'a part', parent };
      return ((await broker.post('/tasks', wish, orchestrator)).body as { id: string }).id;
    };
    const [child, beside] = [await open(root), await open(root)];
    const below = await open(child);
    await broker.post(`/tasks/${child}/complete`, { outcome: 'completed' }, orchestrator);
    const { out } = await mayfly(['tree', child]);
    const row = (mark: string, id: string, state: string) => `${mark}${id} +${state} .*\n`;
    expect(out).toMatch(
      new RegExp(
        `^${row('  ', root, 'open')}${row('>   ', child, 'completed')}${row('      ', below, 'cancelled')}${row('    ', beside, 'open')}With a task`,
      ),
    );
    const lines = (await mayfly(['tree', below, '--json'])).out.split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([root, child, beside, below]);
    expect(await mayfly(['tree', 'tsk_aaaaaaaaaaaaaaaa'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not_found/),
    });
  });
});

describe('mayfly revoke, holds and lift', () => {
  it('shows what it would hit, and does nothing unless the person says yes', async () => {
    const { token } = await granted();
    const order = ['revoke', 'workload', 'lab:agent-7', '--reason', 'odd'];
    const { code, out, err } = await mayfly(order, { typed: 'no\n' });
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^hold of workload lab:agent-7 would hit \d+ credentials of \d+ tasks/),
    ]);
    expect(err).toMatch(/Type yes:\nNothing was revoked\./);
    expect(await mayfly(order, { typed: 'yes\n', isTTY: false })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Say --yes/),
    });
    expect(await mayfly([...order, '--dry-run'])).toMatchObject({ code: 0 });
    expect(await isActive(token)).toBe(true);
  });

  it('holds, lists the hold, and lifts it: what it killed stays dead', async () => {
    const { token } = await granted();
    const { out } = await mayfly(['revoke', 'workload', 'lab:agent-7', '--reason', 'odd'], { typed: 'yes\n' });
    const [, seq = ''] = /mayfly lift (\d+)$/.exec(out) ?? [];
    expect(await isActive(token)).toBe(false);
    expect((await mayfly(['holds'])).out).toMatch(new RegExp(`^${seq} .*workload lab:agent-7 +by lab:soc .*odd$`, 'm'));
    expect((await mayfly(['whatis', 'lab:agent-7'])).out).toContain(`mayfly lift ${seq}`);
    expect((await mayfly(['whatis', seq])).out).toMatch(/A revocation: hold of workload lab:agent-7\./);

    expect(await mayfly(['lift', seq])).toMatchObject({ code: 0 });
    expect((await mayfly(['holds'])).out).toBe('Nothing is held.');
    expect([await isActive(token), await isActive((await granted()).token)]).toEqual([false, true]);
    expect(await mayfly(['lift', seq])).toMatchObject({ code: 1, err: expect.stringMatching(/^conflict: /) });
  });

  it('ends the credential in a text that leaked, and no other', async () => {
    const [leaked, other] = [await granted(), await granted()];
    const typed = `see ${leaked.token} in the ticket`;
    const order = ['revoke', '--leaked', '--reason', 'found', '--yes', '--json'];
    const { code, out, err } = await mayfly(order, { typed, isTTY: false });
    expect([code, err]).toEqual([0, expect.stringContaining(`end of credential ${leaked.id} would hit 1 credentials`)]);
    expect(JSON.parse(out)).toMatchObject({ selector: { kind: 'credential', value: leaked.id }, effect: 'end' });
    expect([await isActive(leaked.token), await isActive(other.token)]).toEqual([false, true]);
  });

  it('takes back the question whose deferral code leaked', async () => {
    const { code: secret, id } = await asked();
    const order = ['revoke', '--leaked', '--reason', 'found', '--yes'];
    const pasted = { typed: `see ${secret} in the ticket`, isTTY: false };
    expect(await mayfly([...order, '--dry-run'], pasted)).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^${id}, a question .* lab:asker .*: pending\\. It would be taken back`)),
    });
    const { code, out } = await mayfly(order, pasted);
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`${id}, .*: cancelled\\.$`))]);
    expect((await mayfly(['whatis', secret])).out).toContain('that is cancelled.');
  });

  it('knows a question by its id, with the command to answer it for whom policy lets', async () => {
    const { id } = await asked();
    const said = new RegExp(`^A question to people: ${id} is pending\\.\n[^]*who +lab:asker\n`);
    const { code, out } = await mayfly(['whatis', `{"approval_id":"${id}"}`]);
    expect([code, out]).toEqual([0, expect.stringMatching(said)]);
    expect(out).not.toContain('answer it');
    const MAYFLY_TOKEN = await broker.person('dana', { groups: ['sre-oncall'] });
    const dana = await mayfly(['whatis', id], { env: { ...env, MAYFLY_TOKEN } });
    expect(dana.out).toContain(`mayfly approvals show ${id}`);
    expect(await mayfly(['whatis', 'apr_aaaaaaaaaaaaaaaa'])).toMatchObject({ code: 1, out: '' });
  });

  it.each([
    [['revoke', '--reason', 'r'], /Say a kind and a value/],
    [['revoke', 'everything', '--reason', 'r'], /one of credential, task/],
    [['revoke', 'workload', 'lab:agent-7'], /--reason/],
    [['revoke', 'workload', '--reason', 'r'], /invalid_request: .*missing or malformed/],
    [['lift'], /number of a hold/],
    [['lift', 'x'], /at the start of the line/],
    [['lift', '999'], /not_found: /],
  ])('refuses %j', async (argv, said) => {
    expect(await mayfly(argv)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(said) });
  });

  it('says the sentence of the broker, and the decision, where policy says no', async () => {
    const asked = { env: { ...env, MAYFLY_TOKEN: await broker.identity('agent-7') } };
    const { code, err } = await mayfly(['revoke', 'all', '--reason', 'r', '--yes'], asked);
    expect([code, err]).toEqual([1, expect.stringMatching(/^access_denied: .* \(policy decision dec_\w+\)$/)]);
  });
});

describe('to whom and as whom', () => {
  const loggedIn = (broker: string, token?: string) => {
    const XDG_STATE_HOME = temporaryDirectory();
    mkdirSync(join(XDG_STATE_HOME, 'mayfly'));
    const login = { broker, provider: 'https://idp.example', clientId: 'mayfly-cli', scope: 'openid', token };
    writeFileSync(join(XDG_STATE_HOME, 'mayfly/login.json'), JSON.stringify(login));
    return { XDG_STATE_HOME };
  };

  it('is what the login says', async () => {
    expect(await mayfly(['holds'], { env: loggedIn(broker.url, env['MAYFLY_TOKEN']) })).toMatchObject({ code: 0 });
  });

  it('gives the token of a login to no other broker', async () => {
    const other = await startBroker();
    const asked = { env: loggedIn('https://mayfly.example', env['MAYFLY_TOKEN']) };
    const { code, err } = await mayfly(['holds', '--broker', other.url], asked);
    expect([code, err]).toEqual([1, expect.stringMatching(/logged in for https:\/\/mayfly\.example/)]);
    expect(other.logged()).not.toContain('"endpoint":"/revocations"');
  });

  it('says to log in again when the token of the login is not taken any more', async () => {
    const gone = await broker.identity('soc', { expiresInSeconds: -60 });
    const { err } = await mayfly(['holds'], { env: loggedIn(broker.url, gone) });
    expect(err).toMatch(/^invalid_token: .* Log in again: mayfly login$/);
    expect(err).not.toContain(gone);
  });

  it('must be said somewhere', async () => {
    expect((await mayfly(['holds'], { env: {} })).err).toMatch(/Which broker\?/);
    expect((await mayfly(['holds'], { env: loggedIn(broker.url) })).err).toMatch(/Who are you\?/);
  });

  it('forgets the token at logout, and keeps who the provider is', async () => {
    const state = loggedIn(broker.url, 'a.b.c');
    expect(await mayfly(['logout'], { env: state })).toMatchObject({ code: 0 });
    const file = join(state.XDG_STATE_HOME, 'mayfly/login.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      broker: broker.url,
      provider: 'https://idp.example',
      clientId: 'mayfly-cli',
      scope: 'openid',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await mayfly(['logout'], { env: state })).out).toBe('You were not logged in.');
  });
});
