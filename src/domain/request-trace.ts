/** The request in which something was asked: log lines, answers and audit entries are joined by it. */
export interface RequestTrace {
  /** Made by the broker, or chosen by the caller (`X-Request-ID`): several requests may have the same. */
  requestId: string;
  /** The network address of the caller, as far as known: behind a proxy only where `trustProxy` names that. */
  address?: string;
}
