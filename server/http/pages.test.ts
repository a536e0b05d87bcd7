import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

const ROOT = join(import.meta.dirname, '../..')

/** Next patches the process that it runs in, so it gets one of its own. */
const PROGRAM = `
  import { createPages } from '#server/http/pages.ts'
  import { createHttpServer } from '#server/http/server.ts'
  import { createLogger } from '#server/logger.ts'
  import { createMetrics } from '#server/metrics.ts'
  import { WebSocketServer } from 'ws'

  const sockets = new WebSocketServer({ noServer: true })
  const http = createHttpServer({
    api: () => Response.json({ by: 'api' }),
    pages: createPages({ dev: true, dir: import.meta.dirname }),
    upgrade(request, socket, head) {
      if (!request.url.startsWith('/ws/')) return false
      sockets.handleUpgrade(request, socket, head, ws => ws.on('message', data => ws.send(String(data))))
      return true
    },
    logger: createLogger('silent'),
    metrics: createMetrics(async () => ({})),
  })
  const { port } = await http.listen(0, '127.0.0.1')
  await http.ready()
  console.log('listens on ' + port)
  process.on('SIGTERM', () => http.close().then(() => process.exit(0)))
`

let dir: string
let child: ChildProcess
let host: string

beforeAll(async () => {
  await mkdir(join(ROOT, '.cache'), { recursive: true })
  // Inside the tree, where Next finds itself.
  dir = await mkdtemp(join(ROOT, '.cache/pages-'))
  await mkdir(join(dir, 'app/[...all]'), { recursive: true })
  await writeFile(
    join(dir, 'app/layout.tsx'),
    'export default function Layout({ children }: any) { return <html lang="en"><body>{children}</body></html> }',
  )
  await writeFile(join(dir, 'app/page.tsx'), 'export default function Page() { return <h1>the console</h1> }')
  // The kind of route that makes Next end every socket that it is shown.
  await writeFile(
    join(dir, 'app/[...all]/page.tsx'),
    'export default function Page() { return <h1>any page</h1> }',
  )
  await writeFile(join(dir, 'serve.mjs'), PROGRAM)
  child = spawn(process.execPath, [join(dir, 'serve.mjs')], {
    cwd: dir,
    env: { ...process.env, NODE_ENV: 'development', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = /^listens on (\d+)$/.exec(line)?.[1]
    if (port) {
      host = `127.0.0.1:${port}`
      return
    }
  }
  throw new Error('the server ended before it listened')
}, 60_000)

afterAll(async () => {
  if (child.exitCode === null) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  await rm(dir, { recursive: true, force: true, maxRetries: 5 })
})

test('Next answers pages, and the API its own paths beside a route that takes all', async () => {
  expect(await (await fetch(`http://${host}/`)).text()).toContain('the console')
  expect(await (await fetch(`http://${host}/any/where`)).text()).toContain('any page')
  expect(await (await fetch(`http://${host}/api/v1/x`)).json()).toEqual({ by: 'api' })
})

test('hot reloading and live sockets work side by side', async () => {
  const hot = new WebSocket(`ws://${host}/_next/hmr?page=/`, { origin: `http://${host}` })
  await once(hot, 'message')
  const live = new WebSocket(`ws://${host}/ws/tasks/1`)
  await once(live, 'open')
  await fetch(`http://${host}/any/where`)
  live.send('still here')
  expect(String((await once(live, 'message'))[0])).toBe('still here')
  hot.close()
  live.close()
})
