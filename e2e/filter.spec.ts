import { readFile } from 'node:fs/promises'
import { expect, type Page, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { lines, openTask, writeLines } from './console.ts'

// Not the server's zone: what is chosen is local time, what is asked for is not.
// The window is high enough to draw every line.
test.use({ timezoneId: 'Asia/Tokyo', viewport: { width: 1280, height: 1800 } })

const FORMATS = ['Text', 'CSV', 'JSON', 'NDJSON'] as const
const START = Date.parse('2026-03-01T00:00:00Z')
const MINUTE = 60_000
const STEPS = ['clone', 'build', 'test'] as const

/** Sixty entries, a minute apart: twenty of each step; every tenth is an ERROR on stderr, every sixth a WARN. */
const hour = Array.from({ length: 60 }, (_, at) => ({
  message: `minute ${at}`,
  timestamp: new Date(START + at * MINUTE).toISOString(),
  step: STEPS[Math.floor(at / 20)],
  source: at % 10 === 0 ? 'stderr' : 'stdout',
  level: at % 10 === 0 ? 'ERROR' : at % 6 === 0 ? 'WARN' : 'INFO',
}))

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
  await writeLines(server, 'hour', hour)
})
test.afterAll(() => server?.dispose())

const messages = (page: Page) => lines(page).allTextContents()
const minutes = (which: (minute: number) => boolean) =>
  hour.map((_, at) => at).flatMap(at => (which(at) ? [`minute ${at}`] : []))
const open = async (page: Page, rest = '') => {
  await openTask(page, server, 'hour', rest)
  await expect(lines(page).first()).toBeVisible()
}

test('levels are counted, and those pressed are shown', async ({ page }) => {
  await open(page)
  const error = page.getByRole('button', { name: 'Error: 6 lines' })
  const warn = page.getByRole('button', { name: 'Warn: 8 lines' })
  await error.click()
  await expect(lines(page)).toHaveText(minutes(at => at % 10 === 0))
  await warn.click()
  await expect(lines(page)).toHaveText(minutes(at => at % 10 === 0 || at % 6 === 0))
  await expect(page).toHaveURL(/level=WARN%2CERROR/)
  await error.click()
  await warn.click()
  await expect(lines(page)).toHaveCount(60)
  await expect(page).not.toHaveURL(/level=/)
})

test('sources are chosen from a menu, also for lines yet to come', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Source' }).click()
  await page.getByLabel('stdout').click()
  await expect(lines(page)).toHaveText(minutes(at => at % 10 === 0))
  await expect(page).toHaveURL(/source=stderr%2Cagent/)
  await page.keyboard.press('Escape')
  const at = new Date(START + 20 * MINUTE).toISOString()
  await writeLines(server, 'hour', [
    { message: 'not shown', source: 'stdout', timestamp: at },
    { message: 'shown', source: 'stderr', level: 'INFO', timestamp: at },
  ])
  await expect(lines(page).last()).toHaveText('shown')
  expect(await messages(page)).not.toContain('not shown')
  await server.api('/tasks/hour/logs', { method: 'DELETE' })
  await writeLines(server, 'hour', hour)
})

test('a step is chosen from those that the lines name', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Step', exact: true }).click()
  await page.getByRole('radio', { name: 'build' }).click()
  await expect(lines(page)).toHaveText(minutes(at => at >= 20 && at < 40))
  await page.reload()
  await expect(lines(page)).toHaveText(minutes(at => at >= 20 && at < 40))
  await page.getByRole('button', { name: 'build' }).click()
  await page.getByRole('radio', { name: 'Any step' }).click()
  await expect(lines(page)).toHaveCount(60)
})

test('a time range is written into a form, in local time', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Time', exact: true }).click()
  await page.getByLabel('From').fill('2026-03-01T09:10:00')
  await page.getByLabel('To (not included)').fill('2026-03-01T09:15:00')
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(lines(page)).toHaveText(minutes(at => at >= 10 && at < 15))
  await expect(page).toHaveURL(/from=2026-03-01T00%3A10%3A00/)
  await page.getByRole('button', { name: 'Time', exact: true }).click()
  await expect(page.getByLabel('From')).toHaveValue(/^2026-03-01T09:10/)
  await page.getByRole('button', { name: 'Any time' }).click()
  await expect(lines(page)).toHaveCount(60)
})

test('a time range is drawn over the histogram, and given up by its button', async ({ page }) => {
  await open(page)
  const histogram = page.getByTestId('histogram')
  await expect(histogram.locator('rect[data-level="ERROR"]')).toHaveCount(6)
  const box = await histogram.boundingBox()
  if (!box) throw new Error('no histogram')
  const middle = box.y + box.height / 2
  await page.mouse.move(box.x + box.width * 0.25, middle)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.5, middle, { steps: 4 })
  await page.mouse.up()
  await expect(page).toHaveURL(/from=.*&to=/)
  const range = new URL(page.url()).searchParams
  const [from, to] = [Date.parse(range.get('from') ?? ''), Date.parse(range.get('to') ?? '')]
  expect([from, to]).toEqual([
    expect.closeTo(START + 15 * MINUTE, -5.5),
    expect.closeTo(START + 31 * MINUTE, -5.5),
  ])
  const within = (at: number) => START + at * MINUTE >= from && START + at * MINUTE < to
  await expect(lines(page)).toHaveText(minutes(within))
  await page.getByRole('button', { name: 'Zoomed; show all times' }).click()
  await expect(lines(page)).toHaveCount(60)
})

test('what the reader looks at stays in sight when the filter is given up', async ({ page }) => {
  await writeLines(
    server,
    'context',
    Array.from({ length: 3000 }, (_, at) => ({
      message: `row ${at + 1}`,
      level: at === 999 ? 'ERROR' : 'INFO',
    })),
  )
  await openTask(page, server, 'context', '?level=ERROR')
  await expect(lines(page)).toHaveText(['row 1000'])
  await page.getByRole('button', { name: 'Follow' }).click()
  await page.getByRole('button', { name: /^Error: / }).click()
  await expect(page.locator('[data-seq="1000"]')).toBeInViewport()
  await expect(page.locator('[data-seq="999"]')).toBeInViewport()
})

test('a line that the filter lets through is shown among all lines, and Back leads to the filter again', async ({
  page,
}) => {
  await openTask(page, server, 'hour', '?search=minute+3&level=ERROR')
  await expect(lines(page)).toHaveText(['minute 30'])
  await page.getByRole('button', { name: /among all lines/ }).click()
  await expect(lines(page)).toHaveCount(60)
  await expect(page.locator('[data-marked]')).toContainText('minute 30')
  await expect(page.locator('mark').first()).toHaveText('minute 3')
  await expect(page.getByLabel('Find in log')).toHaveValue('minute 3')
  await expect(page.getByRole('button', { name: /among all lines/ })).toHaveCount(0)
  await page.goBack()
  await expect(lines(page)).toHaveText(['minute 30'])
  await expect(page.getByLabel('Show only lines with…')).toHaveValue('minute 3')
})

for (const format of FORMATS) {
  test(`the log is downloaded as ${format}, whole and filtered, as the API exports it`, async ({ page }) => {
    await open(page, '?level=ERROR&step=build')
    await expect(lines(page)).toHaveText(['minute 20', 'minute 30'])
    for (const [index, filter] of ['', '&level=ERROR&step=build'].entries()) {
      await page.getByRole('button', { name: 'Download' }).click()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: format, exact: true }).nth(index).click(),
      ])
      const name = { Text: 'txt', CSV: 'csv', JSON: 'json', NDJSON: 'ndjson' }[format]
      expect(download.suggestedFilename()).toMatch(new RegExp(`hour.*\\.${name}$`))
      const exported = await server.api(`/tasks/hour/logs/export?format=${name}${filter}`)
      expect(await readFile(await download.path(), 'utf8')).toBe(await exported.text())
      await expect(page.getByRole('menuitem', { name: format, exact: true })).toHaveCount(0)
    }
  })
}
