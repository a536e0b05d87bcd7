'use client'

import { Button, VisuallyHidden } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import type { TaskView } from '#protocol/task.ts'
import { markPattern } from '../../lib/line-pieces.ts'
import {
  isFiltered,
  type LogAddress,
  NO_FILTER,
  readAddress,
  withoutBadPattern,
  writeAddress,
} from '../../lib/log-url.ts'
import { useConnection } from '../../lib/socket.ts'
import { useAddress } from '../../lib/use-address.ts'
import { useKeys } from '../../lib/use-keys.ts'
import type { Messages } from '../../messages/en.ts'
import { useMessages } from '../../messages/use-messages.ts'
import { ErrorState, LoadingRows } from '../states.tsx'
import { Histogram } from './histogram.tsx'
import { lineOfHash } from './line-hash.ts'
import { LogList } from './log-list.tsx'
import { LogNotices } from './log-notices.tsx'
import classes from './log-panel.module.css'
import { LogToolbar } from './log-toolbar.tsx'
import { MarkedBar } from './marked-bar.tsx'
import { ShortcutsHelp } from './shortcuts-help.tsx'
import { useFind } from './use-find.ts'
import { useLogFeed } from './use-log-feed.ts'
import { TIMES, useLogSettings } from './use-log-settings.ts'
import { useLogStats } from './use-log-stats.ts'
import { useLogView } from './use-log-view.ts'
import { useSteps } from './use-steps.ts'

/** A task's log, live: the centre of the console. `task` is undefined while nobody knows it. */
export function LogPanel({ taskId, task }: { taskId: string; task: TaskView | undefined }) {
  const text = useMessages().log
  const [params, changeParams] = useAddress()
  const query = params.toString()
  const written = useMemo(() => readAddress(new URLSearchParams(query)), [query])
  const address = useMemo(() => withoutBadPattern(written), [written])
  const [settings, set] = useLogSettings()
  const place = useRef(lineOfHash(location.hash)?.from)
  const [feed, state] = useLogFeed(taskId, address, place)
  const growing = task?.status === 'PROCESSING' || task?.logState.state === 'arriving'
  const lastSeq = Math.max(task?.logs.lastSeq ?? 0, state.window.to)
  const stats = useLogStats(taskId, address, { lastSeq, firstSeq: state.firstSeq, growing })
  const find = useFind(taskId, address, growing)
  const view = useLogView({ taskId, feed, state, lastSeq, address, find, place })
  const { actions, keepPlace } = view
  const change = useCallback(
    (part: Partial<LogAddress>) => {
      keepPlace()
      changeParams(now => writeAddress({ ...readAddress(now), ...part }, now))
    },
    [changeParams, keepPlace],
  )
  const zoom = useCallback((from: string, to: string) => change({ from, to }), [change])
  const steps = useSteps(state.window)
  const field = useRef<HTMLInputElement>(null)
  const [controlsOpened, controls] = useDisclosure()
  const [helpOpened, help] = useDisclosure()
  const [going, setGoing] = useState(false)

  const filtered = isFiltered(address)
  const byLevel = !isFiltered({ ...address, level: [] }) && task ? task.logs.byLevel : stats.data?.byLevel
  const shownTotal = byLevel && sumOf(byLevel, address.level)
  const { regex, caseSensitive, find: findText, search } = address
  const pattern = useMemo(
    () => markPattern(findText || search, regex, caseSensitive),
    [findText, search, regex, caseSensitive],
  )
  const startMs = Date.parse(task?.startedAt ?? stats.data?.firstTimestamp ?? task?.createdAt ?? '') || 0

  const connection = useConnection()
  useEffect(() => {
    if (connection === 'online' && feed.snapshot().phase === 'failed') feed.retry()
  }, [connection, feed])

  const toSearch = () => {
    // A field that is folded away cannot take the focus.
    flushSync(controls.open)
    field.current?.select()
  }
  useKeys({
    '/': toSearch,
    // The browser's own search sees only the rows that are drawn; from within the field it opens as ever.
    'Mod+f': toSearch,
    ...(view.marked && { escape: actions.unmark }),
    ':': () => setGoing(true),
    n: () => actions.step('next'),
    'Shift+n': () => actions.step('previous'),
    f3: () => actions.step('next'),
    'Shift+f3': () => actions.step('previous'),
    f: actions.toggleFollow,
    ' ': actions.togglePause,
    c: actions.toggleCleared,
    g: actions.toStart,
    home: actions.toStart,
    'Shift+g': actions.toEnd,
    end: actions.toEnd,
    e: () => (view.marked ? actions.toNextError() : actions.toFirstError()),
    t: () => set({ times: TIMES[(TIMES.indexOf(settings.times) + 1) % TIMES.length] ?? 'clock' }),
    l: () => set({ numbers: !settings.numbers }),
    w: () => set({ wrap: !settings.wrap }),
    h: () => set({ histogram: !settings.histogram }),
    z: actions.toggleFolds,
    '?': help.open,
  })

  return (
    <section className={classes.panel} aria-label={text.label}>
      <LogToolbar
        taskId={taskId}
        address={address}
        written={written}
        change={change}
        settings={settings}
        set={set}
        actions={actions}
        found={find.found}
        byLevel={byLevel}
        filtered={address.search ? (stats.isPlaceholderData ? undefined : shownTotal) : undefined}
        following={view.following}
        paused={state.paused}
        steps={steps}
        field={field}
        opened={controlsOpened}
        toggleOpened={controls.toggle}
        help={help.open}
        going={going}
        setGoing={setGoing}
      />
      {settings.histogram && lastSeq > 0 && (
        <Histogram
          histogram={stats.data?.histogram}
          levels={address.level}
          zoomed={address.from !== '' || address.to !== ''}
          onRange={zoom}
        />
      )}
      <LogNotices
        state={state}
        cleared={view.clearedTo > 0}
        showAll={actions.toggleCleared}
        retry={() => feed.retry()}
      />
      <div className={classes.body}>
        {state.phase === 'failed' ? (
          <ErrorState title={text.failed} error={state.error} onRetry={() => feed.retry()} />
        ) : state.phase === 'loading' ? (
          <div className={classes.late}>
            <LoadingRows rows={12} height={12} />
          </div>
        ) : view.rows.length > 0 ? (
          <LogList
            feed={feed}
            state={state}
            rows={view.rows}
            folds={view.folds}
            settings={settings}
            startMs={startMs}
            pattern={pattern}
            marked={view.marked}
            currentSeq={find.found.current?.seq}
            following={view.following}
            cut={view.clearedTo > 0}
            onScrolledUp={view.onScrolledUp}
            onReachedEnd={view.onReachedEnd}
            onMark={view.onMark}
            onShowAround={filtered ? actions.showAround : undefined}
            handle={view.handle}
          />
        ) : (
          <Nothing
            why={
              view.clearedTo > 0
                ? 'cleared'
                : filtered
                  ? 'filtered'
                  : state.window.to > 0
                    ? 'deleted'
                    : growing || !task
                      ? 'waiting'
                      : 'none'
            }
            clear={() => change(NO_FILTER)}
          />
        )}
        {state.phase === 'ready' && view.rows.length > 0 && (
          <div className={classes.floating}>
            {view.marked && (
              <MarkedBar taskId={taskId} query={address} marked={view.marked} unmark={actions.unmark} />
            )}
            {!view.following && (
              <Button size="compact-sm" onClick={actions.toEnd} data-testid="to-end">
                {state.paused ? text.paused(state.unseen) : text.newLines(state.unseen)}
              </Button>
            )}
          </div>
        )}
      </div>
      <VisuallyHidden role="status">{view.following ? text.following : text.notFollowing}</VisuallyHidden>
      <ShortcutsHelp opened={helpOpened} onClose={help.close} />
    </section>
  )
}

type WhyNothing = keyof Messages['log']['nothing']

function Nothing({ why, clear }: { why: WhyNothing; clear(): void }) {
  const text = useMessages().log
  return (
    <div className={classes.nothing} data-testid="log-empty">
      {text.nothing[why]}
      {why === 'filtered' && (
        <Button size="compact-xs" variant="default" onClick={clear}>
          {text.clearFilter}
        </Button>
      )}
    </div>
  )
}

function sumOf(byLevel: TaskView['logs']['byLevel'], levels: LogAddress['level']): number {
  return Object.entries(byLevel)
    .filter(([level]) => levels.length === 0 || levels.some(one => one === level))
    .reduce((sum, [, lines]) => sum + lines, 0)
}
