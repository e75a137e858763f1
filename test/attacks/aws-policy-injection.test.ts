/** Text that a caller chooses ends up in a policy document: it must stay text there, and mean to IAM what it meant to Cedar. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

let broker: AwsBroker;
beforeAll(async () => (broker = await startAwsBroker()));

const session = (accessKeyId: string) => broker.aws.sessions().find(({ id }) => id === accessKeyId);

describe('an identifier', () => {
  it.each([
    ['that closes the string', `${BUCKET}/a","arn:aws:s3:::*`],
    ['that closes the statement', `${BUCKET}/a"},{"Effect":"Allow","Action":"*","Resource":"*`],
    ['with an escape', `${BUCKET}/a\\u0022`],
    ['with a policy variable', `${BUCKET}/\${aws:PrincipalTag/jc}`],
    ['with braces alone', `${BUCKET}/{a}`],
    ['with a star that is escaped', `${BUCKET}/\${*}`],
    ['with a question mark', `${BUCKET}/tenant-4?/a`],
    ['with a star that looks like another', `${BUCKET}/tenant-42/∗`],
    ['with a percent', `${BUCKET}/tenant-42/%2a`],
    ['with a blank', `${BUCKET}/tenant-42/ *`],
    ['with a right-to-left mark', `${BUCKET}/\u202ea`],
    ['that leads to another bucket', `${BUCKET}/../other-bucket/*`],
  ])('%s is refused, and AWS not asked', async (_, identifier) => {
    const calls = broker.aws.calls('AssumeRoleWithWebIdentity');
    const reply = await broker.session('agent-7', { authorization_details: details(identifier) });
    expectOAuthRefusal(reply, 400, 'invalid_authorization_details');
    expect(broker.aws.calls('AssumeRoleWithWebIdentity')).toBe(calls);
  });

  it('of all letters that are allowed arrives at AWS as it is, and allows nothing beside it', async () => {
    const name = 'Az09._~@+=,:-';
    const keys = await broker.mint('agent-7', { authorization_details: details(`${BUCKET}/${name}/*`) });
    const [allow, deny, ...more] = session(keys.accessKeyId)!.sessionPolicy!.Statement as object[];
    expect(allow).toEqual({ Effect: 'Allow', Action: 's3:GetObject', Resource: `${BUCKET}/${name}/*` });
    expect(deny).toMatchObject({ Effect: 'Deny', Action: '*', Resource: '*' });
    expect(more).toEqual([]);
    expect([broker.reads(keys.accessKeyId, `${name}/a`), broker.reads(keys.accessKeyId, 'Az09/a')]).toEqual([
      true,
      false,
    ]);
  });

  it('granted beside another keeps its own actions: no product of both', async () => {
    const policies = `@id("writes") permit (principal in Issuer::"lab", action in Action::"write", resource in Resource::"${ROLE}#${BUCKET}");`;
    const writer = await startAwsBroker({ policies });
    const both = [details(`${BUCKET}/in/*`), details(`${BUCKET}/out/*`, ['s3:PutObject'])];
    const asked = JSON.stringify(both.flatMap((one) => JSON.parse(one) as object[]));
    const { accessKeyId } = await writer.mint('agent-7', { authorization_details: asked });
    const may = (action: string, place: string) =>
      writer.aws.may(accessKeyId, { action, resource: `${BUCKET}/${place}/a` }) === 'allow';
    const pairs = ['s3:GetObject', 's3:PutObject'].flatMap((action) =>
      ['in', 'out'].map((place) => may(action, place)),
    );
    expect(pairs).toEqual([true, false, false, true]);
  });
});

describe('what else a caller names', () => {
  it('a workload with quotes in its name is a digest in tags and subject', async () => {
    const sub = 'agent"}],"transitive_tag_keys":[],"x":["*';
    const keys = await broker.mint(sub);
    const born = session(keys.accessKeyId);
    expect(Object.values(born?.tags ?? {}).join()).toMatch(/^[\w,@-]+$/);
    expect(born?.subject).toMatch(/^wl:[\w-]{16}$/);
    expect(born?.transitiveTagKeys).toEqual(['jc', 'jt', 'jw']);
  });

  it('a purpose with a policy in it reaches AWS nowhere', async () => {
    const purpose = '"},{"Effect":"Allow","Action":"*","Resource":"*"}';
    const keys = await broker.mint('agent-7', { purpose });
    expect(JSON.stringify(session(keys.accessKeyId))).not.toContain('"Action":"*","Resource":"*"},{');
    expect(broker.reads(keys.accessKeyId, 'secrets/key')).toBe(false);
  });

  it('a credential to revoke with quotes in its id is refused, and the deny policy stays what it was', async () => {
    const soc = await broker.identity('soc');
    const before = JSON.stringify(broker.aws.policyOf(ROLE));
    for (const value of ['crd_aa"]}},{"Effect":"Allow"', 'crd_aaaaaaaaaaaaaaa*', '*', 'crd_']) {
      const reply = await broker.post('/revocations', { selector: { kind: 'credential', value }, reason: 'x' }, soc);
      expect(reply.status).toBe(400);
    }
    for (const leaked of ['"},{"Effect":"Allow"', '*', 'ASIA*'])
      expect((await broker.post('/revocations', { leaked, reason: 'x' }, soc)).status).toBe(400);
    await broker.pass(2);
    expect(JSON.stringify(broker.aws.policyOf(ROLE))).toBe(before);
  });
});
