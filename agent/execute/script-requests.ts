import { formsOf, MIN_SECRET_BYTES } from '../mask/forms.ts'
import type { Secrets } from '../mask/secrets.ts'
import type { RunAnswer, RunRequest } from '../run-socket.ts'
import type { Observer } from './observer.ts'
import { RunListener } from './run-listener.ts'

/**
 * Answers the commands that a run's script calls.
 * @returns where; nothing where no socket can be made here
 */
export function listenToScript(secrets: Secrets, observer: Observer): Promise<RunListener | undefined> {
  return RunListener.open(request => answer(request, secrets, observer))
}

function answer(request: RunRequest, secrets: Secrets, observer: Observer): RunAnswer {
  switch (request.ask) {
    case 'redact':
      // The script's command says it, and once is enough.
      if (formsOf(request.value.trim()).length === 0)
        return { error: `the value is not masked: it has fewer than ${MIN_SECRET_BYTES} bytes` }
      return secrets.add(request.value, 'the value')
        ? {}
        : { error: 'the value is not masked: it has very many bytes, or too many are masked already' }
    case 'secrets':
      return { values: secrets.values }
    case 'step':
      observer.stepNamed(request.name, Date.now())
      return {}
    default:
      return { error: 'the agent that runs this script does not know this; is it of an older version?' }
  }
}
