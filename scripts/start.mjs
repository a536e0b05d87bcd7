// npm start: the server in production mode, after setting up what is missing.
import { main, projectNode, serverArguments } from './lib/project.mjs'
import { runInForeground } from './lib/run.mjs'
import { setUp } from './setup.mjs'

await main(async () => {
  await setUp({ build: true })
  return runInForeground(projectNode(), [...serverArguments(), ...process.argv.slice(2)], {
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
  })
})
