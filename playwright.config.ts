import { defineConfig } from '@playwright/test'

// Tests start their own servers and agents (server/testing/test-server.ts), because some of them stop and restart one.
export default defineConfig({
  testDir: 'e2e',
  // Vitest's tests of faults stand there too.
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  forbidOnly: true,
  fullyParallel: false,
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.KERUTA_TEST_CHROMIUM || undefined,
      args: [
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--no-first-run',
      ],
    },
  },
})
