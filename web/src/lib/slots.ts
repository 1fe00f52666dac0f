/**
 * Places on the wall. A call keeps its place while it lives; when it goes its place stays empty until the next
 * call takes it, so that nothing moves under the eye. Only when more than half of the places are empty do the
 * calls close up, in their order.
 */
export function placeCalls(
  places: readonly (string | null)[],
  present: readonly string[],
): (string | null)[] {
  const living = new Set(present);
  let next = places.map((id) => (id !== null && living.has(id) ? id : null));
  const seated = new Set(next.filter((id) => id !== null));
  let from = 0;
  for (const id of present) {
    if (seated.has(id)) continue;
    while (from < next.length && next[from] !== null) from += 1;
    next[from] = id;
  }
  while (next.length > 0 && next[next.length - 1] === null) next.pop();
  const empty = next.filter((id) => id === null).length;
  if (empty * 2 > next.length) next = next.filter((id) => id !== null);
  const same = next.length === places.length && next.every((id, i) => id === places[i]);
  return same ? (places as (string | null)[]) : next;
}
