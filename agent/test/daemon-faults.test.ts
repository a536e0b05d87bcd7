import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADMIN_KEY } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'
import { daemonTests, ranTimes, startDaemon } from './serving.ts'

const at = daemonTests('f')

const id = (name: string) => `${at.session.id}-${name}`
const serve = (args: string[] = [], agent = at.keruta) =>
  startDaemon(agent, ['--session-id', at.session.id, '--poll-interval', '1', ...args])
const ran = (name: string) => ranTimes(at.keruta, name)

/** Notes that it ran, and waits until it is let go. */
const waiting = 'echo x >> "$HOME/ran"; echo up; while [ ! -e "$HOME/go" ]; do sleep 0.05; done; echo end'

describe('where the server is away', () => {
  it('a daemon waits for it at its start', async () => {
    await at.session.queue(id('a'), 'true')
    await at.server.stop('SIGKILL')
    const daemon = serve()
    await daemon.said('no tasks can be had now')
    const health = await fetch(`${await daemon.url()}/health`)
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { reason: expect.stringContaining('ECONNREFUSED') },
    ])
    await at.server.start()
    await at.session.until(id('a'), { status: 'COMPLETED' })
    await daemon.said('the server gives tasks again')
    expect((await fetch(`${await daemon.url()}/health`)).status).toBe(200)
  })

  it('a script goes on and ends, and the next task waits until its end is known', async () => {
    const daemon = serve()
    await at.session.queue(id('a'), `${waiting}; echo a >> "$HOME/order"`)
    await at.session.queue(id('b'), 'echo b >> "$HOME/order"')
    await at.session.printed(id('a'), 'up')
    await at.server.stop('SIGKILL')
    at.keruta.put('go', '')
    await expect.poll(() => ran('order'), { timeout: 10_000 }).toEqual(['a'])
    await at.server.start()
    await at.session.until(id('b'), { status: 'COMPLETED' })
    expect(await at.session.task(id('a'))).toMatchObject({ status: 'COMPLETED', attempt: 1 })
    expect(await at.session.lines(id('a'))).toEqual(['up', 'end'])
    expect([ran('ran'), ran('order')]).toEqual([['x'], ['a', 'b']])
    expect(daemon.process.exitCode).toBeNull()
  })
})

describe('a daemon that is killed', () => {
  it('while a script runs takes it along, and the next one tells its end before it goes on', async () => {
    const first = serve()
    await at.session.queue(id('a'), `(sleep 1; echo orphan >> "$HOME/ran") & ${waiting}`)
    await at.session.queue(id('b'), 'echo b')
    await at.session.printed(id('a'), 'up')
    first.process.kill('SIGKILL')
    await first.ended
    serve()
    await at.session.until(id('b'), { status: 'COMPLETED' })
    expect(await at.session.task(id('a'))).toMatchObject({ status: 'FAILED', errorCode: 'AGENT_LOST' })
    expect(ran('ran')).toEqual(['x'])
  })

  it('while a script runs that may be tried again, runs once more', async () => {
    const first = serve()
    await at.session.queue(id('a'), `echo x >> "$HOME/ran"; echo up; [ -e "$HOME/go" ] || sleep 60`, {
      maxAttempts: 2,
    })
    await at.session.printed(id('a'), 'up')
    first.process.kill('SIGKILL')
    await first.ended
    at.keruta.put('go', '')
    serve()
    await at.session.until(id('a'), { status: 'COMPLETED', attempt: 2 })
    expect(ran('ran')).toEqual(['x', 'x'])
  })

  it('after the script has ended leaves its true end to the next', async () => {
    const first = serve()
    await at.session.queue(id('a'), waiting)
    await at.session.printed(id('a'), 'up')
    await at.server.stop('SIGKILL')
    at.keruta.put('go', '')
    await expect
      .poll(() => readdirSync(at.keruta.spool).some(name => at.keruta.noted(name, '"finish"')), {
        timeout: 10_000,
      })
      .toBe(true)
    first.process.kill('SIGKILL')
    await first.ended
    await at.server.start()
    serve()
    await at.session.until(id('a'), { status: 'COMPLETED' })
    expect(await at.session.lines(id('a'))).toEqual(['up', 'end'])
    expect(ran('ran')).toEqual(['x'])
  })
})

describe('two daemons', () => {
  it('of different machines never run the same task', async () => {
    const other = new Keruta(at.server.url, ADMIN_KEY)
    const names = Array.from({ length: 24 }, (_, index) => id(String(index)))
    for (const name of names) await at.session.queue(name, `echo "$KERUTA_TASK_ID"`)
    serve()
    serve([], other)
    for (const name of names) await at.session.until(name, { status: 'COMPLETED' })
    const runs = await Promise.all(names.map(name => at.session.lines(name)))
    expect(runs).toEqual(names.map(name => [name]))
    other.clean()
  }, 40_000)
})

describe('SIGTERM', () => {
  it('lets a task finish within the grace time', async () => {
    const daemon = serve()
    await at.session.queue(id('a'), waiting)
    await at.session.queue(id('b'), 'true')
    await at.session.printed(id('a'), 'up')
    daemon.process.kill('SIGTERM')
    await daemon.said('a running task may finish')
    at.keruta.put('go', '')
    expect((await daemon.ended).code).toBe(0)
    expect(await at.session.task(id('a'))).toMatchObject({ status: 'COMPLETED' })
    expect(await at.session.task(id('b'))).toMatchObject({ status: 'PENDING' })
  })

  it('hands a task back that does not end within it, for another to run', async () => {
    const daemon = serve(['--grace', '200ms'])
    await at.session.queue(id('a'), waiting)
    await at.session.printed(id('a'), 'up')
    daemon.process.kill('SIGTERM')
    expect((await daemon.ended).code).toBe(0)
    await daemon.said('task handed back')
    const task = await at.session.task(id('a'))
    expect(task).toMatchObject({ status: 'PENDING', attempt: 1, agentId: null })
    expect(task.statusHistory.at(-1)).toMatchObject({ message: 'the agent ends (SIGTERM)' })
    at.keruta.put('go', '')
    serve()
    await at.session.until(id('a'), { status: 'COMPLETED', attempt: 1 })
  })

  it('for the second time stops the script at once', async () => {
    const daemon = serve(['--grace', '60s'])
    await at.session.queue(id('a'), `trap '' TERM; ${waiting}`)
    await at.session.printed(id('a'), 'up')
    for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT'] as const) {
      daemon.process.kill(signal)
      await daemon.said(signal)
    }
    expect((await daemon.ended).code).toBe(0)
    expect(['PENDING', 'PROCESSING']).toContain((await at.session.task(id('a'))).status)
  })
})

it('a token that is revoked lets the running script end, then ends the daemon', async () => {
  const { key, id: keyId } = await at.server.post<{ key: string; id: string }>('/api-keys', {
    name: 'agent',
    role: 'agent',
  })
  const agent = new Keruta(at.server.url, key)
  const daemon = serve([], agent)
  await at.session.queue(
    id('a'),
    `echo up; while [ ! -e "${join(agent.home, 'go')}" ]; do sleep 0.05; done; echo end`,
  )
  await at.session.printed(id('a'), 'up')
  await at.server.api(`/api-keys/${keyId}`, { method: 'DELETE' })
  agent.put('go', '')
  const { code } = await daemon.ended
  expect([code, daemon.entries().at(-1)!.message]).toEqual([1, expect.stringContaining('KERUTA_API_TOKEN')])
  expect(await at.session.task(id('a'))).toMatchObject({ status: 'COMPLETED' })
  agent.clean()
})
