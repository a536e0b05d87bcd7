import { Button } from '@mantine/core'
import type { FeedState } from '../../lib/feed-state.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './log-panel.module.css'

interface LogNoticesProps {
  state: FeedState
  cleared: boolean
  showAll(): void
  retry(): void
}

/** What the reader should know about the lines below: hidden ones, and what failed. */
export function LogNotices({ state, cleared, showAll, retry }: LogNoticesProps) {
  const text = useMessages()
  return (
    <>
      {cleared && (
        <div className={classes.notice}>
          {text.log.cleared}
          <Button size="compact-xs" variant="default" onClick={showAll}>
            {text.log.showAll}
          </Button>
        </div>
      )}
      {state.error && state.phase === 'ready' && (
        <div className={classes.notice} role="alert">
          {text.log.stopped(state.error)}
          <Button size="compact-xs" variant="default" onClick={retry}>
            {text.common.retry}
          </Button>
        </div>
      )}
      {state.loading && (
        <div className={classes.loading} aria-hidden>
          {state.loading === 'older' ? text.log.loadingOlder : text.log.loadingNewer}
        </div>
      )}
    </>
  )
}
