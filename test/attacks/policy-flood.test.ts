/** A permitted agent asks for as many of the dearest patterns as it can. Others notice nothing of it. */
import { expect, it } from '@jest/globals';
import { startBroker, TICKETS } from '../support/brokers/http.js';

const SEGMENTS = [0, 1, 2, 3, 4, 5, 6];
const under = (at: (index: number) => string) => ['incident', ...SEGMENTS.map(at)].join('/');
/** Each label fixes one of seven segments, so a pattern of asterisks has a part for each combination of them. */
const labels = SEGMENTS.map((label) => ({
  match: under((index) => (index === label ? 'a' : '*')),
  sensitivity: label === 6 ? 'restricted' : `s${label}`,
}));
const fixed = (...segments: number[]) => under((index) => (segments.includes(index) ? 'b' : '*'));
/** 32 and 16 parts, in two rounds: all the evaluations that a request may need. */
const dearest = [fixed(0, 1), fixed(2, 3, 4)];
const tooDear = [fixed(0)];

it('endings, holds, introspection and honest exchanges are answered while patterns flood the policy engine', async () => {
  const broker = await startBroker({
    config: {
      targets: [{ resource: TICKETS, minter: 'jwt', labels }],
      limits: { perWorkloadPerMinute: 120 },
    },
  });
  const [flooder = '', soc = '', api = '', boss = ''] = await Promise.all(
    ['flooder', 'soc', 'tickets-api', 'orchestrator'].map((sub) => broker.identity(sub)),
  );
  const honest = await Promise.all(SEGMENTS.map((n) => broker.identity(`agent-${n}`)));
  const ask = (paths: string[], lifetime: number) =>
    broker.exchange(flooder, { scope: paths.map((path) => `${path}:read`).join(' '), lifetime: String(lifetime) });

  // Each has another lifetime, so no verdict is remembered.
  const flood = Promise.all(Array.from({ length: 40 }, (_, n) => ask(n % 4 === 3 ? tooDear : dearest, 100 + n)));
  const meanwhile = await Promise.all(
    honest.map(async (agent, n) => {
      const granted = await broker.exchange(agent, { scope: `incident/${n}:read` });
      const { access_token: token = '', task_id: task = '' } = granted.body as Record<string, string>;
      const live = await broker.introspect(token, api);
      const ended = await broker.post(`/tasks/${task}/complete`, { outcome: 'failed' }, boss);
      const held = await broker.post(
        '/revocations',
        { selector: { kind: 'workload', value: `lab:agent-${n}` }, effect: 'hold', reason: 'drill' },
        soc,
      );
      const dead = await broker.introspect(token, api);
      return [granted.status, live.body, ended.status, held.status, dead.body];
    }),
  );
  for (const answers of meanwhile)
    expect(answers).toEqual([200, expect.objectContaining({ active: true }), 200, 200, { active: false }]);

  const answers = await flood;
  const answered = (status: number) => answers.filter((answer) => answer.status === status);
  // A point for each request, and five more for each that needs 96 evaluations.
  expect(answered(200).length).toBeGreaterThan(0);
  expect(answered(200).length).toBeLessThanOrEqual(20);
  for (const { body } of answered(400)) expect(body).toMatchObject({ error: 'invalid_request', retry: 'with-less' });
  expect(answered(400).length).toBeGreaterThan(0);
  expect(answered(200).length + answered(400).length + answered(429).length).toBe(answers.length);
});
