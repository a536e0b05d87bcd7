import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { agentEnvironment, cli } from './support/agent.ts'
import { root } from './support/process.ts'
import { median, percentile } from './support/samples.ts'

/** The system's browser; Playwright's own where there is none. */
const CHROMIUM =
  process.env.KERUTA_TEST_CHROMIUM || ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync)
const PER_SECOND = 1000
const WARM_UP_LINES = 3000
const LINES = 20_000
const SINGLE_LINES = 30

/** From a real child's write to the text in a real browser's page: one clock, the machine's, on both sides. */
export async function liveLatency(): Promise<Row[]> {
  const server = await TestServer.start({ KERUTA_AUTH: 'off' })
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  })
  const printer = await startPrinter(server)
  try {
    const page = await openTask(browser, server)
    await printer.run(page, 1, WARM_UP_LINES)
    const stream = await printer.run(page, 2, LINES)
    const single: number[] = []
    for (let run = 3; run < 3 + SINGLE_LINES; run++) single.push(...(await printer.run(page, run, 1)))
    const [p50, p99] = [median(stream), percentile(stream, 0.99)]
    const quiet = median(single)
    return [
      row(
        'stdout of a child → Chromium’s DOM, 1 000 lines/s, p50',
        p50,
        30,
        `${stream.length} of ${LINES} lines were drawn`,
      ),
      row('the same, p99', p99, 80),
      row(
        'one line after silence, p50',
        quiet,
        30,
        `p99 ${percentile(single, 0.99).toFixed(1)} ms of ${single.length}`,
      ),
    ]
  } finally {
    await printer.stop()
    await browser.close()
    await server.dispose()
  }
}

function row(what: string, measured: number, most: number, note?: string): Row {
  return { what, measured, unit: 'ms', goal: `≤ ${most} ms`, ok: measured <= most, note }
}

async function openTask(browser: Browser, server: TestServer): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.addInitScript(recordLines)
  await server.post('/tasks/latency/logs', { message: 'the page shows a list once there is a line' })
  await page.goto(`${server.url}/tasks/latency`)
  await page.getByRole('log').waitFor()
  return page
}

/** Runs in the page: notes for every `line N of run R at T` how long after T its text was in the document. */
function recordLines(): void {
  const delays: Record<string, number> = {}
  Object.assign(window, { delays })
  const look = () => {
    const now = Date.now()
    const text = document.querySelector('[role=log]')?.textContent ?? ''
    for (const [, line, run, at] of text.matchAll(/line (\d+) of run (\d+) at (\d{13})/g))
      delays[`${run}:${line}`] ??= now - Number(at)
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
}

async function startPrinter(server: TestServer) {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const args = [
    cli,
    'execute',
    '--task-id',
    'latency',
    '--',
    process.execPath,
    join(root, 'bench/programs/printer.mjs'),
    String(port),
  ]
  const agent = spawn(process.execPath, args, {
    env: agentEnvironment(server),
    cwd: server.home,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [control] = (await once(listener, 'connection')) as [Socket]
  listener.close()
  control.on('error', () => {})
  return {
    /** Prints lines; the delays of those that came into the document, once the last one is there. */
    async run(page: Page, run: number, lines: number): Promise<number[]> {
      control.write(`${run} ${lines} ${PER_SECOND}\n`)
      const last = `${run}:${lines}`
      await page.waitForFunction(key => key in (window as unknown as { delays: object }).delays, last, {
        timeout: 60_000,
        polling: 100,
      })
      const prefix = `${run}:`
      return page.evaluate(
        start =>
          Object.entries((window as unknown as { delays: Record<string, number> }).delays).flatMap(
            ([key, delay]) => (key.startsWith(start) ? [delay] : []),
          ),
        prefix,
      )
    },
    async stop() {
      const ended = once(agent, 'exit')
      control.destroy()
      await ended
    },
  }
}
