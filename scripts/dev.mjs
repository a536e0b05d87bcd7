// npm run dev: the server restarts when server/ or protocol/ change, pages reload by themselves.
import { main, projectNode, serverArguments } from './lib/project.mjs'
import { runInForeground } from './lib/run.mjs'
import { setUp } from './setup.mjs'

await main(async () => {
  await setUp({ build: false })
  // Without paths, --watch would restart on everything that Next writes.
  const watch = ['--watch-path=server', '--watch-path=protocol', '--watch-preserve-output']
  return runInForeground(projectNode(), [...watch, ...serverArguments(), ...process.argv.slice(2)], {
    NODE_ENV: 'development',
    NEXT_TELEMETRY_DISABLED: '1',
  })
})
