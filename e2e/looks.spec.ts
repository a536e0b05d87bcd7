import { expect, test } from '@playwright/test'
import { lines, numbered, openTask, writeLines } from './console.ts'
import { TestServer } from './server.ts'

const PAGES = ['/tasks', '/tasks/looks', '/sessions', '/settings']

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
  await writeLines(server, 'looks', numbered(300))
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

test('no page is wider than a screen of 360 px', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await openTask(page, server, 'looks')
  for (const path of PAGES) {
    await page.goto(server.url + path)
    await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'online')
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360)
  }
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
