/** Tells elements whether they are in or near the window. One observer serves them all. */
const MARGIN = '400px';

const listeners = new WeakMap<Element, (near: boolean) => void>();
let observer: IntersectionObserver | null = null;

export function watchNear(tell: (near: boolean) => void): (element: Element) => () => void {
  return (element) => {
    observer ??= new IntersectionObserver(
      (entries) => {
        for (const entry of entries) listeners.get(entry.target)?.(entry.isIntersecting);
      },
      { rootMargin: MARGIN },
    );
    const used = observer;
    listeners.set(element, tell);
    used.observe(element);
    return () => {
      used.unobserve(element);
      listeners.delete(element);
    };
  };
}
