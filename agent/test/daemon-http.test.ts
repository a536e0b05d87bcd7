import { request } from 'node:http'
import { createServer } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { ADMIN_KEY } from '#server/testing/test-server.ts'
import { daemonTests, startDaemon } from './serving.ts'

const at = daemonTests('h')

const id = (name: string) => `${at.session.id}-${name}`
const serve = (args: string[] = [], env: Record<string, string> = {}) =>
  startDaemon(at.keruta, ['--session-id', at.session.id, ...args], env)

/** A call with headers that fetch would not send. */
function call(url: string, method: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number; error: string }>((resolve, reject) => {
    const req = request(url, { method, headers }, res => {
      let text = ''
      res.on('data', chunk => {
        text += chunk
      })
      res.on('end', () => resolve({ status: res.statusCode!, error: JSON.parse(text).error }))
    })
    req.on('error', reject)
    req.end(body)
  })
}

it('GET /status tells what is done now, and what has been done', async () => {
  const daemon = serve()
  const url = await daemon.url()
  await at.session.queue(id('a'), 'keruta fail --message "no disk"')
  await at.session.queue(id('c'), 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done')
  await at.session.printed(id('c'), 'up')
  await at.server.post(`/tasks/${id('c')}/cancel`, {})
  await at.session.queue(id('b'), 'test "$KERUTA_ATTEMPT" = 1 && echo up; sleep 60')
  await at.session.printed(id('b'), 'up')
  expect(await (await fetch(`${url}/status`)).json()).toMatchObject({
    status: 'RUNNING',
    sessionId: at.session.id,
    task: { id: id('b'), attempt: 1 },
    counts: { completed: 0, failed: 1, cancelled: 1, handedBack: 0 },
    server: { connected: true, trouble: null },
    spoolBytes: expect.any(Number),
    pid: daemon.process.pid,
  })
})

it('POST /stop ends the daemon, and with `now` its task too, which goes back to the queue', async () => {
  const daemon = serve()
  await at.session.queue(id('a'), 'echo up; sleep 60')
  await at.session.printed(id('a'), 'up')
  const answer = await fetch(`${await daemon.url()}/stop?now`, { method: 'POST' })
  expect([answer.status, await answer.json()]).toMatchObject([
    202,
    { detail: expect.stringContaining(id('a')) },
  ])
  expect((await daemon.ended).code).toBe(0)
  expect(await at.session.task(id('a'))).toMatchObject({ status: 'PENDING' })
})

it('POST /input answers the script, as text or as JSON', async () => {
  const daemon = serve([], { KERUTA_USE_HTTP_INPUT: 'true' })
  const url = await daemon.url()
  const post = (body: string, type: string) =>
    fetch(`${url}/input`, { method: 'POST', body, headers: { 'content-type': type } })
  const input = (body: string, json = false) => post(body, json ? 'application/json' : 'text/plain')
  const byCurl = (body: string) => post(body, 'application/x-www-form-urlencoded')
  expect((await input('nobody')).status).toBe(409)
  await at.session.queue(id('a'), 'echo up; read a; read b; read c; cat; echo "$a $b $c"')
  await at.session.printed(id('a'), 'up')
  expect((await input('one')).status).toBe(200)
  expect((await input(JSON.stringify({ text: 'two', taskId: id('a') }), true)).status).toBe(200)
  expect((await byCurl('{"text":"three"}')).status).toBe(200)
  expect((await input(JSON.stringify({ text: 'x', taskId: 'other' }), true)).status).toBe(409)
  for (const wrong of ['{', '[]', '{"txt": "x"}', '{"text": 1}', '{"newline": false}'])
    expect([wrong, (await input(wrong, true)).status]).toEqual([wrong, 400])
  expect((await input('x'.repeat(70_000))).status).toBe(413)
  expect((await input('{"eof": true}', true)).status).toBe(200)
  await at.session.until(id('a'), { status: 'COMPLETED' })
  expect(await at.session.lines(id('a'))).toEqual(['up', 'one two three'])
})

describe('the HTTP API', () => {
  it('says what there is instead of what there is not', async () => {
    const url = await serve().url()
    expect(await call(`${url}/`, 'GET', {})).toMatchObject({
      status: 404,
      error: expect.stringContaining('GET /health'),
    })
    expect(await call(`${url}/stop`, 'GET', {})).toMatchObject({
      status: 405,
      error: expect.stringContaining('POST'),
    })
  })

  it('cannot be reached by web pages', async () => {
    const daemon = serve()
    const url = await daemon.url()
    const { port } = new URL(url)
    expect(await call(`${url}/status`, 'GET', { host: `evil.example:${port}` })).toMatchObject({
      status: 403,
    })
    expect(await call(`${url}/stop`, 'POST', { origin: 'http://evil.example' })).toMatchObject({
      status: 403,
    })
    expect(await call(`${url}/stop`, 'POST', { origin: 'null' })).toMatchObject({ status: 403 })
    expect(daemon.process.exitCode).toBeNull()
    expect(
      await call(`${url}/stop`, 'POST', { host: `localhost:${port}`, origin: `http://localhost:${port}` }),
    ).toMatchObject({
      status: 202,
    })
    await daemon.ended
  })

  it("asks for the agent's token beyond this machine", async () => {
    const daemon = serve(['--host', '0.0.0.0'])
    const url = (await daemon.url()).replace('0.0.0.0', '127.0.0.1')
    expect(await call(`${url}/stop`, 'POST', {})).toMatchObject({ status: 401 })
    expect(await call(`${url}/stop`, 'POST', { authorization: 'Bearer nonsense' })).toMatchObject({
      status: 401,
    })
    expect(await call(`${url}/stop`, 'POST', { authorization: `Bearer ${ADMIN_KEY}` })).toMatchObject({
      status: 202,
    })
    await daemon.ended
  })

  it('takes no other port than the one that was asked for', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => blocker.once('listening', resolve))
    const { port } = blocker.address() as { port: number }
    const asked = await at.keruta.run(['daemon', '--session-id', at.session.id, '--port', String(port)])
    expect([asked.code, asked.stderr]).toEqual([
      1,
      expect.stringContaining(`port ${port} of 127.0.0.1 is taken`),
    ])
    const named = await at.keruta.run(['daemon', '--session-id', at.session.id], {
      KERUTA_DAEMON_PORT: String(port),
    })
    expect(named.code).toBe(1)
    blocker.close()
  })

  it('takes a free port where the default one is taken, and says which', async () => {
    const blocker = createServer()
    // Where another process has it already, that is as good.
    await new Promise<void>(resolve =>
      blocker.on('error', () => resolve()).listen(8080, '127.0.0.1', resolve),
    )
    const { process: daemon, ended } = at.keruta.start(['daemon', '--session-id', at.session.id])
    let log = ''
    daemon.stderr!.on('data', chunk => {
      log += chunk
    })
    await vi.waitFor(() => expect(log).toContain('daemon started'), 10_000)
    const [, port] = /port 8080 is taken: the daemon's HTTP API listens on port (\d+)/.exec(log)!
    expect(await call(`http://127.0.0.1:${port}/health`, 'GET', {})).toMatchObject({ status: 200 })
    daemon.kill('SIGTERM')
    await ended
    blocker.close()
  })
})
