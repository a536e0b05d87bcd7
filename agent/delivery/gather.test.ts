import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { Gather } from './gather.ts'

it('hands on once, as soon as a turn has brought no more', async () => {
  const handOn = vi.fn()
  const gather = new Gather(handOn)
  gather.add(1)
  gather.add(1)
  await turn()
  gather.add(1)
  expect(handOn).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(handOn).toHaveBeenCalledOnce())
  await turn()
  await turn()
  expect(handOn).toHaveBeenCalledOnce()
})

it('hands on within the call that makes it much, and then begins anew', async () => {
  const handOn = vi.fn()
  const gather = new Gather(handOn)
  for (let index = 0; index < 4; index++) gather.add(64 * 1024)
  expect(handOn).toHaveBeenCalledOnce()
  gather.add(1)
  await vi.waitFor(() => expect(handOn).toHaveBeenCalledTimes(2))
})

it('does not wait for the end of what comes without end', async () => {
  const handOn = vi.fn()
  const gather = new Gather(handOn)
  const until = performance.now() + 10_000
  while (handOn.mock.calls.length < 3 && performance.now() < until) {
    gather.add(1)
    await turn()
  }
  expect(handOn).toHaveBeenCalledTimes(3)
})
