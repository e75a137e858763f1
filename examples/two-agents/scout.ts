// An agent that works for others: with what one of them gave it, it gets a credential of its own, which is no wider and lives no longer.
import express from 'express';
import { fetchFor, fromFile, mayfly, MayflyError, Unavailable } from 'mayfly/client'; // outside of this checkout: '@mayfly-broker/client'

const TARGET = 'https://tickets.example'; // as the configuration of the broker names the API
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;
const { TICKETS_ORIGIN = TARGET } = process.env; // where the API is, if not at its own name

const broker = mayfly({ url: MAYFLY_BROKER, identity: fromFile(MAYFLY_IDENTITY) });

const app = express();
app.get('/incident/:number', async ({ params: { number }, headers }, response) => {
  const given = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
  if (given === undefined || !/^\d+$/.test(number)) return void response.sendStatus(401);
  // A task below the one of whoever gave this: the API sees both agents, and the other one can end it.
  const task = broker.handedOn(given);
  try {
    const tickets = fetchFor(task, { target: TARGET, access: `incident/${number}:read`, origin: TICKETS_ORIGIN });
    const incident = await tickets(new URL(`/incident/${number}`, TICKETS_ORIGIN));
    const text = await incident.text();
    await task.complete();
    response.status(incident.status).send(text);
  } catch (error) {
    if (!(error instanceof MayflyError)) throw error;
    // The broker says in a sentence why: it goes beyond what was given, or that is dead, or nobody can be asked now.
    response.status(error instanceof Unavailable ? 503 : 403).send(error.message);
  }
});

app.listen(Number(process.env['PORT'] ?? 8002), '127.0.0.1');
