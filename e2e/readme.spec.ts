import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@playwright/test'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
const run = promisify(execFile)

let server: TestServer
test.beforeAll(async () => {
  server = await TestServer.start()
})
test.afterAll(() => server?.dispose())

/** The code blocks of one language under a heading. */
function blocks(heading: string, language: string): string[] {
  const section = readme.split(new RegExp(`^### ${heading}$`, 'm'))[1]?.split(/^#{2,3} /m)[0] ?? ''
  return [...section.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    match => match[1] ?? '',
  )
}

const environment = () => ({
  ...process.env,
  KERUTA_API_URL: server.url,
  KERUTA_API_KEY: ADMIN_KEY,
  PYTHONUNBUFFERED: '1',
})

const works = (file: string, ...args: string[]) =>
  run(file, args).then(
    () => true,
    () => false,
  )

/** Runs a program that follows a log until it has printed the text. */
async function follow(file: string, args: string[], text: string): Promise<void> {
  const child = spawn(file, args, {
    cwd: server.home,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  await expect.poll(() => output).toContain(text)
  child.kill()
  await ended
}

test('the curl examples write, read, count, export and follow', async () => {
  test.skip(!(await works('curl', '--version')), 'curl is not installed')
  const [block = ''] = blocks('curl', 'sh')
  const [last = '', ...rest] = block.split(/^(?=# )/m).reverse()
  const { stdout } = await run('sh', ['-ec', rest.reverse().join('\n')], {
    cwd: server.home,
    env: environment(),
  })
  expect(stdout).toContain('"seq":1')
  expect(stdout).toContain('disk at 91 %')
  expect(stdout).toContain('"WARN":1')
  expect(stdout).toContain('"path":"out/demo.csv"')
  expect(readFileSync(join(server.home, 'demo.csv'), 'utf8')).toContain('disk at 91 %')
  await follow('sh', ['-c', last.replace('curl', 'exec curl')], 'disk at 91 %')
})

test('the Python example writes and reads', async () => {
  test.skip(!(await works('python3', '--version')), 'Python is not installed')
  const [rest = ''] = blocks('Python', 'python')
  const { stdout } = await run('python3', ['-c', rest], { env: environment() })
  expect(stdout).toContain('INFO line 2')
})

test('the Python example follows a log live', async () => {
  test.skip(
    !(await works('python3', '-c', 'import websocket')),
    'the Python package websocket-client is not installed',
  )
  const [, live = ''] = blocks('Python', 'python')
  await server.post('/tasks/demo/logs', { level: 'INFO', message: 'for Python' })
  await follow('python3', ['-c', live], 'for Python')
})

test('the page follows a log live, and goes on after the server was away', async ({ page }) => {
  const [html = ''] = blocks('A page of your own', 'html')
  const path = join(server.home, 'watch.html')
  await writeFile(path, html.replace('127.0.0.1:8080', new URL(server.url).host))
  await server.post('/tasks/demo/logs', { message: 'before <b>the</b> page' })
  await page.goto(`file://${path}`)
  await page.fill('#key', ADMIN_KEY)
  await page.click('button')
  await expect(page.locator('#log')).toContainText('before <b>the</b> page')
  await server.stop()
  await server.start()
  await server.post('/tasks/demo/logs', { message: 'after the restart' })
  await expect(page.locator('#log')).toContainText('after the restart')
  expect((await page.locator('#log').textContent())?.match(/before <b>the/g)).toHaveLength(1)
})
