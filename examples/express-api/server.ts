// An API (express) that hears what dies: it decides by itself about each request, and cuts an answer whose credential dies.
import express, { type Request } from 'express';
import { admittedOf, createVerifier, fromFile, protect } from 'mayfly/verifier'; // outside of this checkout: '@mayfly-broker/verifier'

const TARGET = 'https://tickets.example'; // as the configuration of the broker names this API
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;

const verifier = createVerifier({ issuer: MAYFLY_BROKER, audience: TARGET, identity: fromFile(MAYFLY_IDENTITY) });

const app = express();
// What a request needs, before anything else looks at it. `/incident/4711` needs `read` on `incident/4711`, and so does its log.
const needs = ({ path }: Request) => ({ resource: path.slice(1).replace(/\/log$/, ''), action: 'read' });
app.use(protect(verifier, { needs }));

app.get('/incident/:number', (request, response) => {
  const { task } = admittedOf(request).claims;
  response.json({ incident: request.params.number, for: task.id, says: 'the disk is full' });
});

// Lines for as long as the caller listens. When its credential dies, the connection is closed in the midst of it.
app.get('/incident/:number/log', (request, response) => {
  const { signal } = admittedOf(request);
  const timer = setInterval(() => response.write('the disk is full\n'), 100);
  signal.addEventListener('abort', () => clearInterval(timer));
});

// Until it has heard all that is dead, it would refuse everything.
await verifier.ready();
app.listen(Number(process.env['PORT'] ?? 8000), '127.0.0.1');
