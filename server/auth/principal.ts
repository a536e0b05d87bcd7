import type { Role } from '#protocol/auth.ts'
import { KerutaError } from '#protocol/errors.ts'

/** Who is asking, and how far that reaches. */
export interface Principal {
  id: string
  /** For status histories and logs: the key's name, the JWT's subject. */
  name: string
  role: Role
  /** Only tasks of these sessions; null: all. */
  sessionIds: string[] | null
  /** Only this task; null: no such limit. */
  taskId: string | null
  /** The API key behind it, whose revocation ends it; null for JWTs and with `KERUTA_AUTH=off`. */
  keyId: string | null
  via: 'header' | 'query' | 'cookie' | 'off'
  /** Milliseconds since the epoch; open connections end then too. */
  expiresAt: number | null
}

/**
 * `read`; `write`: what an agent does to a task (lines, start, progress, success, fail, claim); `operate`: create, patch, cancel,
 * retry; `delete`; `keys`: list, create and revoke API keys.
 */
export type Action = 'read' | 'write' | 'operate' | 'delete' | 'keys'

/** What the action is done to. Leave it out only for lists that are then narrowed by `visibleSessions`. */
export interface Scope {
  taskId?: string
  sessionId?: string | null
}

const RIGHTS: Record<Role, readonly Action[]> = {
  viewer: ['read'],
  agent: ['read', 'write'],
  operator: ['read', 'write', 'operate'],
  admin: ['read', 'write', 'operate', 'delete', 'keys'],
}

const LEAST_ROLE: Record<Action, Role> = {
  read: 'viewer',
  write: 'agent',
  operate: 'operator',
  delete: 'admin',
  keys: 'admin',
}

export function allows(principal: Principal, action: Action, scope?: Scope): boolean {
  return RIGHTS[principal.role].includes(action) && reaches(principal, action, scope)
}

/** Throws FORBIDDEN, saying which role or whose key is needed, where `allows` is false. */
export function demand(principal: Principal, action: Action, scope?: Scope): void {
  if (!RIGHTS[principal.role].includes(action)) {
    throw new KerutaError(
      'FORBIDDEN',
      `this needs the role ${LEAST_ROLE[action]}; ${principal.name} has the role ${principal.role}`,
    )
  }
  if (!reaches(principal, action, scope)) {
    throw new KerutaError(
      'FORBIDDEN',
      `${principal.name} is limited to ${reachOf(principal)}, and this is outside it`,
    )
  }
}

/** The sessions whose tasks a list may show; null for all. A task-scoped token sees no list. */
export function visibleSessions(principal: Principal): string[] | null {
  return principal.taskId === null ? principal.sessionIds : []
}

function reaches({ taskId, sessionIds }: Principal, action: Action, scope: Scope | undefined): boolean {
  // Whoever is limited could lift the limit by making a key without one.
  if (action === 'keys') return taskId === null && sessionIds === null
  if (scope === undefined) return true
  if (taskId !== null) return scope.taskId === taskId
  return sessionIds === null || (typeof scope.sessionId === 'string' && sessionIds.includes(scope.sessionId))
}

function reachOf({ taskId, sessionIds }: Principal): string {
  return taskId === null ? `the sessions ${sessionIds?.join(', ') || '(none)'}` : `the task ${taskId}`
}
