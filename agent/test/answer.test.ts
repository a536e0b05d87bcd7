import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LogSlice } from '#protocol/log-answers.ts'
import type { TaskView } from '#protocol/task.ts'
import { ADMIN_KEY, TestServer } from '#server/testing/test-server.ts'
import { Child } from '../capture/child.ts'
import { openTerminal } from '../pty/terminal.ts'
import { Keruta } from './keruta.ts'

let server: TestServer
let keruta: Keruta
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.dispose())
beforeEach(() => {
  keruta = new Keruta(server.url, ADMIN_KEY)
})
afterEach(() => keruta.clean())

const get = async <T>(path: string) => (await (await server.api(path)).json()) as T
const waitsFor = (taskId: string, prompt: string) =>
  vi.waitFor(
    async () => expect((await get<TaskView>(`/tasks/${taskId}`)).waitingForInput).toMatchObject({ prompt }),
    10_000,
  )
const linesOf = async (taskId: string) => {
  const { content } = await get<LogSlice>(`/tasks/${taskId}/logs?after=0`)
  return content.map(({ source, message }) => `${source}: ${message}`)
}

describe('a script that asks', () => {
  it('is answered through the server, also by what was sent while the agent could not be reached', async () => {
    const script = 'printf "One? "; read a; printf "Two? "; read b; echo; echo "$a $b"; cat'
    const { ended } = keruta.start(['execute', '--task-id', 'asks', '--input', '--', 'sh', '-c', script])
    await waitsFor('asks', 'One? ')
    await server.post('/tasks/asks/input', { text: 'first' })
    await waitsFor('asks', 'Two? ')
    await server.stop('SIGKILL')
    await server.start()
    await server.post('/tasks/asks/input', { text: 'second' })
    await server.post('/tasks/asks/input', { text: 'the rest', eof: true, secret: true })
    expect((await ended).code).toBe(0)
    const lines = await linesOf('asks')
    const by = /^agent: input by (.*): first$/.exec(lines.find(line => line.startsWith('agent'))!)![1]
    expect(lines.filter(line => line.startsWith('agent'))).toEqual([
      `agent: input by ${by}: first`,
      `agent: input by ${by}: second`,
      `agent: input by ${by}: ***`,
      `agent: end of input by ${by}`,
    ])
    expect(lines).toContain('stdout: first second')
    expect(await get<TaskView>('/tasks/asks')).toMatchObject({ status: 'COMPLETED', waitingForInput: null })
  })

  it('is answered by who sits at the terminal, key by key, and from elsewhere', async () => {
    const terminal = openTerminal({ rows: 30, columns: 90 })
    const script = 'stty size; printf "Here? "; read a; printf "There? "; read b; echo "$a $b"; sleep 60'
    const words = ['execute', '--task-id', 'both', '--input', '--pty', '--', 'sh', '-c', script]
    const [file, ...args] = keruta.command(words)
    let shown = ''
    const agent = await Child.start(
      { file: file!, args, env: keruta.environment(), stdin: 'hold', terminal },
      (_, chunk) => {
        shown += chunk
      },
    )
    await waitsFor('both', 'Here? ')
    expect(shown).toMatch(/^30 90\r?\nHere\? $/)
    for (const key of 'abc\u007f\r') await agent.input!.write(key)
    await waitsFor('both', 'There? ')
    await server.post('/tasks/both/input', { text: 'xyz' })
    await vi.waitFor(() => expect(shown).toMatch(/\nab xyz\r?\n/), 10_000)
    await agent.input!.write('\u0003')
    expect((await agent.ended).code).toBe(130)
    expect(await get<TaskView>('/tasks/both')).toMatchObject({ status: 'FAILED', signal: 'SIGINT' })
  })
})
