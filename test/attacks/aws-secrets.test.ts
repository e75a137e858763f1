/** The keys of a session, and what proves the broker to AWS, are in one answer and nowhere else: no log, audit, error or file. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { BUCKET, details, ROLE, startAwsBroker, type Minted } from '../support/brokers/http-aws.js';
import { calls, type Reply } from '../support/calls.js';
import { temporaryDirectory } from '../support/directory.js';

const AT = `/aws/credentials/${encodeURIComponent(ROLE)}`;
const fileText = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

it('the keys of a session are in one answer and nowhere else, whatever is done with them, by their holder or by mistake', async () => {
  const directory = temporaryDirectory();
  const broker = await startAwsBroker({ config: { store: `lmdb:${directory}`, log: { level: 'debug' } } });
  const [agent, soc] = [await broker.identity('agent-7'), await broker.identity('soc')];
  const answers: string[] = [];
  const hear = (reply: Reply): Reply => (answers.push(reply.text, JSON.stringify([...reply.headers])), reply);

  const keys = await broker.mint('agent-7');
  const query = new URLSearchParams({ purpose: 'x', authorization_details: details(`${BUCKET}/a`) });
  const { body } = await broker.send(`${AT}?${String(query)}`, { headers: { authorization: agent } });
  const container = body as { SecretAccessKey: string; Token: string };
  const again = await broker.send(`${AT}?${String(query)}`, { headers: { authorization: agent } });
  expect(again.body).toEqual(container); // It is kept for that: in memory alone, as is shown below.
  const secrets = [keys.secretAccessKey, keys.sessionToken, container.SecretAccessKey, container.Token];
  const form = asProcess(keys);

  for (const text of [form, JSON.stringify(container), ...secrets]) {
    for (const name of ['authorization_details', 'requested_token_type', 'resource', 'task_id', 'lifetime', 'scope'])
      hear(await broker.session('agent-7', { [name]: text }));
    hear(await broker.exchange(text));
    for (const name of ['task', 'lifetime', 'authorization_details', text])
      hear(await broker.get(`${AT}?${String(new URLSearchParams({ [name]: text }))}`, agent));
    hear(await broker.send(AT, { headers: { authorization: text } }));
    hear(await broker.get(`/aws/credentials/${encodeURIComponent(text)}?purpose=x`, agent));
    hear(await broker.get(`/credentials/${encodeURIComponent(text)}`, soc));
    hear(await broker.post('/revocations', { leaked: text, reason: 'x', dryRun: true }, soc));
    hear(await broker.post('/revocations', { leaked: text, reason: 'x', effect: text }, soc));
    hear(await broker.form('/revoke', { token: text }, { authorization: `Bearer ${await broker.identity('eve')}` }));
  }
  // A purpose is kept as it is written: what can be known as a secret is taken out of it, by its name.
  hear(await broker.get(`${AT}?${String(new URLSearchParams({ purpose: form }))}`, agent));
  for (const reason of [`found ${form}`, `AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey}`, pasted(container)])
    hear(await broker.post('/revocations', { selector: { kind: 'credential', value: keys.id }, reason }, soc));
  for (const message of [form, keys.sessionToken])
    broker.aws.faults.queue('AssumeRoleWithWebIdentity', [
      { kind: 'error', code: 'AccessDenied', message, status: 403 },
    ]);
  hear(await broker.session('agent-7'));
  await broker.advance(30_000);
  hear(await broker.form('/revoke', { token: form }, { authorization: `Bearer ${agent}` }));
  await broker.pass(20);
  hear(await broker.get('/revocations', soc));
  const audit = await broker.get('/audit', soc, { accept: 'application/x-ndjson' });
  hear(await calls(broker.operationsUrl).get('/metrics'));
  await broker.close();

  const stored = fileText(directory);
  expect(stored).toContain(keys.id); // It is the store, and it can be read.
  expect(audit.text).toContain(keys.id);
  const places = { answers: answers.join('\n'), log: broker.logged(), audit: audit.text, stored };
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets)
      expect([place, secret.slice(0, 6), text.includes(secret)]).toEqual([place, secret.slice(0, 6), false]);
    // Identity tokens, and the one that proves the broker to AWS: each begins with a header in base64url.
    expect([place, /eyJ[\w-]{10,}\.eyJ/.test(text)]).toEqual([place, false]);
  }
  expect(stored).not.toMatch(/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{43}/);
});

const asProcess = ({ accessKeyId, secretAccessKey, sessionToken }: Minted): string =>
  JSON.stringify({
    Version: 1,
    ...{ AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken },
  });

const pasted = ({ SecretAccessKey, Token }: { SecretAccessKey: string; Token: string }): string =>
  `export AWS_SECRET_ACCESS_KEY="${SecretAccessKey}" AWS_SESSION_TOKEN=${Token}`;
