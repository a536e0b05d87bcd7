import './start.ts'
import { runCli } from './cli.ts'
import { endProcess } from './end-process.ts'
import { describeFailure } from './exit.ts'

/** The one place that ends the process. No `await` at the top: an executable cannot have one. */
runCli(process.argv.slice(2))
  .catch((error: unknown) => {
    const failure = describeFailure(error)
    process.stderr.write(`keruta: ${failure.message}\n`)
    return failure.exitCode
  })
  .then(endProcess)
