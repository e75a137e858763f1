/** The route table: everything this broker answers, on one page. */
import express, { type Express } from 'express';
import helmet, { type HelmetOptions } from 'helmet';
import type { Readiness } from '../health/readiness.js';
import { auditHead } from './audit/head.js';
import { auditReading } from './audit/read.js';
import { timeline } from './audit/timeline.js';
import { credentialReading } from './credential.js';
import { awsCredentials } from './aws/credentials.js';
import type { HttpDeps } from './deps.js';
import type { Endpoint, Handle } from './endpoint.js';
import { errorPage } from './error-page.js';
import { introspection } from './oauth/introspect.js';
import { keySet } from './oauth/key-set.js';
import { metadata } from './oauth/metadata.js';
import { tokenRevocation } from './oauth/revoke.js';
import { token } from './oauth/token.js';
import { liveness, readiness } from './operations/health.js';
import { metricsPage } from './operations/metrics.js';
import { mount } from './mount.js';
import { notifications } from './notifications.js';
import { holdLifting } from './revocations/lift.js';
import { revocationList } from './revocations/list.js';
import { revocation } from './revocations/revoke.js';
import { revocationReceipt } from './revocations/show.js';
import { signalDeciding } from './signals/decide.js';
import { pendingSignals, signalList } from './signals/list.js';
import { signalPush } from './signals/push.js';
import { signalReading } from './signals/show.js';
import { signalTelling } from './signals/tell.js';
import { taskCompletion } from './tasks/complete.js';
import { taskHeartbeat } from './tasks/heartbeat.js';
import { taskOpening } from './tasks/open.js';
import { taskReading } from './tasks/read.js';
import { taskResumption } from './tasks/resume.js';
import { taskSuspension } from './tasks/suspend.js';
import { workloadRisk } from './workloads/risk.js';

/** The public listener. */
export const createApp = (deps: HttpDeps): Express =>
  mount(application(), deps, [
    ours('GET', '/.well-known/oauth-authorization-server', metadata(deps)),
    ours('GET', '/.well-known/openid-configuration', metadata(deps)),
    ours('GET', '/jwks', keySet(deps)),
    ours('GET', '/errors', errorPage),

    oauth('POST', '/token', token(deps)),
    oauth('POST', '/revoke', tokenRevocation(deps)),
    oauth('POST', '/introspect', introspection(deps)),

    aws('GET', '/aws/credentials/*target', awsCredentials(deps)),

    ours('POST', '/tasks', taskOpening(deps)),
    ours('GET', '/tasks/:id', taskReading(deps)),
    ours('POST', '/tasks/:id/complete', taskCompletion(deps)),
    ours('POST', '/tasks/:id/suspend', taskSuspension(deps)),
    ours('POST', '/tasks/:id/resume', taskResumption(deps)),
    ours('POST', '/tasks/:id/heartbeat', taskHeartbeat(deps)),

    ours('POST', '/revocations', revocation(deps)),
    ours('GET', '/revocations', revocationList(deps)),
    ours('GET', '/revocations/:seq', revocationReceipt(deps)),
    ours('DELETE', '/revocations/:seq', holdLifting(deps)),
    ours('GET', '/credentials/:id', credentialReading(deps)),

    { ...ours('POST', '/signals', signalPush(deps)), refusals: 'set' },
    ours('POST', '/signals/json', signalTelling(deps)),
    ours('GET', '/signals', signalList(deps)),
    ours('GET', '/signals/pending', pendingSignals(deps)),
    ours('GET', '/signals/:id', signalReading(deps)),
    ours('POST', '/signals/:id/confirm', signalDeciding(deps, 'confirm')),
    ours('POST', '/signals/:id/dismiss', signalDeciding(deps, 'dismiss')),
    ours('GET', '/workloads/*id/risk', workloadRisk(deps)),

    ours('GET', '/audit', auditReading(deps)),
    ours('GET', '/audit/head', auditHead(deps)),
    ours('GET', '/timeline', timeline(deps)),
    ours('GET', '/notifications', notifications(deps)),
  ]);

/** The operations listener: never public. */
export const createOperationsApp = (
  deps: Pick<HttpDeps, 'metrics' | 'log' | 'issuer'> & { readiness: Readiness },
): Express =>
  mount(application(), deps, [
    ours('GET', '/health/live', liveness),
    ours('GET', '/health/ready', readiness(deps.readiness)),
    ours('GET', '/metrics', metricsPage(deps.metrics)),
  ]);

const ours = (method: Endpoint['method'], path: string, handle: Handle): Endpoint => ({
  method,
  path,
  refusals: 'problem',
  handle,
});

const oauth = (method: Endpoint['method'], path: string, handle: Handle): Endpoint => ({
  method,
  path,
  refusals: 'oauth',
  handle,
});

const aws = (method: Endpoint['method'], path: string, handle: Handle): Endpoint => ({
  method,
  path,
  refusals: 'aws',
  handle,
});

/** An API: nothing it answers is a page, and no two ways of writing a path are the same path. */
function application(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('query parser');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.use(helmet(HEADERS));
  return app;
}

/** Of helmet's headers those that mean something for an API: what it answers is no page, no frame and no script. */
const HEADERS: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  xFrameOptions: { action: 'deny' },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
};
