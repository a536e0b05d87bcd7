import type { TaskMetric } from '#protocol/task.ts'

/** What a run said of one metric, in the order of time. */
export interface MetricSeries {
  readonly name: string
  readonly values: readonly number[]
  readonly latest: number
  readonly latestAt: string
  readonly min: number
  readonly max: number
}

/** Metrics by name, the names in the order of their first mention. */
export function seriesOf(metrics: readonly TaskMetric[]): MetricSeries[] {
  const byName = Map.groupBy(metrics, metric => metric.name)
  return [...byName].flatMap(([name, all]) => {
    const sorted = [...all].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    const values = sorted.map(metric => metric.value)
    const last = sorted.at(-1)
    if (!last) return []
    const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
    return [{ name, values, latest: last.value, latestAt: last.at, min, max }]
  })
}
