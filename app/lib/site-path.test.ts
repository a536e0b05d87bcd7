import { expect, it } from 'vitest'
import { loginUrl, safeNext } from './site-path.ts'

it('comes back to a page of this site with its query and fragment', () => {
  expect(safeNext('/tasks/t1?level=ERROR#L5')).toBe('/tasks/t1?level=ERROR#L5')
})

it.each([
  null,
  '',
  'https://evil.test/',
  '//evil.test',
  '/\\evil.test',
  'javascript:alert(1)',
  '/login?next=/login',
])('goes to the tasks instead of %s', next => {
  expect(safeNext(next)).toBe('/tasks')
})

it('keeps the place in the address of the login page', () => {
  expect(loginUrl('/tasks/a?b=c')).toBe('/login?next=%2Ftasks%2Fa%3Fb%3Dc')
  expect(loginUrl('/tasks')).toBe('/login')
})
