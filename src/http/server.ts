/** The route table: every path that the broker serves, on one page. */
import type { RequestListener } from 'node:http';
import type { Liveness } from '../health/liveness.js';
import type { Readiness } from '../health/readiness.js';
import { awsCredentials } from './aws/credentials.js';
import { evaluation, evaluations } from './authzen/evaluation.js';
import { decisionPoint, EVALUATION_PATH, EVALUATIONS_PATH } from './authzen/metadata.js';
import { authorization, keySet, metadata } from './oauth/discovery.js';
import { introspection } from './oauth/introspect.js';
import { introspectionWait } from './oauth/introspect-wait.js';
import { tokenRevocation } from './oauth/revoke.js';
import { token } from './oauth/token.js';
import { openApi } from './openapi/document.js';
import type { Described, DescribedEndpoint } from './wire/contract.js';
import type { RefusalFormat } from './wire/endpoint.js';
import { requestListener } from './wire/route.js';
import { approvalDecision, approvalReview } from './approvals.js';
import { auditHead, auditReading } from './audit.js';
import { credentialReading } from './credential.js';
import type { HttpDeps } from './deps.js';
import { errorPage } from './error-page.js';
import { feedAcknowledgement, revocationFeed } from './feed.js';
import { muteList, muting, unmuting } from './mutes.js';
import { allLifting, holdLifting } from './lifting.js';
import { notifications } from './notifications.js';
import { forwardAuth, forwardAuthByPath } from './forward-auth.js';
import { liveness, readiness, metricsPage } from './operations.js';
import { revocationReceipt } from './receipt.js';
import { holdList, revocationList, revocation } from './revocations.js';
import { signalPush } from './security-events.js';
import { allDismissing, signalDeciding, pendingSignals, signalList, signalReading, jsonSignal } from './signals.js';
import {
  runCompletion,
  taskCompletion,
  taskHeartbeat,
  taskOpening,
  taskReading,
  taskResumption,
  taskSuspension,
} from './tasks.js';
import { taskList, taskTree } from './task-list.js';
import { ownerReading, workloadReading } from './standing.js';
import { workloadList } from './workload-list.js';
import { timeline } from './timeline.js';
import { pageAnswering, pageReviewing } from './page/answer.js';
import { pagedList, pagedReading } from './page/approval-pages.js';
import { SIGNED_IN_PATH, signedIn, signIn, signOut } from './page/sign-in.js';
import { taskUsage, usageReport } from './usage.js';
import { workloadRisk } from './workload-risk.js';

const KIB = 1024;

/** Returns what the public listener serves. */
export const createApp = (deps: HttpDeps): RequestListener => requestListener(deps, publicEndpoints(deps));

export function publicEndpoints(deps: HttpDeps): DescribedEndpoint[] {
  const endpoints: DescribedEndpoint[] = [
    ours(
      'GET',
      '/openapi.json',
      openApi(deps, () => endpoints),
    ),
    ours('GET', '/.well-known/oauth-authorization-server', metadata(deps)),
    ours('GET', '/.well-known/openid-configuration', metadata(deps)),
    ours('GET', '/jwks', keySet(deps)),
    ours('GET', '/errors', errorPage),

    oauth('GET', '/authorize', authorization),
    oauth('POST', '/token', token(deps), 64 * KIB),
    oauth('POST', '/revoke', tokenRevocation(deps), 48 * KIB),
    ...usesOfCredentials(deps),

    container('GET', '/aws/credentials/*target', awsCredentials(deps)),

    ours('POST', '/tasks', taskOpening(deps), 32 * KIB),
    ours('GET', '/tasks', taskList(deps)),
    ours('GET', '/tasks/:id', taskReading(deps)),
    ours('GET', '/tasks/:id/usage', taskUsage(deps)),
    ours('GET', '/tasks/:id/tree', taskTree(deps)),
    ours('POST', '/tasks/:id/complete', taskCompletion(deps), 4 * KIB),
    ours('POST', '/tasks/:id/suspend', taskSuspension(deps), 4 * KIB),
    ours('POST', '/tasks/:id/resume', taskResumption(deps), KIB),
    ours('POST', '/tasks/:id/heartbeat', taskHeartbeat(deps), KIB),

    ours('POST', '/runs/complete', runCompletion(deps), 4 * KIB),

    ...approvalEndpoints(deps),
    ...revocationEndpoints(deps),

    { ...ours('POST', '/signals', signalPush(deps), 16 * KIB), refusals: 'set' },
    ours('POST', '/signals/json', jsonSignal(deps), 16 * KIB),
    ours('GET', '/signals', signalList(deps)),
    ours('GET', '/signals/pending', pendingSignals(deps)),
    ours('POST', '/signals/dismiss', allDismissing(deps), 4 * KIB),
    ours('POST', '/signals/mutes', muting(deps), 4 * KIB),
    ours('GET', '/signals/mutes', muteList(deps)),
    ours('DELETE', '/signals/mutes/*source', unmuting(deps)),
    ours('GET', '/signals/:id', signalReading(deps)),
    ours('POST', '/signals/:id/confirm', signalDeciding(deps, 'confirm'), 4 * KIB),
    ours('POST', '/signals/:id/dismiss', signalDeciding(deps, 'dismiss'), 4 * KIB),
    ours('GET', '/workloads', workloadList(deps)),
    ours('GET', '/workloads/*id/risk', workloadRisk(deps)),
    ours('GET', '/workloads/*id', workloadReading(deps)),
    ours('GET', '/owners/*name', ownerReading(deps)),

    ours('GET', '/audit', auditReading(deps)),
    ours('GET', '/audit/head', auditHead(deps)),
    ours('GET', '/timeline', timeline(deps)),
    ours('GET', '/notifications', notifications(deps)),
  ];
  return endpoints;
}

/** Requests that wait for people. */
const approvalEndpoints = (deps: HttpDeps): DescribedEndpoint[] => [
  ours('GET', '/approvals', pagedList(deps)),
  ours('GET', '/approvals/:id', pagedReading(deps)),
  ours('POST', '/approvals/:id/decision', approvalDecision(deps), 16 * KIB),
  ours('POST', '/approvals/:id/review', approvalReview(deps), 4 * KIB),
  ...approvalPages(deps),
];

/** The feed comes before the numbers: `feed` is none. */
const revocationEndpoints = (deps: HttpDeps): DescribedEndpoint[] => [
  ours('POST', '/revocations', revocation(deps), 48 * KIB),
  ours('GET', '/revocations', revocationList(deps)),
  ours('GET', '/holds', holdList(deps)),
  ours('POST', '/revocations/lift', allLifting(deps), 4 * KIB),
  ours('GET', '/revocations/feed', revocationFeed(deps)),
  ours('POST', '/revocations/feed/ack', feedAcknowledgement(deps), 32 * KIB),
  ours('GET', '/revocations/:seq', revocationReceipt(deps)),
  ours('DELETE', '/revocations/:seq', holdLifting(deps)),
];

/** What is asked where credentials are used. */
const usesOfCredentials = (deps: HttpDeps): DescribedEndpoint[] => [
  ours('GET', '/credentials/:id', credentialReading(deps)),
  oauth('POST', '/introspect', introspection(deps), 48 * KIB),
  ours('POST', '/introspect/wait', introspectionWait(deps), 48 * KIB),
  ours('GET', '/.well-known/authzen-configuration', decisionPoint(deps)),
  authzen('POST', EVALUATION_PATH, evaluation(deps), 48 * KIB),
  authzen('POST', EVALUATIONS_PATH, evaluations(deps), 256 * KIB),
  { ...ours('GET', '/forward-auth/:name', forwardAuth(deps)), anyMethod: true },
  { ...ours('GET', '/forward-auth/:name/*path', forwardAuthByPath(deps)), anyMethod: true },
  ours('POST', '/usage', usageReport(deps), 64 * KIB),
];

/** The page for approvers: what a browser needs beside the API. */
const approvalPages = (deps: HttpDeps): DescribedEndpoint[] => [
  ours('GET', '/approvals/sign-in', signIn(deps)),
  ours('GET', SIGNED_IN_PATH, signedIn(deps)),
  ours('POST', '/approvals/sign-out', signOut(deps), KIB),
  ours('POST', '/approvals/:id/answer', pageAnswering(deps), 8 * KIB),
  ours('POST', '/approvals/:id/close', pageReviewing(deps), 8 * KIB),
];

interface OperationsDeps extends Pick<HttpDeps, 'metrics' | 'requests' | 'issuer' | 'policy'> {
  readiness: Readiness;
  liveness: Pick<Liveness, 'reason'>;
}

/** Returns what the operations listener serves, which must never be public. */
export const createOperationsApp = (deps: OperationsDeps): RequestListener =>
  requestListener({ ...deps, polled: true }, operationsEndpoints(deps));

export const operationsEndpoints = (deps: Omit<OperationsDeps, 'requests' | 'issuer'>): DescribedEndpoint[] => [
  ours('GET', '/health/live', liveness(deps.liveness)),
  ours('GET', '/health/ready', readiness(deps)),
  ours('GET', '/metrics', metricsPage(deps.metrics)),
];

/** A GET or DELETE takes no body. A POST says how large the fields that it takes can be: see docs/api.md. */
type Declared =
  | [method: 'GET' | 'DELETE', path: string, handle: Described]
  | [method: 'POST', path: string, handle: Described, bodyBytes: number];

const endpoint =
  (refusals: RefusalFormat) =>
  (...[method, path, handle, bodyBytes = 0]: Declared): DescribedEndpoint => ({
    method,
    path,
    refusals,
    bodyBytes,
    handle,
  });

const ours = endpoint('problem');
const oauth = endpoint('oauth');
const container = endpoint('container');
const authzen = endpoint('authzen');
