import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts', '**/*.test.tsx'],
    exclude: ['node_modules', '.next', '.cache', 'data'],
    // Processes of their own: tests start worker threads, servers and children, and send signals.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What is waited for may take its time on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // The build of the console and the timing of faults should not compete with more than two files at once.
    maxWorkers: 2,
  },
})
