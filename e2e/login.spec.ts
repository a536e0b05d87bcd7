import { expect, test } from '@playwright/test'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

test('whoever is not logged in is led to the login, and back to where they wanted to go', async ({
  page,
}) => {
  await page.goto(`${server.url}/tasks/hello?level=ERROR`)
  await expect(page).toHaveURL(/\/login/)
  await expect(page.getByRole('button', { name: 'Log in' })).toBeEnabled()
  await page.getByLabel('API key').fill('kerutakey_wrong')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert').filter({ hasText: 'not known' })).toBeVisible()
  await page.getByLabel('API key').fill(ADMIN_KEY)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(`${server.url}/tasks/hello?level=ERROR`)
})

test('the login link logs in, and leaves no key in the address', async ({ page }) => {
  await page.goto(`${server.url}/login#key=${ADMIN_KEY}`)
  await expect(page).toHaveURL(`${server.url}/tasks`)
  await expect(page.getByText('No tasks yet')).toBeVisible()
  await page.getByRole('button', { name: /admin/ }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await expect(page).toHaveURL(/\/login/)
  await page.goto(`${server.url}/tasks`)
  await expect(page).toHaveURL(/\/login/)
})
