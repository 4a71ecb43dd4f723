import tseslint from 'typescript-eslint';

/**
 * Only rules that find mistakes; layout belongs to Prettier, the direction of imports to dependency-cruiser
 * (.dependency-cruiser.cjs). Whatever is configured here beyond the recommended set has a fixture in
 * test/rules/lint that breaks it; scripts/lint.mjs demands so.
 */

/** Of two settings of one rule the later wins whole, hence the lists that are put together here. */
const surnames = {
  selector:
    ':matches(ClassDeclaration, TSInterfaceDeclaration, TSTypeAliasDeclaration)[id.name=/(Service|Manager|Helper|Utils?)$/]',
  message: 'Name it after what it is: Service, Manager, Helper and Util say nothing.',
};
const clocks = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Time arrives as an argument.',
};
const sleeps = [
  {
    selector: 'NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]',
    message: 'A test waits for a condition, with a limit: `eventually` of test/support.',
  },
  {
    selector: 'ImportDeclaration[source.value=/timers.promises$/]',
    message: 'A test waits for a condition, with a limit: `eventually` of test/support.',
  },
];
const unrun = [
  {
    selector:
      'MemberExpression[object.name=/^(describe|it|test)$/][property.name=/^(skip|only|todo|failing)$/]',
    message: 'A test runs, and with it all others, or it is removed.',
  },
  {
    selector: 'CallExpression[callee.name=/^(x|f)(describe|it|test)$/]',
    message: 'A test runs, and with it all others, or it is removed.',
  },
];

const environment = {
  object: 'process',
  property: 'env',
  message: 'Settings are parsed once, in main.ts, and arrive as values.',
};
const chance = [
  { object: 'Date', property: 'now', message: 'Time arrives as an argument.' },
  { object: 'Math', property: 'random', message: 'Randomness arrives as an argument.' },
  { object: 'AbortSignal', property: 'timeout', message: 'Time arrives as an argument.' },
];

const SPECS = ['**/*.spec.ts'];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'test/rules/**', '**/*.mjs', '**/*.cjs', 'data*/**'] },
  ...tseslint.configs.recommendedTypeCheckedOnly,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A missing branch in a fold is the bug this project fears most (style.md): never by default, never silently.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { requireDefaultForNonUnion: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_|^OMITTED$' },
      ],
      'no-empty': 'error',
      'no-restricted-syntax': ['error', surnames],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    files: ['**/libs/**/*.ts', '**/apps/**/*.ts'],
    // A bench starts programs of its own and tells them where the database is.
    ignores: [...SPECS, '**/apps/*/src/main.ts', '**/apps/cli/src/bench/**'],
    rules: { 'no-restricted-properties': ['error', environment] },
  },
  {
    // Pure or behind ports: nothing here has a clock, a timer, chance or an environment of its own.
    files: ['**/libs/{kernel,domain,engine}/**/*.ts'],
    ignores: [...SPECS, '**/testing/**'],
    rules: {
      'no-restricted-properties': ['error', environment, ...chance],
      'no-restricted-syntax': ['error', surnames, clocks],
      'no-restricted-globals': [
        'error',
        ...[
          'console',
          'crypto',
          'fetch',
          'performance',
          'process',
          'setImmediate',
          'setInterval',
          'setTimeout',
        ],
      ],
    },
  },
  {
    files: SPECS,
    rules: { 'no-restricted-syntax': ['error', surnames, ...unrun, ...sleeps] },
  },
  {
    // Kill runs choose their moment at random.
    files: ['**/test/long/**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', surnames, ...unrun] },
  },
);
