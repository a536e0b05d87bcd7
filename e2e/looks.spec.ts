import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { lines, numbered, openTask, writeLines } from './console.ts'

const PAGES = ['/tasks', '/tasks/looks', '/sessions', '/settings']
const DIALOG = '[role="dialog"]'
const MENU = '[role="menu"]'
const LONG = 'long-name'
const ASKS = 'asks'
const AT = '2026-03-01T00:00:00Z'
const LONG_NAME = `${'a name of many words and-one-very-long-one-without-a-space-in-it '.repeat(3)}end`

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
  await writeLines(server, 'looks', numbered(300))
  await server.post('/sessions', {
    id: 'looks',
    name: 'a session',
    description: 'with a text',
    tags: ['x'],
    template: { repository: { url: 'https://example.org/a.git' }, env: { A: 'b' }, setupScript: 'npm ci' },
  })
  for (const name of ['one', 'two']) await server.post('/tasks', { name, sessionId: 'looks', priority: 1 })
  await server.post(`/tasks/${ASKS}/start`, {
    sessionId: 'looks',
    agentId: 'host:1/1',
    interactive: true,
    script: 'read x',
  })
  await server.post(`/tasks/${ASKS}/waiting`, { agentId: 'host:1/1', prompt: 'Go on? [y/N] ' })
  await server.post(`/tasks/${ASKS}/observations`, {
    steps: ['RUNNING', 'COMPLETED', 'FAILED'].map(status => ({
      name: status,
      startedAt: AT,
      durationMs: 10,
      status,
    })),
    metrics: [1, 2, 3].map(value => ({ name: 'loss', value, at: AT })),
  })
  await server.api(`/tasks/${ASKS}/artifacts?path=notes.txt`, {
    method: 'POST',
    body: 'a note',
    headers: { 'content-type': 'text/plain' },
  })
  await server.post(`/tasks/${ASKS}/artifacts`, { path: 'big.bin', size: 10, sha256: 'a'.repeat(64) })
  await writeLines(server, ASKS, [
    { source: 'agent', message: 'input by admin: yes' },
    { message: '::group::build', step: 'build' },
    { message: '::endgroup::', step: 'build' },
  ])
  await server.post('/tasks', { id: LONG, name: LONG_NAME, sessionId: 'looks', maxAttempts: 3 })
  await server.post(`/tasks/${LONG}/start`, {})
  await server.post(`/tasks/${LONG}/progress`, { progress: 40, message: 'unpacking '.repeat(20) })
  await writeLines(server, LONG, numbered(2))
  await writeLines(server, 'colours', [
    ...Array.from({ length: 16 }, (_, at) => ({
      message: `\u001b[${at < 8 ? 30 + at : 82 + at}mcolour ${at}\u001b[0m \u001b[${at < 8 ? 40 + at : 92 + at}mground ${at}\u001b[0m`,
    })),
    { message: 'a critical one', level: 'CRITICAL' },
    { message: 'a debug one', level: 'DEBUG', step: 'build', source: 'agent' },
    { message: '{"json": true}', level: 'WARN' },
    { message: '\u001b[2mdim\u001b[0m \u001b[38;2;120;130;140mgrey\u001b[0m \u0007 https://example.org/x' },
  ])
})
test.afterAll(() => server?.dispose())

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every page is drawn in ${colorScheme} colours where the system asks for them`, async ({ page }) => {
    await page.emulateMedia({ colorScheme })
    await openTask(page, server, 'looks')
    for (const path of PAGES) {
      await page.goto(server.url + path)
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const brightness = Math.max(...(background.match(/\d+/g) ?? []).slice(0, 3).map(Number))
      expect(brightness > 128, `${path}: ${background}`).toBe(colorScheme === 'light')
    }
  })
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no page or dialog of tasks and logs has a barrier that axe knows, in ${colorScheme} colours`, async ({
    page,
  }) => {
    test.slow()
    const { look, opened, barriers } = await lookingAt(page, colorScheme)
    await page.goto(`${server.url}/login`)
    await expect(page.getByLabel('API key')).toBeVisible()
    await look('/login')
    await openTask(page, server, 'looks', '?find=line+299#L290-L295')
    await expect(lines(page).last()).toHaveText('line 300')
    await look('task')
    await opened('Cancel task')
    await opened('Details')
    await opened('Keyboard shortcuts (?)')
    await opened('Download', MENU)
    await opened('View')
    await openTask(page, server, 'colours')
    await expect(lines(page).first()).toBeVisible()
    await page.getByRole('button', { name: 'Show the whole line' }).first().click()
    await look('task with colours')
    await page.getByRole('button', { name: 'Clear the view (c)' }).click()
    await expect(page.getByTestId('log-empty')).toBeVisible()
    await look('cleared task')
    await page.goto(`${server.url}/tasks`)
    await expect(page.getByTestId('task-row').first()).toBeVisible()
    await look('/tasks')
    await opened('New task')
    await page.goto(`${server.url}/tasks?search=no-such-task`)
    await expect(page.getByText('No task matches these filters.')).toBeVisible()
    await look('no tasks')
    expect(barriers.join('\n\n')).toBe('')
  })

  test(`no page or dialog of sessions, runs and settings has one, in ${colorScheme} colours`, async ({
    page,
  }) => {
    test.slow()
    const { look, opened, barriers } = await lookingAt(page, colorScheme)
    await openTask(page, server, ASKS)
    await page.getByRole('button', { name: 'Fold these lines' }).click()
    await look('a task that asks')
    for (const panel of ['Details', 'Artifacts (2)', 'Steps (3)']) await opened(panel)
    await page.goto(`${server.url}/sessions`)
    await expect(page.getByRole('link', { name: 'a session' })).toBeVisible()
    await look('/sessions')
    await page.getByRole('link', { name: 'a session' }).click()
    await expect(page.getByRole('button', { name: 'Archive', exact: true })).toBeVisible()
    await page.locator('summary').click()
    await look('session')
    await opened('New task')
    await opened('Edit')
    await opened('Complete')
    await page.goto(`${server.url}/settings`)
    await expect(page.getByRole('button', { name: 'New key', exact: true })).toBeVisible()
    await look('/settings')
    await opened('New key')
    expect(barriers.join('\n\n')).toBe('')
  })
}

test('no page is wider than a screen of 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openTask(page, server, 'looks')
  for (const path of [
    ...PAGES,
    `/tasks/${LONG}`,
    '/sessions/looks',
    `/tasks/${ASKS}`,
    `/tasks/${ASKS}?panel=artifacts`,
  ]) {
    await page.goto(server.url + path)
    await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
    await expect(page.getByRole('heading').first()).toBeAttached()
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360)
  }
})

test('a key can be revoked on a screen of 360 px without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openTask(page, server, 'looks')
  await page.goto(`${server.url}/settings`)
  await expect(page.getByRole('button', { name: 'Revoke' }).first()).toBeInViewport({ ratio: 1 })
})

test('a narrow screen gives the log half of its height, and unfolds search and filter', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openTask(page, server, LONG)
  const log = page.getByTestId('log-scroller')
  expect((await log.boundingBox())?.height).toBeGreaterThanOrEqual(370)
  await expect(page.getByLabel('Find in log')).toBeHidden()
  await page.getByRole('button', { name: 'Search and filter' }).click()
  await page.getByLabel('Find in log').fill('line 2')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('match-count')).toHaveText('1 of 1')
  await page.getByRole('button', { name: 'Search and filter' }).click()
  await expect(page.getByLabel('Find in log')).toBeHidden()
})

test('a question is in sight in a window that is too low for the log', async ({ page }) => {
  await page.setViewportSize({ width: 720, height: 450 })
  await openTask(page, server, ASKS)
  await expect(page.getByLabel('Answer to: Go on? [y/N]')).toBeInViewport({ ratio: 1 })
})

test('a screen that was narrow once shows times and numbers when it is wide', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openTask(page, server, 'looks')
  await expect(lines(page).first()).toBeVisible()
  await expect(page.getByTitle('Link to line 300')).toHaveCount(0)
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.reload()
  await expect(page.getByTitle('Link to line 300')).toBeVisible()
})

test('a long name takes one line of a wide screen, two of a narrow one, and is told whole in the details', async ({
  page,
}) => {
  await openTask(page, server, LONG)
  const title = page.getByRole('heading', { level: 1 })
  await expect(title).toContainText('a name of')
  const high = async () => (await title.boundingBox())?.height ?? 0
  expect(await high()).toBeLessThan(30)
  await page.getByRole('button', { name: 'Details' }).click()
  await expect(page.getByRole('dialog').getByText(LONG_NAME)).toBeVisible()
  await page.keyboard.press('Escape')
  await page.setViewportSize({ width: 360, height: 740 })
  expect(await high()).toBeLessThan(45)
})

test('hostile text stays text', async ({ page }) => {
  const hostile = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script>'
  await writeLines(server, 'hostile', [
    { message: hostile },
    { message: `\u001b]8;;javascript:document.title="owned"\u0007click\u001b]8;;\u0007` },
    { message: 'a\u202eb\u0000c\u001b[31mred\u001b[0m' },
    { message: JSON.stringify({ html: hostile }) },
  ])
  await openTask(page, server, 'hostile')
  await expect(lines(page).first()).toHaveText(hostile)
  await expect(lines(page).nth(2)).toContainText('red')
  await page.getByRole('button', { name: 'Show the whole line' }).first().click()
  expect(
    await page.locator('[data-testid="log-scroller"] :is(img, script, a[href^="javascript"])').count(),
  ).toBe(0)
  expect(await page.title()).not.toBe('owned')
})

test('a page that does not exist, and a task that does not exist, say so', async ({ page }) => {
  await openTask(page, server, 'not-there-yet')
  await expect(page.getByText('Waiting for this task')).toBeVisible()
  await writeLines(server, 'not-there-yet', [{ message: 'here now' }])
  await expect(lines(page).filter({ hasText: 'here now' })).toBeVisible()
  await page.goto(`${server.url}/no/such/page`)
  await expect(page.getByText('There is nothing at this address.')).toBeVisible()
})

/** axe, and what it has found so far. */
async function lookingAt(page: Page, colorScheme: 'light' | 'dark') {
  const barriers: string[] = []
  const look = async (where: string, part = 'body') => {
    const axe = new AxeBuilder({ page }).include(part)
    // Whatever the scheme, only the colours differ.
    if (colorScheme === 'dark') axe.withRules(['color-contrast'])
    // The library's menus hold an element that only takes the first focus.
    else if (part === MENU) axe.disableRules(['aria-required-children'])
    // A dialog's head is the only banner while the page behind it is out of reach.
    else if (part === DIALOG) axe.disableRules(['landmark-no-duplicate-banner'])
    const { violations } = await axe.analyze()
    for (const { id, nodes } of violations) {
      barriers.push(...nodes.map(node => `${where}: ${id}: ${node.html}\n${node.failureSummary}`))
    }
  }
  const opened = async (button: string, part = DIALOG) => {
    const what = page.locator(part)
    await page.getByRole('button', { name: button, exact: true }).click()
    await expect(what).toBeVisible()
    await settled(page)
    await look(button, part)
    await page.keyboard.press('Escape')
    await expect(what).toBeHidden()
  }
  // Half-transparent states between two others have no contrast to hold.
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  return { look, opened, barriers }
}

/** Waits until nothing fades or slides any more. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => {
    const ending = document
      .getAnimations()
      .filter(one => one.effect?.getComputedTiming().endTime !== Infinity)
    return Promise.all(ending.map(one => one.finished))
  })
}
