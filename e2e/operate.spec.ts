import { expect, test } from '@playwright/test'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { lines, logIn, numbered, openTask, writeLines } from './console.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

test('a cancel and a retry keep their reasons, and attempts beyond those planned are counted', async ({
  page,
}) => {
  await server.post('/tasks', { id: 'reasons', name: 'with reasons', maxAttempts: 1 })
  await openTask(page, server, 'reasons')
  await page.getByRole('button', { name: 'Cancel task' }).click()
  await page.getByLabel('Reason').fill('the wrong branch')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'CANCELLED')
  await expect(page.getByRole('banner').or(page.locator('header'))).toContainText([
    'keruta',
    'the wrong branch',
  ])
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByLabel('Reason').fill('now the right one')
  await page.getByRole('button', { name: 'Run it again' }).click()
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'PENDING')
  await expect(page.getByText(/^attempt 2/)).toBeVisible()
  await page.getByRole('button', { name: 'Details' }).click()
  const details = page.getByRole('dialog')
  await expect(details).toContainText('the wrong branch')
  await expect(details).toContainText('now the right one')
})

test('an action that the server refuses says why, and the dialog stays', async ({ page }) => {
  await server.post('/tasks', { id: 'overtaken' })
  await openTask(page, server, 'overtaken')
  await page.getByRole('button', { name: 'Cancel task' }).click()
  await page.route('**/tasks/overtaken/cancel', route =>
    route.fulfill({
      status: 409,
      json: { status: 409, title: 'Conflict', detail: 'task overtaken is COMPLETED' },
    }),
  )
  await page.getByRole('button', { name: 'Cancel it' }).click()
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('task overtaken is COMPLETED')
})

test('a task that has completed offers no retry, and one that runs cannot be deleted', async ({ page }) => {
  await server.post('/tasks/done/start', {})
  await openTask(page, server, 'done')
  await expect(page.getByRole('button', { name: 'Cancel task' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Delete task' })).toHaveCount(0)
  await server.post('/tasks/done/success', {})
  await expect(page.getByRole('button', { name: 'Delete task' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel task' })).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(0)
})

test('a task is deleted with its log, and a page that shows it says so', async ({ page, context }) => {
  await writeLines(server, 'removed', numbered(3))
  await openTask(page, server, 'removed')
  const other = await context.newPage()
  await openTask(other, server, 'removed')
  await page.getByRole('button', { name: 'Delete task' }).click()
  await page.getByRole('button', { name: 'Leave it' }).click()
  await expect(lines(page)).toHaveCount(3)
  await page.getByRole('button', { name: 'Delete task' }).click()
  await page.getByRole('button', { name: 'Delete it' }).click()
  await expect(page).toHaveURL(`${server.url}/tasks`)
  await expect(page.getByTestId('task-row').filter({ hasText: 'removed' })).toHaveCount(0)
  expect((await server.api('/tasks/removed')).status).toBe(404)
  await expect(other.getByRole('alert').filter({ hasText: 'This task has been deleted.' })).toBeVisible()
  await expect(other.getByRole('button', { name: 'Delete task' })).toHaveCount(0)
})

test('a session is made, edited, archived, brought back and deleted with its tasks', async ({ page }) => {
  await logIn(page, server)
  await page.goto(`${server.url}/sessions`)
  await page.getByRole('button', { name: 'New session' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('nightly')
  await page.getByLabel('Tags').fill('ci, night')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByRole('heading', { name: /nightly/ })).toBeVisible()
  await expect(page.getByText('#ci #night')).toBeVisible()

  await page.getByRole('button', { name: 'New task' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('first of the night')
  await page.getByRole('button', { name: 'Create' }).click()
  await expect(page.getByTestId('queue-row')).toContainText(['first of the night'])

  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('every night')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: /every night/ })).toBeVisible()

  await page.getByRole('button', { name: 'Archive', exact: true }).click()
  await page.getByRole('button', { name: 'Archive it' }).click()
  await expect(page.getByText('Archived').first()).toBeVisible()
  await page.getByRole('link', { name: 'Sessions' }).first().click()
  await expect(page.getByRole('link', { name: 'every night' })).toHaveCount(0)
  await page.getByLabel('Status').selectOption({ label: 'Archived' })
  await page.getByRole('link', { name: 'every night' }).click()
  await page.getByRole('button', { name: 'Reactivate', exact: true }).click()
  await page.getByRole('button', { name: 'Reactivate it' }).click()
  await expect(page.getByRole('button', { name: 'Archive', exact: true })).toBeVisible()

  await page.getByRole('button', { name: 'Delete session' }).click()
  await expect(page.getByRole('dialog')).toContainText('Its tasks (1)')
  await page.getByRole('button', { name: 'Delete it' }).click()
  await expect(page).toHaveURL(`${server.url}/sessions`)
  await expect(page.getByRole('link', { name: 'every night' })).toHaveCount(0)
})

test('a session is found by its name, and a search that finds none is given up', async ({ page }) => {
  for (const name of ['night build', 'day build']) await server.post('/sessions', { name })
  await logIn(page, server)
  await page.goto(`${server.url}/sessions`)
  await page.getByLabel('Search name or id').fill('night')
  await expect(page.getByRole('link', { name: 'day build' })).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'night build' })).toBeVisible()
  await expect(page).toHaveURL(/search=night/)
  await page.getByLabel('Search name or id').fill('no such')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(page.getByRole('link', { name: 'day build' })).toBeVisible()
})

test('a key is shown once, lets its holder read only, and its revocation ends their open page', async ({
  page,
  browser,
}) => {
  await logIn(page, server)
  await writeLines(server, 'watched', numbered(5))
  await page.goto(`${server.url}/settings`)
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('a visitor')
  await page.getByLabel('Role').selectOption('viewer')
  await page.getByRole('button', { name: 'Create' }).click()
  const key = (await page.getByTestId('new-key').textContent()) ?? ''
  expect(key.length).toBeGreaterThan(20)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.reload()
  const row = page.getByRole('row').filter({ hasText: 'a visitor' })
  await expect(row).toContainText('active')
  expect(await page.content()).not.toContain(key)

  const visitor = await (await browser.newContext()).newPage()
  await visitor.goto(`${server.url}/login#key=${key}`)
  await expect(visitor).toHaveURL(`${server.url}/tasks`)
  await expect(visitor.getByRole('button', { name: 'New task' })).toHaveCount(0)
  await visitor.goto(`${server.url}/tasks/watched`)
  await expect(lines(visitor)).toHaveCount(5)
  await expect(visitor.getByRole('button', { name: /Cancel task|Delete task/ })).toHaveCount(0)

  await row.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(row).toContainText('revoked')
  await expect(visitor).toHaveURL(/\/login/)
  await expect(visitor.getByRole('button', { name: 'Log in' })).toBeEnabled()
  await visitor.getByLabel('API key').fill(key)
  await visitor.keyboard.press('Enter')
  await expect(visitor.getByRole('alert').filter({ hasText: 'not known' })).toBeVisible()
  await visitor.getByLabel('API key').fill(ADMIN_KEY)
  await visitor.keyboard.press('Enter')
  await expect(visitor).toHaveURL(`${server.url}/tasks/watched`)
  await visitor.context().close()
})
