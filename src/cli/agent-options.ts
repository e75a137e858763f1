/** The options of the commands that an agent is run by: as whom it asks for credentials, and for which. */
import type { Command } from 'commander';
import { mayfly, type ApprovalNeeded, type Mayfly, type Wish } from '../client/index.js';
import { defined } from '../domain/defined.js';
import { brokerUrl, readIdentity } from './broker-options.js';
import { wholeSeconds } from './terminal.js';

export interface AgentOptions {
  broker: string;
  tokenFile: string;
  access?: string[];
  lifetime?: number;
}

export const addAgentOptions = (command: Command): Command =>
  command
    .requiredOption('--broker <url>', 'the issuer of the broker')
    .requiredOption('--token-file <path>', 'the identity token of the workload; it is read again each time')
    .option('--access <scopes...>', 'what it may do, as <path>:<action>; default: what the target says')
    .option('--lifetime <seconds>', 'how long each credential lives; default: as the broker has it', wholeSeconds);

export const brokerOf = ({ broker, tokenFile }: AgentOptions): Mayfly =>
  mayfly({ url: brokerUrl(broker, '/').origin, identity: () => readIdentity(tokenFile) });

/** @param tell Is told when people are asked. The program waits for them. */
export const wishOf = ({ access, lifetime }: AgentOptions, tell?: (text: string) => void): Wish =>
  defined({
    access,
    lifetimeSeconds: lifetime,
    waitForApproval: tell && (({ approvalId }: ApprovalNeeded) => tell(waitingText(approvalId))),
  });

const waitingText = (id: string): string => `People must agree to this first, and are asked (${id}). Waiting for them.`;
