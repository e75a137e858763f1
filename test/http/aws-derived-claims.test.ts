/** GET /aws/credentials/{role}: what policy says of the claims of a workload holds whether it comes itself or with a token of the broker. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';

const REDS = 'arn:aws:s3:::red-data';
/** By a text, by a list, and by a claim that cannot be kept. */
const isRed = `principal is Workload && principal.hasTag("team") && principal.getTag("team") == "red" &&
  principal.lists.hasTag("labels") && principal.lists.getTag("labels").contains("red") &&
  principal.unread.contains("level")`;

let broker: AwsBroker;
beforeAll(async () => {
  broker = await startAwsBroker({
    policies: `
@id("tenants-are-not-for-red")
forbid (principal, action, resource in Resource::"${ROLE}#${BUCKET}") when { ${isRed} };
@id("red-reads-what-is-red")
permit (principal, action in Action::"read", resource in Resource::"${ROLE}#${REDS}") when { ${isRed} };
`,
  });
});

const asItself = (team: string) => broker.identity(`agent-${team}`, { team, labels: ['x', team], level: 1.5 });
/** Returns a token of the broker for this very endpoint. */
async function derived(team: string): Promise<string> {
  const endpoint = { resource: `${broker.url}/aws/credentials`, scope: `${ROLE}:execute` };
  const { body, text } = await broker.exchange(await asItself(team), endpoint);
  const { access_token: token } = body as { access_token?: string };
  if (token === undefined) throw new Error(`not granted: ${text}`);
  return token;
}

async function ask(token: string, identifier: string, under: Record<string, string>) {
  const query = new URLSearchParams({ authorization_details: details(identifier), ...under });
  const path = `/aws/credentials/${encodeURIComponent(ROLE)}?${String(query)}`;
  const { status, body } = await broker.send(path, { headers: { authorization: token } });
  return [status, (body as { code?: string }).code];
}

describe.each([
  ['itself', asItself, { purpose: 'read' }],
  ['with a token derived from its own', derived, {}],
] as const)('a workload that comes %s', (_, tokenOf, under) => {
  it('is forbidden what is forbidden to those with its claim, and nobody else is', async () => {
    const asked = `${BUCKET}/tenant-42/*`;
    expect(await ask(await tokenOf('red'), asked, under)).toEqual([403, 'access_denied']);
    expect(await ask(await tokenOf('blue'), asked, under)).toEqual([200, undefined]);
  });

  it('is permitted what is permitted to those with its claim, and nobody else is', async () => {
    const asked = `${REDS}/a`;
    expect(await ask(await tokenOf('red'), asked, under)).toEqual([200, undefined]);
    expect(await ask(await tokenOf('blue'), asked, under)).toEqual([403, 'access_denied']);
  });
});
