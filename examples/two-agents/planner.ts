// An agent that lets another one read one incident: it gives a credential for that away, and no more.
import { fromFile, mayfly } from 'mayfly/client'; // outside of this checkout: '@mayfly-broker/client'

const TARGET = 'https://tickets.example'; // as the configuration of the broker names the API
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;
const { SCOUT_ORIGIN = 'https://scout.example' } = process.env; // where the other agent is

const broker = mayfly({ url: MAYFLY_BROKER, identity: fromFile(MAYFLY_IDENTITY) });

// When this task is over, what the other agent has is dead, whatever it is doing.
await broker.run({ purpose: 'triage' }, async (task) => {
  const { token } = await task.credential(TARGET, 'incident/4711:read');
  const answer = await fetch(new URL('/incident/4711', SCOUT_ORIGIN), {
    headers: { Authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`The scout answers ${answer.status}: ${await answer.text()}`);
  console.log(await answer.text());
});
