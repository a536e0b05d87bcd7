import { expect, test } from '@playwright/test'
import { TestServer } from '#server/testing/test-server.ts'
import { logIn } from './console.ts'

test.use({ locale: 'ja-JP', viewport: { width: 360, height: 740 } })

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
  await server.post('/sessions', { id: 'words', name: 'words' })
  await server.post('/tasks', { id: 'word', sessionId: 'words', script: 'true' })
})
test.afterAll(() => server?.dispose())

test("the console speaks the browser's language, or the one that was chosen, also on a narrow screen", async ({
  page,
}) => {
  await logIn(page, server)
  const width = () => page.evaluate(() => document.documentElement.scrollWidth)
  for (const [path, text] of [
    ['/tasks', '新しいタスク'],
    ['/sessions/words', 'キュー'],
    ['/tasks/word', '詳細'],
  ] as const) {
    await page.goto(server.url + path)
    await expect(page.getByText(text, { exact: true }).first()).toBeVisible()
    expect(await width(), path).toBeLessThanOrEqual(360)
  }
  await expect(page.locator('html')).toHaveAttribute('lang', 'ja')
  await page.goto(`${server.url}/settings`)
  await page.getByLabel('言語').selectOption({ label: '简体中文' })
  await expect(page.getByRole('heading', { name: '设置' })).toBeVisible()
  await page.goto(`${server.url}/sessions/words`)
  await expect(page.getByText('队列', { exact: true })).toBeVisible()
  expect(await width()).toBeLessThanOrEqual(360)
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans')
  await page.goto(`${server.url}/settings`)
  await page.getByLabel('语言').selectOption({ label: 'English' })
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
})
