import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SessionView } from '#protocol/session.ts'
import type { TaskView } from '#protocol/task.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Keruta } from './keruta.ts'

let server: TestServer
let keruta: Keruta
let taskId: string
let tasks = 0
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
  taskId = `task-${++tasks}`
})
afterEach(() => keruta.clean())

const run = async (args: string[], stdin = '', env: Record<string, string> = {}) => {
  const { process: child, ended } = keruta.start(args, env)
  child.stdin!.end(stdin)
  const { code, stdout, stderr } = await ended
  return { code, out: String(stdout), err: stderr }
}
const json = async <T>(...args: string[]) => {
  const { code, out, err } = await run([...args, '--json'])
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as T
}
const task = async () => (await (await server.api(`/tasks/${taskId}`)).json()) as TaskView
const start = (interactive = false) => server.post(`/tasks/${taskId}/start`, { agentId: 'a/1', interactive })

describe('sessions', () => {
  it('are made with their template, shown, listed and put away', async () => {
    const made = await json<SessionView>(
      ...['sessions', 'create', '--session-id', 's1', '--name', 'Release 2', '--tag', 'a', '--tag', 'b'],
      ...['--repository', 'https://git.example/app.git', '--ref', 'main', '--env', 'STAGE=ci=1'],
      ...['--auto-fix-command', 'make fix'],
    )
    expect(made).toMatchObject({
      id: 's1',
      tags: ['a', 'b'],
      template: {
        repository: { url: 'https://git.example/app.git', ref: 'main' },
        env: { STAGE: 'ci=1' },
        autoFixCommand: 'make fix',
      },
    })
    const shown = await run(['sessions', 'show', 's1'])
    expect(shown.out).toContain('repository\thttps://git.example/app.git at main\n')
    expect(shown.out).toContain('tasks\tnone\n')
    expect(shown.out).not.toContain('ci=1')
    expect((await run(['sessions'])).out).toMatch(/^ID\tSTATUS\t.*\ns1\tACTIVE\t0\t0\t0\t\d+s\tRelease 2\n$/)
    expect((await json<SessionView>('sessions', 'complete', 's1')).status).toBe('COMPLETED')
    expect((await json<SessionView>('sessions', 'archive', '--session-id', 's1')).status).toBe('ARCHIVED')
  })

  it('say what is missing, and what to do', async () => {
    expect((await run(['sessions', 'create'])).err).toContain('keruta sessions create --name <name>')
    expect((await run(['sessions', 'show'])).err).toContain('which session? Give --session-id')
    const wrong = await run(['sessions', 'complet', 's1'])
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('did you mean complete?')])
    expect((await run(['sessions', '--search', 'nothing like it'])).err).toBe(
      'keruta: no session is like that\n',
    )
  })
})

describe('tasks', () => {
  it('are made within a script beside the one that runs, with all that a task may have', async () => {
    await server.post('/sessions', { id: 's2', name: 's2' })
    const { out } = await run(
      ['tasks', 'create', '--script', '-', '--env', 'A=1', '--priority', '-3', '--timeout', '30m', '--json'],
      'echo hello',
      { KERUTA_TASK_ID: taskId, KERUTA_SESSION_ID: 's2' },
    )
    const made = JSON.parse(out) as TaskView
    expect(made.id).not.toBe(taskId)
    expect(made).toMatchObject({
      sessionId: 's2',
      script: 'echo hello',
      env: { A: '1' },
      priority: -3,
      timeoutSeconds: 1800,
    })
  })

  it('are deleted where somebody says so', async () => {
    await server.post(`/tasks/${taskId}/logs`, { message: 'x' })
    const asked = await run(['tasks', 'delete', taskId])
    expect([asked.code, asked.err]).toEqual([
      2,
      expect.stringMatching(/and its 1 line for good\?.* say --yes/),
    ])
    expect((await run(['tasks', 'delete', taskId, '--yes'])).err).toContain('deleted task')
    expect((await server.api(`/tasks/${taskId}`)).status).toBe(404)
  })

  it('that wait for input stand out, with what answers them', async () => {
    await start(true)
    await server.post(`/tasks/${taskId}/waiting`, { prompt: 'Password: \u001b[2J', secret: true })
    expect((await run(['tasks', '--waiting'])).out).toContain(`${taskId}\tWAITING\t`)
    const { out } = await run(['tasks', 'show', taskId])
    expect(out).toContain('waits for\ta secret: Password:\n')
    expect(out).toContain(`answer\tkeruta input ${taskId} --secret\n`)
  })

  it.each([
    [['--max-attempts', 'many'], '--max-attempts: "many" must be a whole number'],
    [['--timeout', 'long'], '--timeout: "long" must be a duration'],
    [['--env', 'A'], '--env "A" must be name=value'],
    [['--script', 'a', '--command', 'b'], 'give one of them'],
    [['--prioritty', '1'], 'Did you mean --priority?'],
  ])('created with %j are refused with what would be right', async (args, message) => {
    const { code, err } = await run(['tasks', 'create', ...args])
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })

  it('that are none are told as such, with what makes one', async () => {
    await server.post('/sessions', { id: 'empty', name: 'empty' })
    const { code, out, err } = await run(['tasks', '--session-id', 'empty'])
    expect([code, out, err]).toEqual([
      0,
      '',
      'keruta: there are no tasks in session empty yet; keruta tasks create --command "echo hello" makes one\n',
    ])
  })
})

describe('input', () => {
  const sent = async () => {
    const { WebSocket } = await import('ws')
    const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    const frames: { type: string; text: string; eof: boolean; secret: boolean }[] = []
    ws.on('message', data => frames.push(JSON.parse(String(data))))
    ws.on('open', () => ws.send(JSON.stringify({ type: 'hello', streamId: 's', agentId: 'a/1' })))
    const inputs = () =>
      frames.filter(({ type }) => type === 'input').map(({ text, eof, secret }) => ({ text, eof, secret }))
    return { inputs, close: () => ws.terminate() }
  }

  it('reaches the script: a line, what a pipe brings as it is, and the end', async () => {
    await start(true)
    const agent = await sent()
    expect((await run(['input', taskId, 'yes'])).err).toBe('keruta: it is on its way to the script\n')
    await run(['input', taskId, '--eof'], 'two\nlines é', {})
    await run(['input', taskId, '-', '--secret'], 'two\nlines é')
    const plain = { eof: false, secret: false }
    await expect.poll(agent.inputs).toEqual([
      { ...plain, text: 'yes\n' },
      { ...plain, text: '', eof: true },
      { ...plain, text: 'two\nlines é', secret: true },
    ])
    agent.close()
  })

  it('is refused in the words of the server where nobody would take it', async () => {
    await start(false)
    const { code, err } = await run(['input', taskId, 'yes'])
    expect([code, err]).toEqual([1, expect.stringContaining('takes no input')])
    const exposed = await run(['input', taskId, 'pin', '--secret'])
    expect(exposed.err).toContain('leave it out, and be asked')
  })
})

describe('fail --auto-fix', () => {
  it('says which task is to mend it, or why none is', async () => {
    await server.post('/sessions', { id: 's3', name: 's3', template: { autoFixCommand: 'make fix' } })
    await server.post('/tasks', { id: taskId, sessionId: 's3' })
    await start()
    const mended = await run(['fail', '--auto-fix', '--task-id', taskId])
    expect(mended.err).toMatch(/^keruta: task \S+ is FAILED\nkeruta: task \S+ is to mend it\n$/)
    const { out } = await run(['tasks', 'show', taskId])
    expect(out).toMatch(/^mended by\t\S+ PENDING$/m)
    taskId = `${taskId}-alone`
    await start()
    const left = await run(['fail', '--auto-fix', '--task-id', taskId])
    expect(left.err).toContain('keruta: no auto-fix task: task task-')
  })
})

describe('metric', () => {
  it('is kept with its task, given as two words or one', async () => {
    await run(['metric', 'rows', '1042', '--task-id', taskId])
    await run(['metric', 'coverage=87.5'], '', { KERUTA_TASK_ID: taskId })
    expect((await task()).metrics).toMatchObject([
      { name: 'rows', value: 1042 },
      { name: 'coverage', value: 87.5 },
    ])
    expect((await run(['metric', 'rows', 'many', '--task-id', taskId])).err).toContain('must be a number')
  })
})

describe('logs --format raw', () => {
  it('is what was printed: a line in parts is whole, and what replaces a line comes after a carriage return', async () => {
    const line = (lineNumber: number, message: string, metadata?: object) => ({
      source: 'stdout',
      lineNumber,
      message,
      metadata,
    })
    await server.post(`/tasks/${taskId}/logs`, [
      line(1, 'a long '),
      line(1, 'line', { continued: true }),
      line(2, '0 %'),
      line(2, '50 %', { overwrites: true }),
      line(3, 'end'),
    ])
    for (const more of [[], ['--tail', '5']]) {
      const { out } = await run(['logs', taskId, '--format', 'raw', ...more])
      expect(out).toBe('a long line\n0 %\r50 %\nend\n')
    }
  })
})

describe('logs --follow', () => {
  it('ends with the task, whose last lines it has, and as it ended where that is asked for', async () => {
    await start()
    await server.post(`/tasks/${taskId}/logs`, { message: 'first' })
    const { process: child, ended } = keruta.start(['logs', taskId, '-f', '--format', 'raw', '--exit-code'])
    let printed = ''
    child.stdout!.on('data', chunk => {
      printed += chunk
    })
    await vi.waitFor(() => expect(printed).toBe('first\n'), 10_000)
    await server.post(`/tasks/${taskId}/logs`, { message: '\u001b[31mlast\u001b[0m' })
    await server.post(`/tasks/${taskId}/fail`, { message: 'no rule', errorCode: 'EXIT_2', exitCode: 2 })
    const { code, stdout, stderr } = await ended
    expect([code, String(stdout)]).toEqual([2, 'first\n\u001b[31mlast\u001b[0m\n'])
    expect(stderr).toMatch(/^keruta: task \S+ FAILED after .*, 2 lines: no rule \(EXIT_2\)\n$/)
  })

  it('ends at once where the task is over, and says what was deleted and what never came', async () => {
    await start()
    const entries = [1, 2, 3].map(n => ({ message: `line ${n}`, timestamp: `2026-01-0${n}T00:00:00Z` }))
    await server.post(`/tasks/${taskId}/logs`, entries)
    await server.api(`/tasks/${taskId}/logs?before=2026-01-03T00:00:00Z`, { method: 'DELETE' })
    const { WebSocket } = await import('ws')
    const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/tasks/${taskId}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    ws.on('open', () =>
      ws.send(JSON.stringify({ type: 'logs', streamId: 's', entries: [{ n: 1, message: 'sent' }] })),
    )
    await new Promise(resolve => ws.once('message', resolve))
    ws.terminate()
    await server.post(`/tasks/${taskId}/success`, {})
    const { code, out, err } = await run(['logs', taskId, '--follow', '--exit-code'])
    expect([code, out]).toEqual([0, 'INFO     [agent] line 3\nINFO     [agent] sent\n'])
    expect(err).toContain('keruta: lines 1 to 2 of this log were deleted\n')
    expect(err).toContain('keruta: this log is incomplete: the agent was lost')
  })

  it('says that the script waits for somebody, once, and how to answer', async () => {
    await start(true)
    const { process: child, ended } = keruta.start(['logs', taskId, '--follow'])
    let told = ''
    child.stderr!.on('data', chunk => {
      told += chunk
    })
    await server.post(`/tasks/${taskId}/waiting`, { prompt: 'Go on? [y/N] ' })
    await vi.waitFor(() => expect(told).toContain('Go on?'), 10_000)
    await server.post(`/tasks/${taskId}/progress`, { progress: 5 })
    await server.post(`/tasks/${taskId}/success`, {})
    expect((await ended).stderr.split('\n').slice(0, -2)).toEqual([
      `keruta: the script waits for input: Go on? [y/N] (keruta input ${taskId})`,
    ])
  })

  it('colours where it is told to, and not where it is told not to', async () => {
    await server.post(`/tasks/${taskId}/logs`, { message: 'x', level: 'ERROR' })
    const shown = async (...args: string[]) => (await run(['logs', taskId, ...args])).out
    expect(await shown('--color', 'always')).toContain('\u001b[31mERROR')
    expect(await shown()).not.toContain('\u001b')
    expect((await run(['logs', taskId, '--color', 'blue'])).err).toContain(
      'must be one of auto, always, never',
    )
  })
})
