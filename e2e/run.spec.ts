import { readFile } from 'node:fs/promises'
import { expect, type Page, test } from '@playwright/test'
import type { TaskView } from '#protocol/task.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { keruta } from './agent.ts'
import { lines, logIn, openTask, writeLines } from './console.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

const status = (page: Page) => page.getByTestId('status').first()
const asks = async (id: string, prompt: string, secret = false) => {
  await server.post(`/tasks/${id}/start`, { agentId: 'host:1/1', interactive: true })
  await server.post(`/tasks/${id}/waiting`, { agentId: 'host:1/1', prompt, secret })
}
const sent = (page: Page, taskId: string) =>
  page.waitForRequest(`**/tasks/${taskId}/input`).then(request => request.postDataJSON())

test('a script asks, another page says so, and what is typed in the browser reaches it', async ({ page }) => {
  await logIn(page, server)
  await page.goto(`${server.url}/sessions`)
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
  // Without a terminal, bash's `read -p` says nothing.
  const script = 'printf "Your name? "; read name; echo "hello $name"; cat'
  await server.post('/tasks', { id: 'asks' })
  const run = keruta(server, 'execute', '--input', '--task-id', 'asks', '--', 'bash', '-c', script)
  await expect(page.getByTestId('waiting-count')).toHaveText('1')
  await expect(page).toHaveTitle(/^\(1\) /)
  await expect(page.getByRole('alert').filter({ hasText: 'asks waits for input' })).toContainText(
    'Your name?',
  )
  await page.getByRole('link', { name: 'Answer it' }).click()
  await expect(status(page)).toHaveAttribute('data-status', 'WAITING')
  await page.getByLabel('Answer to: Your name?').fill('Ada')
  await page.keyboard.press('Enter')
  await expect(lines(page).filter({ hasText: 'hello Ada' })).toBeVisible()
  await expect(page.locator('[data-mark="input"]')).toContainText('Ada')
  const field = page.getByLabel('Input', { exact: true }).or(page.getByLabel(/^Answer to/))
  await page.getByTestId('log-scroller').focus()
  await page.keyboard.press('f')
  if (!(await field.isVisible())) await page.getByRole('button', { name: 'Send input' }).click()
  await field.fill('the end')
  await page.keyboard.press('Control+d')
  await expect(lines(page).getByText('the end', { exact: true })).toBeVisible()
  expect((await run.ended).code).toBe(0)
  await expect(status(page)).toHaveAttribute('data-status', 'COMPLETED')
  await expect(page.getByTestId('waiting-count')).toHaveCount(0)
})

test('a secret is typed hidden, and sent as one', async ({ page }) => {
  await asks('secret', 'Password: ', true)
  await openTask(page, server, 'secret')
  const field = page.getByLabel('Answer to: Password:')
  await expect(field).toHaveAttribute('type', 'password')
  await expect(field).toBeFocused()
  await page.keyboard.type('hunter2')
  const request = sent(page, 'secret')
  await page.keyboard.press('Enter')
  expect(await request).toMatchObject({ text: 'hunter2', secret: true })
  await expect(field).toHaveValue('')
  // The next question is answered without a click.
  await server.post('/tasks/secret/waiting', { agentId: 'host:1/1', prompt: null })
  await expect(status(page)).toHaveAttribute('data-status', 'PROCESSING')
  await server.post('/tasks/secret/waiting', { agentId: 'host:1/1', prompt: 'Sure? ' })
  await expect(page.getByLabel('Answer to: Sure?')).toBeFocused()
})

test('a question does not take the focus from somebody who types elsewhere', async ({ page }) => {
  await server.post('/tasks/busy/start', { agentId: 'host:1/1', interactive: true })
  await writeLines(server, 'busy', [{ message: 'a line' }])
  await openTask(page, server, 'busy')
  await page.getByLabel('Find in log').fill('a li')
  await server.post('/tasks/busy/waiting', { agentId: 'host:1/1', prompt: 'Sure? ' })
  await expect(page.getByLabel('Answer to: Sure?')).toBeVisible()
  await page.keyboard.type('ne')
  await expect(page.getByLabel('Find in log')).toHaveValue('a line')
})

test('a run that ends while somebody types says so, and keeps what was typed', async ({ page }) => {
  await asks('ended', 'Go on? ')
  await openTask(page, server, 'ended')
  await page.getByLabel('Answer to: Go on?').fill('yes, but')
  await server.post('/tasks/ended/fail', {})
  await expect(page.getByText('The run ended before this was sent.')).toBeVisible()
  await expect(page.getByLabel('Input', { exact: true })).toHaveValue('yes, but')
  await page.getByRole('button', { name: 'Close the input field' }).click()
  await expect(page.getByLabel('Input', { exact: true })).toHaveCount(0)
})

test('files appear while they arrive, are looked at, downloaded and deleted', async ({ page }) => {
  await server.post('/tasks/files/start', {})
  await openTask(page, server, 'files', '?panel=artifacts')
  await expect(page.getByText('No artifacts.')).toBeVisible()
  const text = 'first line\nsecond line\n'
  const put = await server.api('/tasks/files/artifacts?path=report/notes.txt&description=What+was+found', {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'text/plain' },
  })
  expect(put.status).toBe(201)
  await server.post('/tasks/files/artifacts', { path: 'big.bin', size: 1000, sha256: 'a'.repeat(64) })
  const notes = page.getByTestId('artifact').filter({ hasText: 'report/notes.txt' })
  await expect(notes).toContainText('What was found')
  await expect(page.getByTestId('artifact').filter({ hasText: 'big.bin' })).toContainText('arriving: 0%')
  await notes.getByRole('button', { name: 'Preview of report/notes.txt' }).click()
  await expect(page.getByTestId('artifact-text')).toHaveText(text)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    notes.getByRole('link', { name: 'Download report/notes.txt' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('notes.txt')
  expect(await readFile(await download.path(), 'utf8')).toBe(text)
  await notes.getByRole('button', { name: 'Delete report/notes.txt' }).click()
  await page.getByRole('button', { name: 'Delete it' }).click()
  await expect(page.getByTestId('artifact')).toHaveCount(1)
})

test('a failure is given a task that is to mend it, and each links to the other', async ({ page }) => {
  await server.post('/sessions', {
    id: 'mending',
    name: 'mending',
    template: { autoFixCommand: './mend.sh' },
  })
  await server.post('/tasks', { id: 'broken', name: 'the build', sessionId: 'mending', script: 'exit 1' })
  await server.post('/tasks/broken/start', {})
  await server.post('/tasks/broken/fail', { exitCode: 1, errorCode: 'EXIT_1' })
  await openTask(page, server, 'broken')
  await page.getByRole('button', { name: 'Auto-fix' }).click()
  await expect(page.getByRole('dialog').getByLabel('Auto-fix command')).toHaveValue('./mend.sh')
  await page.getByRole('button', { name: 'Create it' }).click()
  await expect(page.getByRole('heading', { name: /Auto-fix: the build/ })).toBeVisible()
  const chain = page.getByTestId('auto-fix-chain').first()
  await expect(chain.getByTestId('status')).toHaveText(['Failed', 'Pending'])
  const found = await server.api('/tasks?autoFixOf=broken')
  const [fix] = (await found.json()).content as TaskView[]
  await server.post(`/tasks/${fix?.id}/start`, {})
  await expect(chain.getByTestId('status')).toHaveText(['Failed', 'Running'])
  await chain.getByRole('link', { name: 'the build' }).click()
  await expect(page).toHaveURL(/\/tasks\/broken/)
  await expect(chain.getByTestId('status')).toHaveText(['Failed', 'Running'])
  await expect(page.getByRole('button', { name: 'Auto-fix' })).toHaveCount(0)
  await expect(chain.getByRole('link')).toHaveText(['Auto-fix: the build'])
})

test('a step that is chosen shows its lines alone', async ({ page }) => {
  await server.post('/tasks/steps/start', {})
  await writeLines(server, 'steps', [{ message: 'outside' }, { message: 'inside', step: 'build' }])
  await server.post('/tasks/steps/observations', {
    steps: [{ name: 'build', startedAt: new Date().toISOString(), durationMs: 61_000, status: 'COMPLETED' }],
    metrics: [{ name: 'size', value: 1234.5, at: new Date().toISOString() }],
  })
  await openTask(page, server, 'steps')
  await page.getByRole('button', { name: 'Steps (1)' }).click()
  await expect(page.getByRole('row', { name: /size/ })).toContainText('1,234.5')
  await page.getByTestId('steps').getByRole('button').filter({ hasText: '1m 01s' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(lines(page)).toHaveText(['inside'])
})

test('a task that is tried again shows the steps of this attempt, and of another when asked', async ({
  page,
}) => {
  const step = (name: string) => ({ steps: [{ name, startedAt: new Date().toISOString() }] })
  await server.post('/tasks/again/start', {})
  await server.post('/tasks/again/observations', step('first try'))
  await server.post('/tasks/again/cancel', {})
  await server.post('/tasks/again/retry', {})
  await server.post('/tasks/again/start', {})
  await server.post('/tasks/again/observations', step('second try'))
  await openTask(page, server, 'again')
  await page.getByRole('button', { name: 'Steps (1)' }).click()
  await expect(page.getByTestId('steps')).toContainText('second try')
  await expect(page.getByTestId('steps')).not.toContainText('first try')
  await page.getByText('Attempt 1', { exact: true }).click()
  await expect(page.getByTestId('steps')).toContainText('first try')
  await expect(page.getByTestId('steps').getByRole('img', { name: 'failed' })).toBeVisible()
})

test('groups and traces fold, and a jump into one unfolds it', async ({ page }) => {
  const error = { level: 'ERROR', source: 'stderr' }
  await writeLines(server, 'folds', [
    ...Array.from({ length: 60 }, (_, at) => ({ message: `early ${at}` })),
    { message: '::group::build', step: 'build' },
    ...Array.from({ length: 40 }, (_, at) => ({ message: `compiling ${at}`, step: 'build' })),
    { message: 'between' },
    { ...error, message: 'Error: it broke' },
    { ...error, message: '    at main (a.js:1:1)' },
    { ...error, message: '    at run (a.js:2:2)' },
    { message: 'after' },
  ])
  await openTask(page, server, 'folds')
  await expect(lines(page).last()).toHaveText('after')
  await page.keyboard.press('z')
  await expect(lines(page).filter({ hasText: '3 lines folded' })).toHaveCount(0)
  await expect(lines(page).filter({ hasText: 'it broke' })).toContainText('2 lines folded')
  await expect(lines(page).filter({ hasText: '::group::build' })).toContainText('40 lines folded')
  await expect(lines(page).filter({ hasText: 'compiling' })).toHaveCount(0)
  await page.getByRole('button', { name: 'Unfold 2 lines' }).click()
  await expect(lines(page).filter({ hasText: 'at run' })).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.type('compiling 7')
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-current]')).toContainText('compiling 7')
  await expect(page.locator('[data-current]')).toBeInViewport()
})
