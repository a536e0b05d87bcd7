import { readFile } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { lines, numbered, openTask, writeLines } from './console.ts'
import { TestServer } from './server.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
  await writeLines(server, 'long', numbered(20_000))
})
test.afterAll(() => server?.dispose())

test('a long log opens at its end, and all of it can be reached', async ({ page }) => {
  await openTask(page, server, 'long')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.getByTestId('log-scroller').focus()
  await page.keyboard.press('Home')
  await expect(lines(page).first()).toHaveText('line 1')
  expect(await lines(page).count()).toBeLessThan(200)
  await page.keyboard.press('End')
  await expect(lines(page).last()).toHaveText('line 20000')
})

test('a filter stands in the address, and a reload keeps it', async ({ page }) => {
  await openTask(page, server, 'long')
  await page.getByRole('button', { name: /^Error: / }).click()
  await expect(page).toHaveURL(/level=/)
  const address = page.url()
  await page.reload()
  expect(page.url()).toBe(address)
  await page.goto(`${server.url}/tasks/long?level=ERROR`)
  await expect(lines(page).last()).toHaveText('line 20000')
  await expect(lines(page).nth(-2)).toHaveText('line 19900')
})

test('a text is found, counted, and gone through in both directions', async ({ page }) => {
  await openTask(page, server, 'long', '?find=line+1999')
  await expect(page.getByText(/of 11|11 found/).first()).toBeVisible()
  const box = page.getByLabel('Find in log')
  await box.focus()
  await page.keyboard.press('Enter')
  const current = page.locator('[data-current]')
  await expect(current).toHaveCount(1)
  const first = await current.getAttribute('data-seq')
  await page.keyboard.press('Enter')
  await expect(current).not.toHaveAttribute('data-seq', first ?? '')
  await page.keyboard.press('Shift+Enter')
  await expect(current).toHaveAttribute('data-seq', first ?? '')
  await expect(page.locator('[data-testid="log-message"] mark').first()).toHaveText('line 1999')
})

test('pause holds new lines back, resume shows them, clear hides what was', async ({ page }) => {
  await writeLines(server, 'held', [{ message: 'shown at once' }])
  await openTask(page, server, 'held')
  await expect(lines(page)).toHaveText(['shown at once'])
  await page.getByRole('button', { name: /^Pause/ }).click()
  await writeLines(server, 'held', [{ message: 'held back' }])
  await expect(page.getByText('Paused · 1 line waiting').first()).toBeVisible()
  await expect(lines(page)).toHaveText(['shown at once'])
  await page.getByRole('button', { name: /^Resume/ }).click()
  await expect(lines(page)).toHaveText(['shown at once', 'held back'])
  await page.getByRole('button', { name: /^Clear the view/ }).click()
  await expect(lines(page)).toHaveCount(0)
  await writeLines(server, 'held', [{ message: 'after the clearing' }])
  await expect(lines(page)).toHaveText(['after the clearing'])
  await page.getByRole('button', { name: 'Show all' }).click()
  await expect(lines(page)).toHaveText(['shown at once', 'held back', 'after the clearing'])
})

test('scrolling up stops following and counts what is new; one key goes back to the end', async ({
  page,
}) => {
  await writeLines(server, 'follow', numbered(500))
  await openTask(page, server, 'follow')
  await expect(lines(page).last()).toHaveText('line 500')
  await page.getByTestId('log-scroller').hover()
  await page.mouse.wheel(0, -1500)
  await expect(page.getByRole('button', { name: /To the end/ })).toBeVisible()
  await writeLines(server, 'follow', [{ message: 'new one' }, { message: 'new two' }])
  await page.getByRole('button', { name: /2 new lines/ }).click()
  await expect(lines(page).last()).toHaveText('new two')
  await writeLines(server, 'follow', [{ message: 'new three' }])
  await expect(lines(page).last()).toHaveText('new three')
})

test('the downloaded CSV is the export of the same filter', async ({ page }) => {
  await openTask(page, server, 'long', '?level=ERROR')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.getByRole('button', { name: 'Download' }).click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menu').getByText('CSV').last().click(),
  ])
  const saved = await readFile(await download.path(), 'utf8')
  const exported = await (await server.api('/tasks/long/logs/export?format=csv&level=ERROR')).text()
  expect(saved).toBe(exported)
  expect(saved.trim().split(/\r?\n/)).toHaveLength(201)
})

test('the log can be read with the keyboard alone', async ({ page }) => {
  await openTask(page, server, 'long')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.keyboard.press('/')
  await page.keyboard.type('line 777')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('match-count')).toContainText('11')
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-current]')).toContainText('line 777')
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toContainText('Keyboard shortcuts')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
})
