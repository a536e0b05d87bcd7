import { expect, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { Script } from './agent.ts'
import { lines, logIn, openTask, writeLines } from './console.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

test('lines of a running command appear as they are printed, and its end is shown', async ({ page }) => {
  await openTask(page, server, 'live')
  const script = await Script.start(server, 'live')
  script.print('first line')
  await expect(lines(page).filter({ hasText: 'first line' })).toBeVisible()
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'PROCESSING')
  script.printError('something broke')
  await expect(page.locator('[data-level="ERROR"]').filter({ hasText: 'something broke' })).toBeVisible()
  const { code, stdout, stderr } = await script.exit(3)
  expect({ code, stdout }).toEqual({ code: 3, stdout: 'first line\n' })
  expect(stderr).toContain('something broke')
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'FAILED')
  await expect(page.getByText('exited with code 3').first()).toBeVisible()
})

test('a reload shows the same lines, and a link to a line marks it', async ({ page }) => {
  await writeLines(server, 'reloaded', [{ message: 'first line' }])
  await openTask(page, server, 'reloaded')
  await expect(lines(page).filter({ hasText: 'first line' })).toBeVisible()
  await page.goto(`${server.url}/tasks/reloaded#L1`)
  await page.reload()
  await expect(page.locator('[data-seq="1"]')).toHaveAttribute('data-marked', /.*/)
})

test('the list of tasks shows a new task and its state without a reload', async ({ page }) => {
  await logIn(page, server)
  await page.goto(`${server.url}/tasks`)
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
  const script = await Script.start(server, 'listed')
  const row = page.getByTestId('task-row').filter({ hasText: 'listed' })
  await expect(row.getByTestId('status')).toHaveAttribute('data-status', 'PROCESSING')
  await script.exit(0)
  await expect(row.getByTestId('status')).toHaveAttribute('data-status', 'COMPLETED')
})

test('cancel stops the running command, and retry puts the task back into the queue', async ({ page }) => {
  await openTask(page, server, 'stopped')
  const script = await Script.start(server, 'stopped')
  script.print('working')
  await expect(lines(page).filter({ hasText: 'working' })).toBeVisible()
  await page.getByRole('button', { name: 'Cancel task' }).click()
  await page.getByRole('button', { name: 'Cancel it' }).click()
  const { code } = await script.ended()
  expect(code).not.toBe(0)
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'CANCELLED')
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByRole('button', { name: 'Run it again' }).click()
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'PENDING')
})

test('an open page goes on after the server was killed and started again, with every line once', async ({
  page,
}) => {
  await openTask(page, server, 'restart')
  const script = await Script.start(server, 'restart')
  script.print('before')
  await expect(lines(page).filter({ hasText: 'before' })).toBeVisible()
  await server.stop('SIGKILL')
  await expect(page.getByTestId('connection')).not.toHaveAttribute('data-state', 'online')
  script.print('meanwhile 1', 'meanwhile 2')
  await server.start()
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online', { timeout: 20_000 })
  script.print('after')
  await expect(lines(page).filter({ hasText: 'after' })).toBeVisible({ timeout: 20_000 })
  const { code } = await script.exit(0)
  expect(code).toBe(0)
  const printed = (await lines(page).allTextContents()).filter(text => /^(before|meanwhile|after)/.test(text))
  expect(printed).toEqual(['before', 'meanwhile 1', 'meanwhile 2', 'after'])
  await expect(page.getByText('log complete').first()).toBeVisible()
})
