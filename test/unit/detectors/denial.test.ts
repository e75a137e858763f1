/** The refusals that detectors count. */
import { describe, expect, it } from '@jest/globals';
import { BrokerError, type BrokerErrorCode } from '../../../src/domain/errors.js';
import { isDenial, isOutOfScope } from '../../../src/detectors/observe.js';

const byPolicy = (outcome: 'deny' | 'needs-approval') =>
  new BrokerError('access_denied', 'No.', { decision: { id: 'dec', outcome, policies: [], digest: '' } });
const kinds = (error: BrokerError) => [isDenial(error), isOutOfScope(error)];

describe('a refusal', () => {
  it('by policy is a denial, and out of scope', () => {
    expect(kinds(byPolicy('deny'))).toEqual([true, true]);
  });

  it('until somebody approves is neither: the agent may ask again', () => {
    expect(kinds(byPolicy('needs-approval'))).toEqual([false, false]);
  });

  it('of somebody held is neither: an alarm would hold it again', () => {
    expect(kinds(new BrokerError('access_denied', 'Held.', { retry: 'after-lift' }))).toEqual([false, false]);
  });

  it.each<[BrokerErrorCode, boolean, boolean]>([
    ['invalid_scope', true, true],
    ['invalid_grant', true, false],
    ['not_found', true, false],
    ['invalid_request', false, false],
    ['slow_down', false, false],
    ['quota_exceeded', false, false],
    ['temporarily_unavailable', false, false],
  ])('with %s: a denial %s, out of scope %s', (code, denial, outOfScope) => {
    expect(kinds(new BrokerError(code, 'No.'))).toEqual([denial, outOfScope]);
  });
});
