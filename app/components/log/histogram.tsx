import { CloseButton } from '@mantine/core'
import { memo, type PointerEvent, useRef, useState } from 'react'
import { LEVELS, type Level } from '#protocol/levels.ts'
import type { LogStats } from '#protocol/log-answers.ts'
import { dateTime } from '../../lib/format.ts'
import { useMessages } from '../../messages/use-messages.ts'
import classes from './histogram.module.css'

interface HistogramProps {
  histogram: NonNullable<LogStats['histogram']> | undefined
  /** Levels to draw; none for all. */
  levels: readonly Level[]
  zoomed: boolean
  /** Times are ISO 8601; `to` is not included. Both empty: everything. */
  onRange(from: string, to: string): void
}

/** Lines over time by level. A click chooses one bar's time, a drag a range. */
export const Histogram = memo(function Histogram({ histogram, levels, zoomed, onRange }: HistogramProps) {
  const text = useMessages().log
  const area = useRef<SVGSVGElement>(null)
  const [drag, setDrag] = useState<{ from: number; to: number }>()
  const buckets = histogram?.buckets ?? []
  const step = histogram?.intervalMs ?? 1
  const start = Date.parse(buckets[0]?.at ?? '')
  const slots = buckets.length ? Math.round((Date.parse(buckets.at(-1)?.at ?? '') - start) / step) + 1 : 0
  const drawn = LEVELS.filter(level => levels.length === 0 || levels.includes(level)).toReversed()
  const highest = Math.max(
    1,
    ...buckets.map(bucket => drawn.reduce((sum, level) => sum + bucket.byLevel[level], 0)),
  )

  const slotAt = (event: PointerEvent) => {
    const box = area.current?.getBoundingClientRect()
    if (!box) return 0
    return Math.min(slots - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * slots)))
  }
  const onDown = (event: PointerEvent) => {
    if (!slots || event.button !== 0) return
    event.currentTarget.setPointerCapture(event.pointerId)
    const slot = slotAt(event)
    setDrag({ from: slot, to: slot })
  }
  const onUp = () => {
    if (!drag) return
    const [low, high] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)]
    setDrag(undefined)
    onRange(new Date(start + low * step).toISOString(), new Date(start + (high + 1) * step).toISOString())
  }
  return (
    <div className={classes.histogram}>
      <svg
        ref={area}
        className={classes.bars}
        viewBox={`0 0 ${Math.max(1, slots)} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label={text.histogram}
        data-testid="histogram"
        onPointerDown={onDown}
        onPointerMove={event => drag && setDrag({ ...drag, to: slotAt(event) })}
        onPointerUp={onUp}
        onPointerCancel={() => setDrag(undefined)}
      >
        {buckets.map(bucket => (
          <Bar
            key={bucket.at}
            bucket={bucket}
            x={Math.round((Date.parse(bucket.at) - start) / step)}
            highest={highest}
            levels={drawn}
          />
        ))}
        {drag && (
          <rect
            className={classes.selection}
            x={Math.min(drag.from, drag.to)}
            width={Math.abs(drag.to - drag.from) + 1}
            y={0}
            height={100}
          />
        )}
      </svg>
      <div className={classes.ends}>
        <span>{slots > 0 && dateTime(new Date(start)).slice(0, 19)}</span>
        <span>{slots > 0 && dateTime(new Date(start + slots * step)).slice(0, 19)}</span>
      </div>
      {zoomed && (
        <CloseButton
          size="sm"
          className={classes.unzoom}
          aria-label={text.zoomed}
          title={text.zoomed}
          onClick={() => onRange('', '')}
        />
      )}
    </div>
  )
})

type Bucket = NonNullable<LogStats['histogram']>['buckets'][number]

function Bar({
  bucket,
  x,
  highest,
  levels,
}: {
  bucket: Bucket
  x: number
  highest: number
  levels: readonly Level[]
}) {
  const text = useMessages().log
  let top = 100
  return (
    <g>
      <title>{text.bar(dateTime(new Date(bucket.at)), bucket.total)}</title>
      <rect x={x} width={1} y={0} height={100} fill="transparent" />
      {levels.map(level => {
        const lines = bucket.byLevel[level]
        if (lines === 0) return null
        // A single error among a million lines is still seen.
        const height = Math.max(3, (lines / highest) * 100)
        top -= height
        return (
          <rect
            key={level}
            className={classes.bar}
            data-level={level}
            x={x + 0.06}
            width={0.88}
            y={Math.max(0, top)}
            height={height}
          />
        )
      })}
    </g>
  )
}
