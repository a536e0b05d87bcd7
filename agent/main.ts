import { runCli } from './cli.ts'
import { describeFailure } from './exit.ts'

/** The one place that ends the process. */
let exitCode: number
try {
  exitCode = await runCli(process.argv.slice(2))
} catch (error) {
  const failure = describeFailure(error)
  process.stderr.write(`keruta: ${failure.message}\n`)
  exitCode = failure.exitCode
}
process.exit(exitCode)
