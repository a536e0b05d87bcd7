import { expect, type Page, test } from '@playwright/test'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { keruta } from './agent.ts'
import { logIn, openTask } from './console.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

const rows = (page: Page) => page.getByTestId('queue-row').getByRole('link')
const open = async (page: Page, sessionId: string) => {
  await logIn(page, server)
  await page.goto(`${server.url}/sessions/${sessionId}`)
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
}
const queue = async (sessionId: string, ...names: string[]) => {
  await server.post('/sessions', { id: sessionId, name: sessionId })
  for (const name of names) {
    await server.post('/tasks', { id: `${sessionId}-${name}`, name, sessionId, script: `echo "ran ${name}"` })
  }
}

test('a queue is put into another order, an agent works it off in that order, and ends with the session', async ({
  page,
}) => {
  await queue('ordered', 'one', 'two', 'three', 'four')
  await open(page, 'ordered')
  await expect(rows(page)).toHaveText(['one', 'two', 'three', 'four'])

  await page.getByRole('button', { name: 'Move three up' }).click()
  await expect(rows(page)).toHaveText(['one', 'three', 'two', 'four'])
  await expect(page.getByRole('button', { name: 'Move three up' })).toBeFocused()
  await rows(page).last().focus()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(rows(page)).toHaveText(['one', 'three', 'four', 'two'])
  await page.getByTestId('queue-row').last().dragTo(page.getByTestId('queue-row').first())
  await expect(rows(page)).toHaveText(['two', 'one', 'three', 'four'])
  await page.getByRole('button', { name: 'More places for one' }).click()
  await page.getByRole('menuitem', { name: 'To the end' }).click()
  const wanted = ['two', 'three', 'four', 'one']
  await expect(rows(page)).toHaveText(wanted)
  // As the server has it, not only this page.
  await expect
    .poll(async () => {
      const answer = await server.api('/sessions/ordered/tasks?status=PENDING')
      return (await answer.json()).content.map((task: { name: string }) => task.name)
    })
    .toEqual(wanted)

  const daemon = keruta(server, 'daemon', '--session-id', 'ordered', '--port', '0')
  const finished = page.getByTestId('task-row')
  await expect(finished).toHaveCount(4)
  await expect(page.getByText(/^Nothing waits/)).toBeVisible()
  await page.getByLabel('Sort').selectOption({ label: 'Last finished' })
  await expect(finished.getByRole('link')).toHaveText([...wanted].reverse())

  await page.getByRole('button', { name: 'Complete', exact: true }).click()
  await expect(page.getByRole('dialog')).toContainText('end by themselves')
  await page.getByRole('button', { name: 'Complete it' }).click()
  await expect(page.getByRole('button', { name: 'Reactivate', exact: true })).toBeVisible()
  expect((await daemon.ended).code).toBe(0)
})

test('what waits is edited, cancelled and retried where it stands', async ({ page }) => {
  await queue('edited', 'first', 'second')
  await open(page, 'edited')
  const second = page.getByTestId('queue-row').filter({ hasText: 'second' })
  await second.getByRole('button', { name: 'Edit task' }).click()
  const form = page.getByRole('dialog')
  await expect(form.getByLabel('Script', { exact: true })).toHaveValue('echo "ran second"')
  await form.getByLabel('Name', { exact: true }).fill('the urgent one')
  await form.getByLabel('Priority').fill('5')
  await form.getByLabel('Attempts').fill('3')
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(rows(page)).toHaveText(['the urgent one', 'first'])
  const urgent = page.getByTestId('queue-row').first()
  await expect(urgent).toContainText('priority 5')
  await expect(urgent).toContainText('attempt 1 of 3')
  await urgent.getByRole('button', { name: 'Cancel task' }).click()
  await page.getByRole('button', { name: 'Cancel it' }).click()
  const ended = page.getByTestId('task-row').filter({ hasText: 'the urgent one' })
  await expect(ended.getByTestId('status')).toHaveAttribute('data-status', 'CANCELLED')
  await expect(rows(page)).toHaveText(['first'])
  await ended.getByRole('button', { name: 'Retry' }).click()
  await page.getByRole('button', { name: 'Run it again' }).click()
  await expect(rows(page)).toHaveText(['the urgent one', 'first'])
})

test('a template is written, and what the server refuses is said beside its field', async ({ page }) => {
  await queue('template')
  await open(page, 'template')
  await page.getByRole('button', { name: 'Edit', exact: true }).click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Branch, tag or commit').fill('main')
  await form.getByRole('button', { name: 'Add a variable' }).click()
  await form.getByLabel('NAME', { exact: true }).fill('1ST')
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(form.getByText('is not a variable name')).toBeVisible()
  await expect(form.getByLabel('Repository')).toHaveAttribute('aria-invalid', 'true')
  await form.getByLabel('Repository').fill('https://example.org/app.git')
  await form.getByLabel('NAME', { exact: true }).fill('FIRST')
  await form.getByLabel('Value of FIRST').fill('1')
  const script = form.getByLabel('Setup script')
  await script.fill('if true; then')
  await script.press('End')
  await script.press('Enter')
  await script.press('Tab')
  await page.keyboard.type('npm ci')
  await expect(script).toHaveValue('if true; then\n  npm ci')
  await script.press('Escape')
  await expect(form).toBeVisible()
  await script.press('Tab')
  await expect(form.getByLabel('Auto-fix command')).toBeFocused()
  await form.getByRole('button', { name: 'Save' }).click()
  await expect(form).toBeHidden()
  await page.locator('summary').click()
  await expect(page.getByRole('definition')).toContainText([
    'https://example.org/app.git',
    'main',
    'FIRST=1',
    'npm ci',
  ])
})

test('who waits for an agent in vain is told so, and how to start one, until one is there', async ({
  page,
}) => {
  await queue('unserved', 'lonely')
  await openTask(page, server, 'unserved-lonely')
  await expect(page.getByTestId('unserved')).toContainText('no daemon serves this session')
  await page.getByTestId('unserved').click()
  await expect(page.getByTestId('serve-hint')).toContainText(
    `keruta daemon --session-id unserved --api-url ${server.url}`,
  )
  const agent = new WebSocket(`${server.url.replace('http', 'ws')}/ws/sessions/unserved?token=${ADMIN_KEY}`)
  agent.onopen = () => agent.send(JSON.stringify({ type: 'hello', agentId: 'host:1' }))
  await expect(page.getByTestId('served')).toHaveText('1 daemon')
  await expect(page.getByTestId('serve-hint')).toHaveCount(0)
  agent.close()
  await expect(page.getByTestId('served')).toHaveCount(0)
})

test('a long queue shows its beginning, more of it on demand, and all in the list of tasks', async ({
  page,
}) => {
  await server.post('/sessions', { id: 'deep', name: 'deep' })
  for (let at = 1; at <= 25; at++) await server.post('/tasks', { name: `job ${at}`, sessionId: 'deep' })
  await logIn(page, server)
  await page.goto(`${server.url}/sessions/deep`)
  const rows = page.getByTestId('queue-row')
  await expect(rows).toHaveCount(20)
  await expect(page.getByText('… and 5 more behind them.')).toBeVisible()
  await page.getByRole('button', { name: 'Show the first 25' }).click()
  await expect(rows.last()).toContainText('job 25')
  await page.reload()
  await page.getByRole('link', { name: 'All in the list of tasks' }).click()
  await expect(page.getByTestId('task-row')).toHaveCount(25)
})
