/**
 * Four kinds of tests: beside the code (unit), in test/e2e on a real PostgreSQL, in test/long the kill runs and
 * long properties, and in test/cluster what runs on servers that the environment names. `extensionsToTreatAsEsm` needs NODE_OPTIONS=--experimental-vm-modules, which
 * scripts/jest.mjs sets.
 */
const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', {}] },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^fast-check$': '<rootDir>/test/support/fast-check.mjs',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
};

const onPostgres = {
  testTimeout: 30_000,
  globalSetup: '<rootDir>/test/support/postgres.global.mjs',
  globalTeardown: '<rootDir>/test/support/postgres.teardown.mjs',
};

export default {
  // Two cores mean one worker by default.
  maxWorkers: 2,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{libs,apps}/**/*.spec.ts'] },
    { ...shared, ...onPostgres, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
    {
      ...shared,
      ...onPostgres,
      displayName: 'long',
      testTimeout: 600_000,
      testMatch: ['<rootDir>/test/long/**/*.spec.ts'],
    },
    { ...shared, ...onPostgres, displayName: 'cluster', testMatch: ['<rootDir>/test/cluster/**/*.spec.ts'] },
  ],
};
