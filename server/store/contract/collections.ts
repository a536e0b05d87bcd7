import { describe, expect, it } from 'vitest'
import type { Task } from '#protocol/task.ts'
import type { Find, Store, Where } from '../store.ts'
import { sampleSession, sampleTask } from './samples.ts'

/** Entities go in and come out, and are found. */
export function collectionContract(store: () => Store, reopen: () => Promise<Store>): void {
  describe('a collection', () => {
    const fill = (...tasks: Parameters<typeof sampleTask>[]) =>
      Promise.all(tasks.map(task => store().tasks.insert(sampleTask(...task))))
    const idsOf = (tasks: { id: string }[]) => tasks.map(({ id }) => id)

    it('gives an entity back as it was put in, objects, lists and odd text included', async () => {
      const task = sampleTask('t1', {
        name: 'a "quoted" % _ \\ 名前 😀',
        script: 'x'.repeat(500_000),
        env: { A: '1', B: '' },
        priority: -5,
        progress: 33.25,
        durationMs: 12.5,
        exitCode: 0,
        timeoutSeconds: 0.5,
        resources: { maxRssBytes: 2 ** 40, cpuUserMs: null },
        statusHistory: [{ status: 'PENDING', at: '2024-01-01T12:00:00.000Z', by: 'me', message: null }],
      })
      const session = sampleSession('s1', {
        tags: ['a', 'b'],
        template: { repository: { url: 'u', ref: null } },
      })
      expect(await store().tasks.insert(task)).toBe(true)
      expect(await store().sessions.insert(session)).toBe(true)
      expect(await store().tasks.get('t1')).toEqual(task)
      expect(await store().sessions.get('s1')).toEqual(session)
      expect(await store().tasks.find()).toEqual([task])
    })

    it('has nothing under an unknown id', async () => {
      expect(await store().tasks.get('nobody')).toBeUndefined()
      expect(await store().tasks.find({ where: { id: 'nobody' } })).toEqual([])
    })

    it('finds without the fields that are not wanted', async () => {
      await fill(['t1', { script: 'make', priority: 1 }], ['t2', { script: null, env: { A: '1' } }])
      const found = await store().tasks.findWithout(['script', 'env', 'steps'], {
        where: { id: { in: ['t1', 't2'] } },
        orderBy: [['priority', 'desc']],
        limit: 1,
      })
      const { script: _, env: __, steps: ___, ...rest } = sampleTask('t1', { script: 'make', priority: 1 })
      expect(found).toEqual([rest])
      expect(await store().tasks.countBy('id', { script: { not: null } })).toEqual({ t1: 1 })
    })

    it('refuses a taken id and keeps what was there', async () => {
      await fill(['t1', { name: 'first' }])
      expect(await store().tasks.insert(sampleTask('t1', { name: 'second' }))).toBe(false)
      expect((await store().tasks.get('t1'))?.name).toBe('first')
    })

    it('keeps the entities over a restart', async () => {
      await fill(['t1'])
      await reopen()
      expect(await store().tasks.get('t1')).toEqual(sampleTask('t1'))
    })

    it('finds by every condition of the filter language, joined by AND', async () => {
      await fill(
        ['a', { status: 'FAILED', priority: 1, sessionId: 's1', name: 'Build 100% done' }],
        ['b', { status: 'FAILED', priority: 2, sessionId: null, name: 'build 100 things' }],
        ['c', { status: 'PENDING', priority: 3, sessionId: 's2', name: 'deploy_all' }],
        ['d', { status: 'COMPLETED', priority: 4, sessionId: 's1', name: 'deployXall' }],
      )
      const find = async (where: Where<Task>) => {
        const ids = idsOf(await store().tasks.find({ where }))
        expect(await store().tasks.count(where)).toBe(ids.length)
        return ids.join('')
      }
      expect(await find({})).toBe('abcd')
      expect(await find({ status: 'FAILED' })).toBe('ab')
      expect(await find({ status: undefined, priority: 2 })).toBe('b')
      expect(await find({ status: { in: ['FAILED', 'PENDING'] } })).toBe('abc')
      expect(await find({ status: { in: [] } })).toBe('')
      expect(await find({ sessionId: null })).toBe('b')
      expect(await find({ sessionId: { in: ['s2', null] } })).toBe('bc')
      expect(await find({ sessionId: { not: null } })).toBe('acd')
      expect(await find({ status: { not: 'FAILED' } })).toBe('cd')
      expect(await find({ sessionId: { not: 's1' } })).toBe('bc')
      expect(await find({ priority: { gt: 1, lte: 3 } })).toBe('bc')
      expect(await find({ priority: { gte: 2, lt: 4 } })).toBe('bc')
      expect(await find({ createdAt: { gte: '2024-01-01T12:00:00.000Z' } })).toBe('abcd')
      expect(await find({ createdAt: { lt: '2024-01-01T12:00:00.000Z' } })).toBe('')
      expect(await find({ status: 'FAILED', sessionId: 's1' })).toBe('a')
    })

    it('finds a text within a field in any case, and takes every sign of it literally', async () => {
      await fill(
        ['a', { name: 'Build 100% done' }],
        ['b', { name: 'build 100 things' }],
        ['c', { name: 'deploy_all' }],
        ['d', { name: 'deployXall' }],
        ['e', { name: 'a\\b [x] .* ü' }],
      )
      const find = async (contains: string) => {
        const where = { name: { contains } }
        const ids = idsOf(await store().tasks.find({ where }))
        expect(await store().tasks.count(where)).toBe(ids.length)
        return ids.join('')
      }
      expect(await find('BUILD')).toBe('ab')
      expect(await find('100%')).toBe('a')
      expect(await find('y_a')).toBe('c')
      expect(await find('a\\b')).toBe('e')
      expect(await find('[x] .*')).toBe('e')
      expect(await find('ü')).toBe('e')
      expect(await find('nowhere')).toBe('')
    })

    it('takes what is searched for literally in a change, too', async () => {
      await fill(['a', { name: 'x_y' }], ['b', { name: 'xzy' }])
      expect(await store().tasks.update({ name: { contains: '_' } }, { message: 'm' })).toBe(1)
      expect(await store().tasks.remove({ name: { contains: '_' } })).toBe(1)
      expect(idsOf(await store().tasks.find())).toEqual(['b'])
    })

    it('sorts by several fields, numbers as numbers, nothing first, and breaks ties by id', async () => {
      await fill(
        ['d', { priority: 10, startedAt: '2024-01-02' }],
        ['b', { priority: 9, startedAt: null }],
        ['c', { priority: 10, startedAt: '2024-01-01' }],
        ['a', { priority: 9, startedAt: null }],
      )
      const find = async (orderBy?: Find<Task>['orderBy']) =>
        idsOf(await store().tasks.find({ orderBy })).join('')
      expect(await find()).toBe('abcd')
      expect(await find([['priority', 'desc']])).toBe('cdab')
      expect(
        await find([
          ['priority', 'asc'],
          ['startedAt', 'desc'],
        ]),
      ).toBe('abdc')
      expect(await find([['startedAt', 'asc']])).toBe('abcd')
      expect(await find([['id', 'desc']])).toBe('dcba')
    })

    it('pages with offset and limit', async () => {
      await fill(...Array.from({ length: 7 }, (_, at): [string] => [`t${at}`]))
      const page = async (offset: number, limit: number) => idsOf(await store().tasks.find({ offset, limit }))
      expect(await page(0, 3)).toEqual(['t0', 't1', 't2'])
      expect(await page(6, 3)).toEqual(['t6'])
      expect(await page(9, 3)).toEqual([])
    })

    it('counts by the values of a field', async () => {
      await fill(['a'], ['b', { status: 'FAILED' }], ['c', { status: 'FAILED', sessionId: 's1' }])
      expect(await store().tasks.countBy('status')).toEqual({ PENDING: 1, FAILED: 2 })
      expect(await store().tasks.countBy('status', { sessionId: 's1' })).toEqual({ FAILED: 1 })
      expect(await store().tasks.countBy('status', { sessionId: 'none' })).toEqual({})
    })

    it('changes the given fields of what fits, and says how many', async () => {
      await fill(['a'], ['b', { status: 'FAILED' }], ['c'])
      expect(await store().tasks.update({ status: 'PENDING' }, { env: { X: '1' }, message: 'm' })).toBe(2)
      expect(await store().tasks.get('a')).toEqual(sampleTask('a', { env: { X: '1' }, message: 'm' }))
      expect(await store().tasks.get('b')).toEqual(sampleTask('b', { status: 'FAILED' }))
      expect(await store().tasks.update({ id: 'a' }, { env: null })).toBe(1)
      expect((await store().tasks.get('a'))?.env).toBeNull()
    })

    it('removes what fits, and says how many', async () => {
      await fill(['a'], ['b', { status: 'FAILED' }], ['c'])
      expect(await store().tasks.remove({ status: 'PENDING' })).toBe(2)
      expect(idsOf(await store().tasks.find())).toEqual(['b'])
      expect(await store().tasks.remove({ id: 'a' })).toBe(0)
    })
  })
}
