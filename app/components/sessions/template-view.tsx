import type { Session } from '#protocol/session.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { Copy } from '../states.tsx'
import classes from './queue.module.css'

/** As the agent masks them in the log. */
const SECRET = /TOKEN|SECRET|PASSWORD|API_KEY/i

/** What every task of a session starts from. */
export function TemplateView({ template }: { template: NonNullable<Session['template']> }) {
  const text = useMessages()
  const words = text.sessions
  const { repository, env, setupScript, autoFixCommand } = template
  const variables = Object.entries(env ?? {})
  return (
    <details className={classes.template}>
      <summary>
        {words.template}
        {repository && <span className="mono"> {repository.url}</span>}
      </summary>
      <dl className={classes.parts}>
        {repository && (
          <>
            <dt>{words.repository}</dt>
            <dd className="mono">{repository.url}</dd>
            <dt>{words.ref}</dt>
            <dd className="mono">{repository.ref ?? words.defaultRef}</dd>
          </>
        )}
        {variables.length > 0 && (
          <>
            <dt>{text.newTask.env}</dt>
            <dd className="mono">
              {variables.map(([name, value]) => (
                <div key={name}>
                  {name}={SECRET.test(name) ? '•••' : value}
                </div>
              ))}
            </dd>
          </>
        )}
        {setupScript && <Script label={words.setupScript} script={setupScript} />}
        {autoFixCommand && <Script label={words.autoFixCommand} script={autoFixCommand} />}
      </dl>
    </details>
  )
}

function Script({ label, script }: { label: string; script: string }) {
  return (
    <>
      <dt>
        {label} <Copy value={script} />
      </dt>
      <dd>
        <pre className="mono">{script}</pre>
      </dd>
    </>
  )
}
