/**
 * Few rules, each for a class of bug that this project cannot afford: lost promises, forgotten cases,
 * values without a type, impurity in core/. Which folder may import what is checked by test/tidy, and layout
 * is prettier's business.
 */
import tseslint from 'typescript-eslint';

const PURITY =
  'core/ is pure: time, chance, timers and I/O come in as events and leave as effects (docs/architecture.md)';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'native-bindings/build/',
      'node_modules/',
      'src/wire/*.js',
      'src/wire/*.d.ts',
    ],
  },
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-constant-binary-expression': 'error',
      'no-unsafe-finally': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-fallthrough': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/no-unused-expressions': 'error',
    },
  },
  {
    // node:test's `test()` and `describe()` return promises that the runner itself awaits.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
    },
  },
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'process',
          'performance',
          'Date',
          'crypto',
          'fetch',
          'Promise',
        ].map((name) => ({ name, message: PURITY })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: PURITY },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'AwaitExpression', message: PURITY },
        { selector: ':function[async=true]', message: PURITY },
      ],
    },
  },
  {
    files: ['.ci/**/*.mjs', '**/*.mjs', 'eslint.config.js'],
    rules: { 'no-var': 'error', 'prefer-const': 'error', eqeqeq: 'error' },
  },
);
