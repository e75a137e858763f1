/** ES modules through ts-jest, transpile only: `npm run typecheck` is where types are checked. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }] },
  setupFiles: ['<rootDir>/test/support/no-network.ts', '<rootDir>/test/support/forget-async-storages.ts'],
  testTimeout: 30_000,
  // One process for every file grows a heap that collecting slows to a crawl: two, renewed when they swell.
  maxWorkers: 2,
  workerIdleMemoryLimit: '1GB',
};
