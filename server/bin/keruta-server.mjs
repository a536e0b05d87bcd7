#!/usr/bin/env node
// The server in production mode; `keruta-server store …` is for what it stores.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { main, projectNode, refuseNodeModules, root, serverArguments } from '../../scripts/lib/project.mjs'
import { runInForeground } from '../../scripts/lib/run.mjs'
import { setUp } from '../../scripts/setup.mjs'

const HELP = `Usage: keruta-server           starts the server; its settings are variables of the environment, see README.md
       keruta-server store …   copies, checks, saves and restores what it stores; --help says more
       keruta-server --version
`

const [command, ...rest] = process.argv.slice(2)

await main(async () => {
  if (command === '--version' || command === '-V') {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    process.stdout.write(`${version}\n`)
    return 0
  }
  refuseNodeModules()
  if (command === 'store') return run([join(root, 'server/store-tools/main.ts'), ...rest])
  if (command === undefined) {
    await setUp({ build: true })
    const [file, ...flags] = serverArguments().reverse()
    return run([...flags.reverse(), join(root, file)])
  }
  const asked = ['--help', '-h', 'help'].includes(command)
  process[asked ? 'stdout' : 'stderr'].write(
    asked ? HELP : `keruta-server: unknown command "${command}"\n${HELP}`,
  )
  return asked ? 0 : 2
})

/** Here, where relative paths are meant. */
function run(args) {
  const env = { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }
  return runInForeground(projectNode(), args, env, process.cwd())
}
