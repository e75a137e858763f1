/**
 * Random tests draw a fresh seed each time, and fast-check prints it when one fails.
 * TEST_SEED=<seed> repeats a run: every property of every file then uses that seed.
 */
const { TEST_SEED } = process.env;

if (TEST_SEED !== undefined) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(TEST_SEED) });
}

export {};
