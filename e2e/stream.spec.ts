import { expect, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { lines, logIn, numbered, openTask, scrollToStart, writeLines } from './console.ts'
import { eventFrame, LiveWire } from './live-wire.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

test('lines that the server left out are named where they are missing, and can be loaded', async ({
  page,
}) => {
  const wire = await LiveWire.attach(page)
  await writeLines(server, 'gap', numbered(10))
  await openTask(page, server, 'gap')
  await expect(lines(page).last()).toHaveText('line 10')
  // What a reader gets whose queue was full: the range instead of the lines.
  wire.onFrame = frame =>
    frame.includes('"logs"') && frame.includes('missed')
      ? eventFrame('gap', { taskId: 'gap', from: 11, to: 12 })
      : frame
  await writeLines(server, 'gap', [{ message: 'missed 1' }, { message: 'missed 2' }])
  await expect(page.getByTestId('log-gap')).toHaveText(/2 lines not shown \(11–12\)/)
  await writeLines(server, 'gap', [{ message: 'after the gap' }])
  await expect(lines(page).last()).toHaveText('after the gap')
  await page.getByTestId('log-gap').getByRole('button', { name: 'Load' }).click()
  await expect(page.getByTestId('log-gap')).toHaveCount(0)
  expect((await lines(page).allTextContents()).slice(-4)).toEqual([
    'line 10',
    'missed 1',
    'missed 2',
    'after the gap',
  ])
})

test('a hole that nobody announced is seen as well', async ({ page }) => {
  const wire = await LiveWire.attach(page)
  await writeLines(server, 'hole', numbered(3))
  await openTask(page, server, 'hole')
  await expect(lines(page).last()).toHaveText('line 3')
  wire.onFrame = frame => (frame.includes('"logs"') && frame.includes('lost') ? undefined : frame)
  await writeLines(server, 'hole', [{ message: 'lost' }])
  await writeLines(server, 'hole', [{ message: 'next' }])
  await expect(page.getByTestId('log-gap')).toHaveText(/1 line not shown/)
})

test('after a long time offline the page shows the end, and every missed line above it', async ({ page }) => {
  const wire = await LiveWire.attach(page)
  await writeLines(server, 'away', numbered(20))
  await openTask(page, server, 'away')
  await expect(lines(page).last()).toHaveText('line 20')
  wire.cut()
  await expect(page.getByText('Connection lost.')).toBeVisible()
  await writeLines(server, 'away', numbered(6000).slice(20))
  await expect(lines(page).last()).toHaveText('line 20')
  wire.mend()
  await expect(lines(page).last()).toHaveText('line 6000', { timeout: 20_000 })
  await expect(page.getByText('Connection lost.')).toBeHidden()
  await writeLines(server, 'away', [{ message: 'live again' }])
  await expect(lines(page).last()).toHaveText('live again')
  expect(await scrollToStart(page)).toBe('1-6001')
  await expect(page.getByTestId('log-gap')).toHaveCount(0)
})

test('a reader who has scrolled up stays there through a reconnect, and reads on to the end', async ({
  page,
}) => {
  const wire = await LiveWire.attach(page)
  await writeLines(server, 'up', numbered(300))
  await openTask(page, server, 'up', '#L100')
  await expect(page.locator('[data-seq="100"]')).toBeInViewport()
  wire.cut()
  await expect(page.getByText('Connection lost.')).toBeVisible()
  await writeLines(server, 'up', numbered(5600).slice(300))
  wire.mend()
  await expect(page.getByTestId('to-end')).toContainText('5,300 new lines', { timeout: 20_000 })
  await expect(page.locator('[data-seq="100"]')).toBeInViewport()
  await page.getByTestId('to-end').click()
  await expect(lines(page).last()).toHaveText('line 5600')
  expect(await scrollToStart(page)).toBe('1-5600')
})

test('a subscription that fails says why, and goes on without losing a line', async ({ page }) => {
  const wire = await LiveWire.attach(page)
  await writeLines(server, 'failing', numbered(2))
  await openTask(page, server, 'failing')
  await expect(lines(page).last()).toHaveText('line 2')
  wire.onFrame = frame => (frame.includes('"logs"') ? undefined : frame)
  wire.emit('failed', { taskId: 'failing', error: { code: 'INTERNAL', message: 'the disk is away' } })
  const notice = page.getByRole('alert').filter({ hasText: 'the disk is away' })
  await expect(notice).toBeVisible()
  await writeLines(server, 'failing', [{ message: 'written meanwhile' }])
  wire.onFrame = frame => frame
  await notice.getByRole('button', { name: 'Try again' }).click()
  await expect(lines(page).last()).toHaveText('written meanwhile')
  await expect(notice).toBeHidden()
  await writeLines(server, 'failing', [{ message: 'live again' }])
  await expect(lines(page)).toHaveText(['line 1', 'line 2', 'written meanwhile', 'live again'])
})

test('a log that is deleted while it is looked at goes from the page, and new lines come', async ({
  page,
}) => {
  const old = { timestamp: '2020-01-01T00:00:00Z' }
  await writeLines(
    server,
    'emptied',
    numbered(50).map((entry, at) => (at < 40 ? { ...entry, ...old } : entry)),
  )
  await openTask(page, server, 'emptied')
  await expect(lines(page).last()).toHaveText('line 50')
  await server.api('/tasks/emptied/logs?before=2021-01-01T00:00:00Z', { method: 'DELETE' })
  await expect(lines(page).first()).toHaveText('line 41')
  await server.api('/tasks/emptied/logs', { method: 'DELETE' })
  await expect(page.getByText('The lines of this task have been deleted.')).toBeVisible()
  await expect(page.getByTestId('histogram').locator('rect[data-level]')).toHaveCount(0)
  await writeLines(server, 'emptied', [{ message: 'a new line' }])
  await expect(lines(page)).toHaveText(['a new line'])
  await expect(page.locator('[data-seq="51"]')).toBeVisible()
})

test('an error of the first load is shown, and tried again by a click', async ({ page }) => {
  await writeLines(server, 'refused', numbered(5))
  await page.route(/\/tasks\/refused\/logs\?/, route =>
    route.fulfill({ status: 503, json: { title: 'Unavailable', detail: 'the store is away', status: 503 } }),
  )
  await openTask(page, server, 'refused')
  await expect(page.getByRole('alert').filter({ hasText: 'the store is away' })).toBeVisible()
  await page.unroute(/\/tasks\/refused\/logs\?/)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(lines(page).last()).toHaveText('line 5')
})

test('a list that could not be loaded appears when the connection is back', async ({ page }) => {
  await server.post('/sessions', { name: 'back again' })
  await logIn(page, server)
  const wire = await LiveWire.attach(page)
  await page.route('**/api/v1/sessions*', route => route.abort())
  await page.goto(`${server.url}/sessions`)
  await expect(page.getByText('The server cannot be reached.')).toBeVisible()
  wire.cut()
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'offline')
  await page.unroute('**/api/v1/sessions*')
  wire.mend()
  await expect(page.getByRole('link', { name: 'back again' })).toBeVisible()
})
