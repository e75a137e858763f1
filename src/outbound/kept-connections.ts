/**
 * Connections to a server that is asked all the time. They are kept between requests, so most of them cost no handshake. A server
 * may close an idle connection just when a request is sent, so a request whose connection breaks is made once more: only what may be
 * asked twice goes this way.
 */
import type { Agent } from 'undici';
import {
  agentFor,
  assertSafe,
  exchange,
  OutboundError,
  type OutboundAnswer,
  type OutboundRequest,
} from './send-request.js';

/** Settles as `sendRequest` does. */
export type SendKept = (outbound: OutboundRequest) => Promise<OutboundAnswer>;

/** @param connectionsMax A request beyond these waits for one of them, within its own time. */
export function keepConnections(connectionsMax: number): SendKept {
  let kept: { agent: Agent; by: string } | undefined;

  /** All requests go to one server. With another CA than before, connections that were made by the old one are used no more. */
  const agentOf = (outbound: OutboundRequest): Agent => {
    const by = JSON.stringify([new URL(outbound.url).origin, outbound.ca]);
    if (kept?.by !== by) {
      // Requests that are under way are left to end.
      void kept?.agent.close();
      kept = { agent: agentFor(outbound, connectionsMax), by };
    }
    return kept.agent;
  };

  return async (outbound) => {
    assertSafe(outbound);
    const how = { signal: AbortSignal.timeout(outbound.totalMs), reset: false };
    try {
      return await exchange(agentOf(outbound), outbound, how);
    } catch (error) {
      if (how.signal.aborted || !isBroken(error)) throw error;
      return exchange(agentOf(outbound), outbound, how);
    }
  };
}

const BROKEN: readonly (string | undefined)[] = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

const isBroken = (error: unknown): boolean => error instanceof OutboundError && BROKEN.includes(error.code);
