/** Where things stand on the timeline. */

/** Whole steps in seconds that leave room for a label of about 64 px. */
export function axisTicks(length: number, width: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const most = Math.max(2, Math.floor(width / 64));
  const step = steps.find((one) => length / one <= most) ?? 7200;
  const ticks: number[] = [];
  for (let at = 0; at <= length + 1e-6; at += step) ticks.push(at);
  return ticks;
}

/** A row for each mark, so that marks closer than `room` pixels do not cover one another; at most `rows` rows. */
export function markRows(places: readonly number[], room: number, rows: number): number[] {
  const ends = new Array<number>(rows).fill(Number.NEGATIVE_INFINITY);
  return places.map((place) => {
    let row = ends.findIndex((end) => place - end >= room);
    if (row < 0) row = ends.indexOf(Math.min(...ends));
    ends[row] = place;
    return row;
  });
}
