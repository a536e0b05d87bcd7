import { OpenAPIHono } from '@hono/zod-openapi'
import type { $ZodIssue } from 'zod/v4/core'
import { type InputError, KerutaError } from '#protocol/errors.ts'
import type { AuthEnv } from '#server/auth/middleware.ts'

const MAX_ERRORS = 20

/** A router whose schemas refuse bad input with BAD_REQUEST, naming each part that is wrong. */
export function createRouter(): OpenAPIHono<AuthEnv> {
  return new OpenAPIHono<AuthEnv>({
    defaultHook(result) {
      if (!result.success) throw badInput(PLACES[result.target] ?? result.target, result.error.issues)
    },
  })
}

const PLACES: Record<string, string> = { json: 'body', param: 'path', query: 'query' }

/** @param place what was read: `body`, `query`, `path` */
export function badInput(place: string, issues: readonly $ZodIssue[], prefix: string[] = []): KerutaError {
  const errors = issues.flatMap(issue => errorsOf(issue, prefix))
  const first = errors[0]!
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const where = first.path === '' ? place : `${place}: ${first.path}`
  return new KerutaError('BAD_REQUEST', `${where}: ${first.message}${more}`, {
    errors: errors.slice(0, MAX_ERRORS),
  })
}

function errorsOf(issue: $ZodIssue, prefix: string[]): InputError[] {
  const path = [...prefix, ...issue.path.map(String)]
  if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }]
  return issue.keys.map(key => ({ path: [...path, key].join('.'), message: unknownKey(issue.message, key) }))
}

/** A query schema answers with a message for all its unknown keys, one a line. */
function unknownKey(message: string, key: string): string {
  return (
    message.split('\n').find(line => line.includes(JSON.stringify(key))) ??
    `unknown field ${JSON.stringify(key)}`
  )
}
