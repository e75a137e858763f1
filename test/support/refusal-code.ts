/** The code with which a use case refused. */
import { BrokerError } from '../../src/domain/errors.js';

/** The code of the refusal, or the name of what else was thrown; `granted` when nothing was. */
export async function refusal(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return 'granted';
  } catch (error) {
    if (error instanceof BrokerError) return error.code;
    return error instanceof Error ? error.name : 'unknown';
  }
}
