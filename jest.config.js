import { availableParallelism } from 'node:os';

/** ES modules, as `npm run build` has compiled them. It checks the types, of tests too. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '<rootDir>/test/support/compiled.mjs' },
  setupFiles: ['no-network', 'forget-async-storages', 'repeat-seed'].map((name) => `<rootDir>/test/support/${name}.ts`),
  // Machines that test are shared: a test that takes ten seconds on a quiet one may take a minute. None has less than this.
  testTimeout: 180_000,
  testSequencer: '<rootDir>/test/support/long-first.mjs',
  // Many tests wait for processes that they have started.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  // What a test file loaded is not collected, about 20 MB each. A worker that has grown beyond this is replaced.
  workerIdleMemoryLimit: '600MB',
};
