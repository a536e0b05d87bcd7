import { TestServer } from '#server/testing/test-server.ts'
import { manySecrets } from './masking.ts'
import type { Row } from './rows.ts'
import { agentEnvironment, cli } from './support/agent.ts'
import { residentMb } from './support/memory.ts'
import { timeOf } from './support/process.ts'
import { median, repeat } from './support/samples.ts'

const LINES = 5_000_000
const PRINT = `yes '2026-01-01T12:00:00.123Z INFO  build: compiling module 4711 of the application, target web' | head -n ${LINES}`

/** What the agent costs a script, and what one `keruta log` costs. */
export async function agent(): Promise<Row[]> {
  const server = await TestServer.start()
  const secrets = manySecrets(10).map((value, index) => [`SECRET_${index}`, value])
  const env = { ...agentEnvironment(server), ...Object.fromEntries(secrets) }
  let mostMb = 0
  let run = 0
  try {
    const execute = async () => {
      let timer: NodeJS.Timeout | undefined
      const seconds = await timeOf(
        process.execPath,
        [cli, 'execute', '--task-id', `agent-${++run}`, '--', 'sh', '-c', PRINT],
        {
          env,
          cwd: server.home,
          onStart: pid => {
            timer = setInterval(() => {
              mostMb = Math.max(mostMb, peakOf(pid))
            }, 50)
          },
        },
      )
      clearInterval(timer)
      return LINES / seconds
    }
    const throughCat = async () => LINES / (await timeOf('sh', ['-c', `${PRINT} | cat`]))
    const executed = median(await repeat(0, 3, execute))
    const cat = median(await repeat(1, 3, throughCat))
    const log = () =>
      timeOf(process.execPath, [cli, 'log', '--task-id', 'agent-log', 'INFO', 'hello'], {
        env,
        cwd: server.home,
      })
    const bareStart = () => timeOf(process.execPath, ['-e', '0'])
    const bare = median(await repeat(2, 15, bareStart)) * 1000
    const beyond = median(await repeat(2, 15, log)) * 1000 - bare
    return [
      {
        what: `keruta execute -- sh -c 'yes … | head -n ${LINES}'`,
        measured: executed,
        unit: 'lines/s',
        bare: cat,
        bareWhat: '| cat',
        goal: '≥ 0.3 ×',
        ok: executed >= 0.3 * cat,
        note: 'from start to end, every line stored when it ends; 10 secrets are looked for',
      },
      {
        what: 'the same: most memory of the agent',
        measured: mostMb,
        unit: 'MB',
        goal: '≤ 120 MB',
        ok: mostMb <= 120,
      },
      {
        what: 'keruta log, start to end, beyond node -e 0',
        measured: beyond,
        unit: 'ms',
        goal: '≤ 150 ms',
        ok: beyond <= 150,
        note: `node -e 0 takes ${bare.toFixed(0)} ms`,
      },
    ]
  } finally {
    await server.dispose()
  }
}

function peakOf(pid: number): number {
  try {
    return residentMb(pid, 'VmHWM')
  } catch {
    return 0 // it has ended
  }
}
