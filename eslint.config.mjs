import tseslint from 'typescript-eslint';

/**
 * Only rules that find mistakes; layout belongs to Prettier, the direction of imports to
 * dependency-cruiser (.dependency-cruiser.cjs).
 */
export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'test/rules/**', '**/*.mjs', '**/*.cjs', 'data/**'] },
  ...tseslint.configs.recommendedTypeCheckedOnly,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A missing branch in a fold is the bug this project fears most (style.md): never by default, never silently.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { requireDefaultForNonUnion: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
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
);
