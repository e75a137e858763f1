/** Far more signals at once than can be evaluated: each acknowledged signal is evaluated in the end, once. */
import { expect, it } from '@jest/globals';
import { signalsSchema } from '../../../src/config/signals-schema.js';
import { openSignals } from '../../../src/compose/signals.js';
import { acceptSignal } from '../../../src/signals/accept.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { noProxy } from '../../../src/outbound/proxy.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';

const COUNT = 10_000;
const reactions = [
  { name: 'hold', event: 'account-disabled', do: 'hold', covers: 'workload' },
  { name: 'note', event: 'session-revoked', do: 'record' },
];

it('10,000 at once: none that was acknowledged is lost, and none is evaluated twice', async () => {
  const whole = await wholeBroker();
  const { deps, clock } = whole;
  const { ledger, audit } = deps;
  const settings = { ...deps.settings, signals: signalsSchema.parse({ reactions }) };
  const log = createLogger({ level: 'silent' });
  const loaded = { config: settings, directory: '.' };
  const { queue } = openSignals({ loaded, ledger, audit, log, proxyFor: noProxy, metrics: createMetrics(clock) });
  const intake = { ledger, settings, issuer: 'https://mayfly.example', onSignal: (id: string) => queue.push(id) };

  const tell = (number: number) =>
    acceptSignal(intake, {
      ...{ source: 'lab:siem', about: ['lab'], itsId: String(number), digest: 'x', level: 'HIGH', at: clock.now() },
      event: number % 100 === 0 ? 'account-disabled' : 'session-revoked',
      subject: { format: 'iss_sub', iss: 'https://lab.example', sub: `agent-${number}` },
    });
  const acknowledged = new Set<string>();
  // A disk that is too slow for so many refuses some of them with 503, and their sender sends them again.
  for (let left = Array.from({ length: COUNT }, (_, number) => number); left.length > 0;) {
    const answers = await Promise.allSettled(left.map(tell));
    for (const answer of answers) if (answer.status === 'fulfilled') acknowledged.add(answer.value.id);
    left = left.filter((_, index) => answers[index]?.status === 'rejected');
  }
  clock.advance(2_000);
  await queue.catchUp();
  await queue.close();
  await queue.catchUp();

  const events = await whole.audited();
  const evaluated = events.flatMap(({ signal }) => (signal ? [signal.id] : []));
  expect(new Set(evaluated)).toEqual(acknowledged);
  expect(evaluated).toHaveLength(COUNT);
  expect(events.filter(({ type }) => type === 'revocation.published')).toHaveLength(COUNT / 100);
});
