/** The risk that policy sees in a question about access. */
import type { Credential } from '../domain/credential.js';
import { risksFor } from '../domain/hangs-on.js';
import { causesOf } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import { riskOf, type JointRisk } from '../ledger/risk.js';
import type { Deps } from './deps.js';

const NO_RISK: JointRisk = { level: 'LOW', risks: [] };

interface RiskFor {
  task: Task;
  /** The credentials whose risk counts too. */
  credentials: readonly string[];
  /** By what the credential was, or is to be, issued. */
  by: Pick<Credential, 'subject' | 'session'>;
}

/** Returns the highest risk now. If no reaction of the configuration sets a risk, nothing is read. */
export const riskNow = async (
  { ledger, settings }: Pick<Deps, 'ledger' | 'settings'>,
  { task, credentials, by }: RiskFor,
): Promise<JointRisk> =>
  settings.signals.reactions.some((reaction) => reaction.do === 'risk')
    ? riskOf(ledger, causesOf(risksFor(task, credentials, by)))
    : NO_RISK;
