import { afterEach, beforeEach, expect, it } from 'vitest'
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

it.each(['keruta', 'keruta-agent'])('a script finds %s, and it is the one that runs it', async name => {
  const { stdout } = await keruta.run(['version'])
  const { code } = await keruta.run(['execute', '--task-id', 't', '--quiet', '--', name, 'version'])
  expect([code, server.messages('t')]).toEqual([0, [String(stdout).trim()]])
})
