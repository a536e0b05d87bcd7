import { expect, type Locator, type Page } from '@playwright/test'
import { ADMIN_KEY, type TestServer } from '#server/testing/test-server.ts'

/** Logs the page's browser in, without the form. */
export async function logIn(page: Page, server: TestServer): Promise<void> {
  const answer = await page.request.post(`${server.url}/api/v1/login`, { data: { key: ADMIN_KEY } })
  expect(answer.ok()).toBe(true)
}

/** Opens a task's page, logged in; `rest` is the query and the fragment. */
export async function openTask(page: Page, server: TestServer, taskId: string, rest = ''): Promise<void> {
  await logIn(page, server)
  await page.goto(`${server.url}/tasks/${taskId}${rest}`)
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
}

/** The texts of the log's lines that are drawn now. */
export function lines(page: Page): Locator {
  return page.getByTestId('log-message')
}

/** A task with lines, without an agent. */
export async function writeLines(server: TestServer, taskId: string, entries: object[]): Promise<void> {
  for (let at = 0; at < entries.length; at += 5000) {
    await server.post(`/tasks/${taskId}/logs`, { entries: entries.slice(at, at + 5000) })
  }
}

/** Entries `line 1` … `line count`; every tenth is a WARN, every hundredth an ERROR on stderr. */
export function numbered(count: number): object[] {
  return Array.from({ length: count }, (_, index) => {
    const n = index + 1
    const level = n % 100 === 0 ? 'ERROR' : n % 10 === 0 ? 'WARN' : 'INFO'
    return { source: n % 100 === 0 ? 'stderr' : 'stdout', level, message: `line ${n}` }
  })
}

/**
 * Scrolls through the log from where it is to its first line, and gives what was drawn on the way, as ranges of seqs:
 * `1-5600` where no line was missing.
 */
export async function scrollToStart(page: Page): Promise<string> {
  const seqs = await page.getByTestId('log-scroller').evaluate(async scroller => {
    const seen = new Set<number>()
    while (!seen.has(1)) {
      for (const row of scroller.querySelectorAll<HTMLElement>('[data-seq]'))
        seen.add(Number(row.dataset.seq))
      scroller.scrollTop -= 500
      await new Promise(requestAnimationFrame)
    }
    return [...seen].sort((a, b) => a - b)
  })
  const starts = seqs.filter((seq, at) => seqs[at - 1] !== seq - 1)
  const ends = seqs.filter((seq, at) => seqs[at + 1] !== seq + 1)
  return starts.map((start, at) => `${start}-${ends[at]}`).join(' ')
}
