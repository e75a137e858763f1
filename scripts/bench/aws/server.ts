/** The loopback AWS in a process of its own, so that its CPU time is not measured, with a list of the calls it received: BENCH_AWS. */
import { createServer } from 'node:http';
import { agentRole, revokerRole } from '../../../fakes/aws/example-roles.js';
import { startLoopbackAws } from '../../../fakes/aws/server.js';
import { LAB } from '../broker.js';
import { ACCOUNT, AWS_AUDIENCE, DIRECT_ROLE_NAME, ROLE, type AwsSettings, type Write } from './account.js';

const { port, toldPort, brokerUrl, labJwk } = JSON.parse(process.env['BENCH_AWS'] ?? '') as AwsSettings;
const nameOf = (issuer: string) => issuer.replace(/^https?:\/\//, '');
const wish = (issuer: string) => ({ account: ACCOUNT, issuerName: nameOf(issuer), audience: AWS_AUDIENCE });

const aws = await startLoopbackAws({
  account: ACCOUNT,
  roles: [agentRole(wish(brokerUrl)), revokerRole(wish(brokerUrl)), agentRole(wish(LAB), DIRECT_ROLE_NAME)],
  providers: [
    { issuer: brokerUrl, clientIds: [AWS_AUDIENCE] },
    { issuer: LAB, clientIds: [AWS_AUDIENCE], jwks: () => Promise.resolve({ keys: [labJwk] }) },
  ],
  propagationMs: 4_000,
  now: () => Date.now(),
  port,
});
const told = createServer((_, response) => {
  const writes = aws.writes(ROLE).map(({ at, text = '' }): Write => ({ at, characters: text.length }));
  response.end(JSON.stringify(writes));
});
told.listen(toldPort, '127.0.0.1');
process.on('SIGTERM', () => {
  told.close();
  told.closeAllConnections();
  void aws.close();
});
