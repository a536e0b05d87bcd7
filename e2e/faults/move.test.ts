import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { runStore } from '#server/store-tools/test/run.ts'
import { mongoKinds } from '#server/testing/mongo-server.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { NumberedTask } from './agent.ts'
import { Balancer } from './balancer.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, logStateOf, storedLog } from './verify.ts'

const { kinds, missing } = await mongoKinds()
const title =
  'An agent in the middle of its task goes on where the store was copied to, and each line is there once'
if (missing !== undefined) it(title, ({ skip }) => skip(missing))

it.each(kinds)(`${title}, $name`, { timeout: 120_000 }, async kind => {
  const mongo = await kind.start()
  onTestFinished(() => mongo.dispose())
  const before = await TestServer.start()
  onTestFinished(() => before.dispose())
  const servers = [before]
  const balancer = await Balancer.start(servers)
  onTestFinished(() => balancer.stop())
  const task = await NumberedTask.start({ server: before, url: balancer.url }, 'moving')
  onTestFinished(() => task.dispose())
  const DATABASE_URL = mongo.url('moved')
  const copy = () => runStore(['copy', join(before.home, 'data'), DATABASE_URL])

  task.print(3000)
  await until('lines are stored', async () => (await storedLog(before, 'moving')).length >= 3000)
  const first = copy()
  task.print(6000)
  expect(await first).toMatchObject({ code: 0, stderr: '' })
  await before.stop()
  task.print(9000)
  expect(await copy()).toMatchObject({ code: 0, stderr: '' })
  const after = await TestServer.start({ DATABASE_URL })
  onTestFinished(() => after.dispose())
  servers[0] = after
  task.print(12_000)
  await task.exit()
  demandEveryLineOnce(await storedLog(after, 'moving'), 12_000, entry => entry.source === 'stdout')
  expect(await logStateOf(after, 'moving')).toBe('complete')
  expect(await after.api('/tasks/moving').then(answer => answer.json())).toMatchObject({
    status: 'COMPLETED',
  })
})
