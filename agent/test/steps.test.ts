import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Observations } from '#protocol/task-calls.ts'
import { FakeServer } from './fake-server.ts'
import { Keruta } from './keruta.ts'

let server: FakeServer
let keruta: Keruta
beforeEach(async () => {
  server = await FakeServer.start()
  keruta = new Keruta(server.url)
})
afterEach(async () => {
  keruta.clean()
  await server.stop()
})

const run = (script: string, ...flags: string[]) =>
  keruta.run(['execute', '--task-id', 't', ...flags, '--', 'sh', '-c', script])
const observed = () =>
  server.calls
    .filter(({ path }) => path.endsWith('/observations'))
    .map(({ body }) => body as unknown as Observations)
/** Each step as it was told last. */
const steps = () =>
  Object.fromEntries(observed().flatMap(({ steps }) => steps.map(step => [step.name, step.status])))
const stepsOfLines = () => server.entries.get('t')!.map(({ message, step }) => [message, step])

it('lines between group marks belong to the step, whichever output they are on', async () => {
  await run(
    'echo before; echo "::group::Build"; echo in; sleep 0.1; echo oops >&2; sleep 0.1; echo "::group::link"; echo deep; echo "::endgroup::"; echo out; echo "::endgroup::"; echo after; echo "::endgroup::"',
  )
  expect(stepsOfLines()).toEqual([
    ['before', undefined],
    ['::group::Build', 'Build'],
    ['in', 'Build'],
    ['oops', 'Build'],
    ['::group::link', 'Build / link'],
    ['deep', 'Build / link'],
    ['::endgroup::', 'Build / link'],
    ['out', 'Build'],
    ['::endgroup::', 'Build'],
    ['after', undefined],
    ['::endgroup::', undefined],
  ])
  expect(steps()).toEqual({ Build: 'COMPLETED', 'Build / link': 'COMPLETED' })
})

it('steps and metrics are told before the end, and what the script fails within has failed', async () => {
  await run(
    'echo "::group::Test"; echo "::metric passed=41"; echo "::metric coverage = 93.5"; echo "::metric bad=many"; exit 3',
  )
  expect(steps()).toEqual({ Test: 'FAILED' })
  expect(observed().flatMap(({ metrics }) => metrics.map(({ name, value }) => [name, value]))).toEqual([
    ['passed', 41],
    ['coverage', 93.5],
  ])
  const verbs = server.calls.map(({ path }) => path.split('/').at(-1))
  expect(verbs.lastIndexOf('observations')).toBeLessThan(verbs.indexOf('fail'))
  expect(server.messages('t', 'agent')[0]).toMatch(/"::metric bad=many" was not taken .* "many" is no number/)
})

it('a step that keruta log names goes on until the next one', async () => {
  await run(
    'keruta log INFO one --step import; keruta log INFO two --step import; keruta log INFO three --step export',
  )
  expect(steps()).toEqual({ import: 'COMPLETED', export: 'COMPLETED' })
  expect(
    observed()
      .flatMap(each => each.steps)
      .filter(({ name }) => name === 'import').length,
  ).toBeLessThan(4)
})

it('full speed within a group loses nothing', async () => {
  await run('echo "::group::many"; seq 1 60000', '--quiet')
  const entries = server.entries.get('t')!
  expect(entries).toHaveLength(60_001)
  expect(
    entries.findIndex(
      ({ message, step, lineNumber }, index) =>
        step !== 'many' || lineNumber !== index + 1 || (index > 0 && message !== String(index)),
    ),
  ).toBe(-1)
})

it('what could not be told during an outage is told after it, once', async () => {
  let away = true
  server.answer = ({ path }) => (away && path.endsWith('/observations') ? 503 : undefined)
  const { process: agent, ended } = keruta.start([
    'execute',
    '--task-id',
    't',
    '--',
    'sh',
    '-c',
    'echo "::group::A"; echo "::metric a=1"; read x',
  ])
  await vi.waitFor(() => expect(observed().length).toBeGreaterThan(0), 10_000)
  away = false
  server.calls.length = 0
  agent.stdin!.end('\n')
  await ended
  expect(steps()).toEqual({ A: 'COMPLETED' })
  expect(observed().flatMap(({ metrics }) => metrics)).toHaveLength(1)
})

it('what could not be told at all is told by the next agent, before the end', async () => {
  const { port } = server
  await server.stop()
  await run('echo "::metric a=1"', '--drain-timeout', '200ms')
  server = await FakeServer.start(port)
  server.task = { agentId: 'someone' }
  server.answer = call => {
    if (call.path.endsWith('/start')) server.task = { agentId: call.body.agentId }
    return undefined
  }
  await keruta.run(['log', 'INFO', 'hello', '--task-id', 'other'])
  const verbs = server.calls.map(({ path }) => path.split('/').at(-1))
  expect(verbs.filter(verb => ['start', 'observations', 'success'].includes(verb!))).toEqual([
    'start',
    'observations',
    'success',
  ])
})

it('the end says what the processes used', async () => {
  await run(
    `node -e 'const a = Buffer.alloc(60e6, 1); while (process.cpuUsage().user < 300e3) a[0]++'; echo done`,
  )
  const { resources } = server.calls.find(({ path }) => path.endsWith('/success'))!.body as {
    resources: { maxRssBytes: number; cpuUserMs: number; cpuSystemMs: number }
  }
  if (process.platform !== 'linux')
    expect(resources).toEqual({ maxRssBytes: null, cpuUserMs: null, cpuSystemMs: null })
  else {
    expect(resources.maxRssBytes).toBeGreaterThan(90e6)
    expect(resources.maxRssBytes).toBeLessThan(400e6)
    expect(resources.cpuUserMs).toBeGreaterThan(150)
    expect(resources.cpuSystemMs).toBeGreaterThanOrEqual(0)
  }
})
