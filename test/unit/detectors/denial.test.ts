/** The refusals that detectors count. */
import { describe, expect, it } from '@jest/globals';
import { BROKER_ERROR_CODES, BrokerError, type BrokerErrorCode } from '../../../src/domain/errors.js';
import { isDenial } from '../../../src/detectors/observe.js';

const byPolicy = (outcome: 'deny' | 'needs-approval') =>
  new BrokerError('access_denied', 'No.', { decision: { id: 'dec', outcome, policies: [], digest: '' } });

describe('a refusal', () => {
  it('by policy is a denial', () => {
    expect(isDenial(byPolicy('deny'))).toBe(true);
  });

  it('until somebody approves is none: the agent may ask again', () => {
    expect(isDenial(byPolicy('needs-approval'))).toBe(false);
  });

  it('of somebody held is none: an alarm would hold it again', () => {
    expect(isDenial(new BrokerError('access_denied', 'Held.', { retry: 'after-lift' }))).toBe(false);
  });

  const DENIALS: readonly BrokerErrorCode[] = ['invalid_scope', 'invalid_authorization_details', 'invalid_target'];
  it.each(BROKER_ERROR_CODES)(
    'with %s is one only if it is about access that does not exist or goes too far',
    (code) => {
      expect(isDenial(new BrokerError(code, 'No.'))).toBe(DENIALS.includes(code));
    },
  );
});
