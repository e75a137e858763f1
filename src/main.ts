/** The broker process: it loads the configuration, composes the broker, listens, and drains on a signal. */
import { compose, type Broker } from './compose/broker.js';
import { loadConfig } from './config/load.js';
import { ConfigError } from './config/problem.js';
import { systemClock } from './domain/time.js';
import { createLogger, type Logger } from './telemetry/log.js';

/** sysexits.h: EX_CONFIG. */
const EXIT_CONFIG = 78;

try {
  const loaded = await loadConfig();
  const log = createLogger(loaded.config.log);
  for (const warning of loaded.warnings) log.warn(warning, 'the configuration allows what is rarely meant');
  const broker = await compose(loaded, { clock: systemClock, log });
  endOnSignals(broker, log);
  await broker.start().catch((error: unknown) => {
    throw portTaken(error, loaded.config) ?? error;
  });
  if (process.stdout.isTTY) greet(loaded.config.issuer);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'failed to start'}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}

/** Returns an error that names the setting to change, or undefined for other errors. Node names only the port. */
function portTaken(error: unknown, { operations }: { operations: string }): Error | undefined {
  const { code, port } = error as { code?: unknown; port?: unknown };
  if (code !== 'EADDRINUSE') return undefined;
  const setting = operations.endsWith(`:${String(port)}`) ? 'operations' : 'listen';
  return new Error(`Port ${String(port)} is taken by another process: end it, or give \`${setting}\` another port.`);
}

function greet(issuer: string): void {
  process.stdout.write(`Mayfly answers at ${issuer}; try: curl -s ${issuer}/.well-known/oauth-authorization-server\n`);
}

/**
 * SIGTERM and SIGINT drain the broker; a second one ends the process immediately. SIGINT comes from a person at a terminal,
 * for whom no load balancer has to find out first. SIGHUP reads the policies again.
 */
function endOnSignals(broker: Broker, log: Logger): void {
  let ending = false;
  const end = (signal: NodeJS.Signals) => {
    if (ending) process.exit(1);
    ending = true;
    log.info({ signal }, 'draining');
    broker.close(signal === 'SIGINT' ? { pauseMs: 0 } : {}).then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', () => void reload(broker, log));
}

async function reload(broker: Broker, log: Logger): Promise<void> {
  try {
    const { digest, problems } = await broker.reloadPolicies();
    if (problems.length === 0) log.info({ digest }, 'policies read again');
  } catch (err) {
    log.error({ err }, 'the policies could not be reloaded');
  }
}
