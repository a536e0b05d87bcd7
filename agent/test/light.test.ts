import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const agent = join(import.meta.dirname, '..')

// Every agent process would pay for them: 15 MB for schemas, 20 MB for a second HTTP client.
const PROGRAM = `
const { registerHooks } = process.getBuiltinModule('node:module')
const heavy = new Set()
registerHooks({ resolve(specifier, context, next) {
  if (specifier === 'zod') heavy.add(context.parentURL)
  return next(specifier, context)
} })
for (const file of process.argv.slice(1)) {
  await import(file)
  if (process.moduleLoadList.some(name => name.includes('undici'))) { heavy.add(file + ' loads undici'); break }
}
console.log(JSON.stringify([...heavy]))
process.exit()`

it('no part of the agent loads schemas or a second HTTP client', () => {
  const files = readdirSync(agent, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !/^test\/|\.test\.ts$|^main\.ts$/.test(name))
    .map(name => join(agent, name))
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, ...files], {
    encoding: 'utf8',
  })
  expect([stdout.trim(), stderr]).toEqual(['[]', ''])
})
