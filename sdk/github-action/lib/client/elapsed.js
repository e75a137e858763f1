import os from 'node:os';
/**
 * Milliseconds since some moment, whatever the time of day is said to be. They go on while the machine sleeps, as the lifetimes at the
 * broker do. Those of performance.now() stand still then on Linux, so a laptop that wakes up would go on with dead credentials.
 */
export const elapsed = () => os.uptime() * 1000;
