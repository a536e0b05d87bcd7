import { describe, expect, test } from 'vitest'
import type { Role } from '#protocol/auth.ts'
import { type Action, allows, demand, type Principal, visibleSessions } from './principal.ts'

const someone: Principal = {
  id: 'k1',
  name: 'ci',
  role: 'viewer',
  sessionIds: null,
  taskId: null,
  keyId: 'k1',
  via: 'header',
  expiresAt: null,
}
const ACTIONS: Action[] = ['read', 'write', 'operate', 'delete', 'keys']
const inSession = (sessionId: string | null) => ({ taskId: 't1', sessionId })

describe('rights', () => {
  test.each<[Role, Action[]]>([
    ['viewer', ['read']],
    ['agent', ['read', 'write']],
    ['operator', ['read', 'write', 'operate']],
    ['admin', ACTIONS],
  ])('the role %s may do %j', (role, rights) => {
    const principal = { ...someone, role }
    expect(ACTIONS.filter(action => allows(principal, action, inSession(null)))).toEqual(rights)
  })

  test('a key for some sessions reaches the tasks of those alone', () => {
    const principal: Principal = { ...someone, role: 'admin', sessionIds: ['s1'] }
    expect(allows(principal, 'delete', inSession('s1'))).toBe(true)
    expect(allows(principal, 'read', inSession('s2'))).toBe(false)
    expect(allows(principal, 'read', inSession(null))).toBe(false)
    expect(visibleSessions(principal)).toEqual(['s1'])
  })

  test('a limited admin cannot make keys, which could be without its limit', () => {
    expect(allows({ ...someone, role: 'admin', sessionIds: ['s1'] }, 'keys')).toBe(false)
    expect(allows({ ...someone, role: 'admin', sessionIds: [] }, 'keys')).toBe(false)
  })

  test("a task's token reaches that task alone, and no list", () => {
    const principal: Principal = { ...someone, role: 'agent', taskId: 't1' }
    expect(allows(principal, 'write', inSession('s1'))).toBe(true)
    expect(allows(principal, 'write', { taskId: 't2', sessionId: 's1' })).toBe(false)
    expect(allows(principal, 'read', { sessionId: 's1' })).toBe(false)
    expect(visibleSessions(principal)).toEqual([])
  })

  test('a refusal names the role that is needed, or the limit that was met', () => {
    expect(() => demand(someone, 'operate')).toThrow('this needs the role operator; ci has the role viewer')
    expect(() => demand({ ...someone, sessionIds: ['s1'] }, 'read', inSession('s2'))).toThrow(
      'ci is limited to the sessions s1',
    )
  })
})
