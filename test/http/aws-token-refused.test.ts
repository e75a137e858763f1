/** POST /token for an AWS role: every mistake in a request is found before AWS is asked. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BUCKET, details, OTHER_ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const AWS_CREDENTIALS = 'urn:mayfly:params:oauth:token-type:aws-credentials';
const TICKETS = 'https://tickets.example';
const IN_TICKETS = [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/4711', actions: ['read'] }];

let broker: AwsBroker;
let asked: number;
beforeAll(async () => (broker = await startAwsBroker()));
beforeEach(async () => {
  asked = broker.aws.calls('AssumeRoleWithWebIdentity');
  // A minute of its own for each test: the first refusals of a minute are entered whole.
  await broker.work('refusals');
  await broker.work('refusals');
});

/** A request that cannot be read is refused before its caller is identified. Policy and AWS are not asked, nothing is audited. */
function expectUnread(reply: Reply, code: string, description: RegExp): void {
  expectOAuthRefusal(reply, 400, code, description);
  expect(broker.aws.calls('AssumeRoleWithWebIdentity')).toBe(asked);
  expect(broker.logged()).not.toMatch(/eyJ/);
}

/** AWS is not asked, and the audit log says who was refused what for. */
async function expectRefused(reply: Reply, code: string, description: RegExp): Promise<void> {
  expectUnread(reply, code, description);
  const entry = await broker.audited('credential.refused');
  expect(entry).toMatchObject({ actor: { id: 'lab:agent-7' }, error: code });
  expect(String(entry?.['reason']).replaceAll('"', "'")).toMatch(description);
}

const asking = (authorization_details: string, wish: Record<string, string | undefined> = {}) =>
  broker.session('agent-7', { authorization_details, ...wish });

describe('an action', () => {
  it.each([
    ['outside policy', 's3:PutObject', 'access_denied', /No policy permits 's3:PutObject'/],
    ['in lower case', 's3:getobject', 'invalid_authorization_details', /'s3:getobject' does not exist/],
    ['that is not in the schema', 'iam:CreateUser', 'invalid_authorization_details', /does not exist/],
  ])('%s', async (_, action, code, description) => {
    await expectRefused(await asking(details(`${BUCKET}/tenant-42/*`, [action])), code, description);
  });

  it.each([
    ['with a wildcard', ['s3:*'], /without wildcards/],
    ['with a wildcard in its name', ['s3:Get*'], /without wildcards/],
    ['that is any', ['*'], /without wildcards/],
    ['of a service in capitals', ['S3:GetObject'], /as AWS spells it/],
    ['without a service', ['read'], /<service>:<Action>/],
    ['that hides beside a good one', ['s3:GetObject', 's3:*'], /without wildcards/],
    ['aws:assumeRole on a resource', ['aws:assumeRole'], /stands alone/],
  ])('%s', async (_, actions, description) => {
    const reply = await asking(details(`${BUCKET}/tenant-42/*`, actions));
    expectUnread(reply, 'invalid_authorization_details', description);
  });

  it('aws:assumeRole where the role cannot be had as it is, whatever policy permits', async () => {
    const asked = { resource: OTHER_ROLE, authorization_details: details(OTHER_ROLE, ['aws:assumeRole'], OTHER_ROLE) };
    const reply = await broker.session('ci', asked);
    expectUnread(reply, 'invalid_authorization_details', /cannot be asked for as it is/);
  });
});

describe('an identifier', () => {
  const OUTSIDE = /outside the role's account/;
  it.each([
    ['of another account', 'arn:aws:dynamodb:eu-central-1:999999999999:table/t', OUTSIDE],
    ['of another partition', 'arn:aws-cn:s3:::customer-data/tenant-42/a', OUTSIDE],
    ['with * in the middle', `${BUCKET}/*/a`, /only stand at the end/],
    ['with * in a name', `${BUCKET}/tenant-4*`, /only stand at the end/],
    ['with * for the bucket', 'arn:aws:s3:::*', /only stand at the end/],
    ['with ** at the end', `${BUCKET}/**`, /only stand at the end/],
    ['with ?', `${BUCKET}/tenant-4?`, /character outside/],
    ['with a policy variable', `${BUCKET}/\${aws:username}/a`, /character outside/],
    ['with ..', `${BUCKET}/tenant-42/../tenant-43`, /'.' or '..'/],
    ['with an empty segment', `${BUCKET}//a`, /empty segment/],
    ['with a line break', `${BUCKET}/a\nb`, /character outside/],
    ['with a null byte', `${BUCKET}/a\0`, /character outside/],
    ['that is no ARN', 'customer-data/tenant-42', /ARN of a resource/],
    ['that is empty', '', /ARN of a resource/],
    ['of 257 characters', `${BUCKET}/${'x'.repeat(257 - BUCKET.length - 1)}`, /longer than 256/],
    ['of 9 segments', `${BUCKET}/1/2/3/4/5/6/7/8`, /more than 8 segments/],
  ])('%s', async (_, identifier, description) => {
    expectUnread(await asking(details(identifier)), 'invalid_authorization_details', description);
  });
});

describe('a form', () => {
  const ABSENT = undefined;
  const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
  it.each([
    ['for an unknown role', { resource: role('jit/nobody') }, 'invalid_authorization_details', /only location/],
    ['for the role without its path', { resource: role('agent-0') }, 'invalid_authorization_details', /only location/],
    ['for the revoker', { resource: role('jit-revoker') }, 'invalid_authorization_details', /only location/],
    ['with scope', { scope: 'incident/4711:read' }, 'invalid_scope', /no scope/],
    ['with scope alone', { scope: 'x:read', authorization_details: ABSENT }, 'invalid_scope', /no scope/],
    ['with nothing', { authorization_details: ABSENT }, 'invalid_request', /Send the access as scope/],
    ['with lifetime 0', { lifetime: '0' }, 'invalid_request', /at least 1/],
  ])('%s', async (_, wish, code, description) => {
    expectUnread(await broker.session('agent-7', wish), code, description);
  });

  it.each(['jit/nobody', 'agent-0', 'jit-revoker', 'jit/agent-0/x', 'JIT/agent-0'])(
    'for role/%s, consistently: there is no such target',
    async (name) => {
      const wish = { resource: role(name), authorization_details: details(`${BUCKET}/a`, undefined, role(name)) };
      await expectRefused(await broker.session('agent-7', wish), 'invalid_target', /not a target of this broker/);
    },
  );
});

describe('types', () => {
  it('task_access is not for a role, aws_session not for an API, and neither hides beside the other', async () => {
    const swapped = details(`${BUCKET}/a`).replace('aws_session', 'task_access');
    const other = details(`${BUCKET}/a`, ['read'], TICKETS);
    const ofRole = /The type is 'aws_session' where the location is an IAM role/;
    expectUnread(await asking(swapped), 'invalid_authorization_details', ofRole);
    const api = { resource: TICKETS, authorization_details: other };
    const ofServer = /The type is 'task_access' where the location is a resource server/;
    expectUnread(await broker.session('agent-7', api), 'invalid_authorization_details', ofServer);
    const mixed = JSON.stringify([...(JSON.parse(details(`${BUCKET}/a`)) as object[]), ...IN_TICKETS]);
    expectUnread(await asking(mixed), 'invalid_authorization_details', /only location/);
  });

  it.each([
    'urn:ietf:params:oauth:token-type:access_token',
    'urn:ietf:params:oauth:token-type:jwt',
    `${AWS_CREDENTIALS}s`,
    AWS_CREDENTIALS.toUpperCase(),
  ])('requested_token_type %s is not for a role', async (requested_token_type) => {
    const reply = await broker.session('agent-7', { requested_token_type });
    await expectRefused(reply, 'invalid_request', /must be urn:mayfly:params:oauth:token-type:aws-credentials/);
  });

  it('AWS credentials are not for an API', async () => {
    const api = { resource: TICKETS, scope: 'incident/1:read', authorization_details: undefined };
    const reply = await broker.session('agent-7', { ...api, requested_token_type: AWS_CREDENTIALS });
    await expectRefused(reply, 'invalid_request', /must be urn:ietf:params:oauth:token-type:access_token/);
  });
});

describe('a lifetime', () => {
  it('below 30 seconds is refused, for the clock that ends a session is not ours', async () => {
    const reply = await asking(details(`${BUCKET}/a`), { lifetime: '29' });
    await expectRefused(reply, 'invalid_request', /30 seconds or more/);
  });

  it('is refused where the task has less than that left, and leaves its room in the task', async () => {
    const task = await broker.open('agent-7', { deadlineSeconds: 20 });
    const reply = await asking(details(`${BUCKET}/a`), { purpose: undefined, task_id: task });
    await expectRefused(reply, 'invalid_request', /30 seconds or more/);
  });

  it('above what the target gives is shortened, as everywhere', async () => {
    const reply = await asking(details(`${BUCKET}/a`), { lifetime: '999999999' });
    expect(reply.body).toHaveProperty('expires_in', 3_600);
  });
});

it('what does not fit into the policy of a session is refused with its size, and never trimmed', async () => {
  const many = Array.from({ length: 20 }, (_, index) => `${BUCKET}/tenant-42/${'x'.repeat(120)}${index}`);
  const all = many.flatMap((identifier) => JSON.parse(details(identifier)) as object[]);
  const reply = await asking(JSON.stringify(all));
  await expectRefused(reply, 'invalid_target', /^The session policy would have \d{4} characters; AWS takes 2048\.$/);
  expect(reply.body).toHaveProperty('retry', 'with-less');
});

it('a target that gives less gives no more: its own maximum, not that of all', async () => {
  const short = await startAwsBroker({ aws: { lifetimeMax: 120 } });
  expect((await short.session('agent-7', { lifetime: '900' })).body).toHaveProperty('expires_in', 120);
});
