import { expect, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { lines, logIn, numbered, openTask, writeLines } from './console.ts'

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

test('a link to lines is made by clicks, and opens at them, marked', async ({ page, context }) => {
  await openTask(page, server, 'long', '#L7000')
  await page.getByTitle('Link to line 7001').click()
  await expect(page).toHaveURL(/#L7001$/)
  await page.getByTitle('Link to line 7003').click({ modifiers: ['Shift'] })
  await expect(page).toHaveURL(/#L7001-L7003$/)
  const other = await context.newPage()
  await openTask(other, server, 'long', new URL(page.url()).hash)
  await expect(other.locator('[data-seq="7001"]')).toBeInViewport()
  await expect(other.locator('[data-marked]')).toHaveCount(3)
  await expect(other.getByRole('button', { name: /To the end/ })).toBeVisible()
})

test('a link to a line opens at it where frames are slow, as in a tab behind others', async ({ page }) => {
  await page.addInitScript(() => {
    window.requestAnimationFrame = callback => window.setTimeout(() => callback(performance.now()), 400)
    window.cancelAnimationFrame = window.clearTimeout
  })
  // The rows before those that the page opens with.
  const earlier = page.waitForResponse(/before=6750/)
  await openTask(page, server, 'long', '#L7000')
  await earlier
  await page.evaluate(
    () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  )
  await expect(page.locator('[data-seq="7000"]')).toBeInViewport()
})

test('a line is gone to by its number', async ({ page }) => {
  await openTask(page, server, 'long')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.keyboard.press(':')
  await expect(page.getByRole('textbox', { name: 'Line', exact: true })).toBeFocused()
  await page.keyboard.type('12345')
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-marked]')).toContainText('line 12345')
  await expect(page.locator('[data-seq="12345"]')).toBeInViewport()
  await expect(page).toHaveURL(/#L12345$/)
  await page.keyboard.press('Escape')
  await expect(page.locator('[data-marked]')).toHaveCount(0)
  await expect(page).not.toHaveURL(/#/)
})

test('marked lines are copied, also those that are not drawn', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await openTask(page, server, 'long', '#L5000-L5999')
  await page.getByRole('button', { name: 'Copy text' }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied.split('\n')).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${5000 + at}`))
})

test('a line is copied where the browser keeps its clipboard from the page', async ({ page }) => {
  // As it does for pages that come over plain HTTP from another machine.
  await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
  await openTask(page, server, 'long', '#L777')
  await page.getByRole('button', { name: 'Copy text' }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.press('Control+v')
  await expect(page.getByTestId('log-search')).toHaveValue('line 777')
})

test('a link to a line that is yet to come shows what comes', async ({ page }) => {
  await writeLines(server, 'early', numbered(3))
  await openTask(page, server, 'early', '#L500')
  await expect(lines(page)).toHaveText(['line 1', 'line 2', 'line 3'])
  await writeLines(server, 'early', [{ message: 'the next' }])
  await expect(lines(page).last()).toHaveText('the next')
})

test('the keys of the browser for searching lead to the search of the log', async ({ page }) => {
  await openTask(page, server, 'long')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.keyboard.press('Control+f')
  await expect(page.getByLabel('Find in log')).toBeFocused()
})

test('a menu that is left by Escape gives the focus back, and the marked line stays marked', async ({
  page,
}) => {
  await openTask(page, server, 'long', '#L777')
  await expect(page.locator('[data-marked]')).toHaveCount(1)
  const view = page.getByRole('button', { name: 'View', exact: true })
  await view.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog').locator(':focus')).toHaveCount(1)
  await page.keyboard.press('Escape')
  await expect(view).toBeFocused()
  await expect(page.locator('[data-marked]')).toHaveCount(1)
})

test('a text is found with one Enter, among all lines, from where the reader is', async ({ page }) => {
  await openTask(page, server, 'long')
  await expect(lines(page).last()).toHaveText('line 20000')
  await page.keyboard.press('/')
  await page.keyboard.type('line 777')
  await page.keyboard.press('Enter')
  const current = page.locator('[data-current]')
  await expect(current).toContainText('line 777')
  await expect(current).toBeInViewport()
  await expect(page.getByTestId('match-count')).toHaveText('1 of 11')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('match-count')).toHaveText('2 of 11')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.press('Shift+Enter')
  await expect(page.getByTestId('match-count')).toHaveText('11 of 11')
  await expect(current).toContainText('line 7779')
})

test('a task is found, read, paused and cancelled with the keyboard alone', async ({ page }) => {
  await server.post('/tasks/typed/start', {})
  await writeLines(server, 'typed', numbered(200))
  await logIn(page, server)
  await page.goto(`${server.url}/tasks?search=typed`)
  await expect(page.getByTestId('task-row')).toHaveCount(1)
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(lines(page).last()).toHaveText('line 200')
  await page.keyboard.press('g')
  await expect(lines(page).first()).toHaveText('line 1')
  await page.keyboard.press('Shift+G')
  await expect(page.getByRole('button', { name: 'Follow' })).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('e')
  await expect(page.locator('[data-marked]')).toContainText('line 100')
  await page.keyboard.press(' ')
  await expect(page.getByRole('button', { name: /^Resume/ })).toBeVisible()
  await page.keyboard.press(' ')
  await page.keyboard.press('w')
  await expect(page.getByTestId('log-scroller')).toHaveAttribute('data-wrap', /.*/)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toContainText('Keyboard shortcuts')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  const cancel = page.getByRole('button', { name: 'Cancel task' })
  for (let at = 0; at < 30 && !(await cancel.evaluate(it => it === document.activeElement)); at++) {
    await page.keyboard.press('Tab')
  }
  await expect(cancel).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Reason')).toBeFocused()
  await page.keyboard.type('enough')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('status').first()).toHaveAttribute('data-status', 'CANCELLED')
})
